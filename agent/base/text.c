/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

bool text_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool text_equal_nocase(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t text_size = strlen(text);
	size_t suffix_size = strlen(suffix);

	return text_size >= suffix_size && text_equal(text + text_size - suffix_size, suffix);
}

int text_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	return text_parse_u64_span(text, strlen(text), min, max, ret_value);
}

int text_parse_u64_span(
	const char *data, size_t size_bytes, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool too_large = false;

	if (size_bytes == 0)
		return -EINVAL;
	for (size_t i = 0; i < size_bytes; i++) {
		if (data[i] < '0' || data[i] > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(data[i] - '0'), &value))
			too_large = true;
	}
	if (too_large || value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t length;

	if (s[0] >= 0x01 && s[0] <= 0x7f)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (length > left || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return length;
}

bool text_is_utf8(const char *data, size_t size_bytes)
{
	const unsigned char *s = (const unsigned char *)data;
	size_t at = 0;

	while (at < size_bytes) {
		size_t length = utf8_sequence(s + at, size_bytes - at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

void text_repair_utf8(char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = utf8_sequence((const unsigned char *)text, left);

		if (length == 0) {
			*text = '?';
			length = 1;
		}
		text += length;
		left -= length;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *text_trim(const char *text, size_t size_bytes, size_t *ret_size_bytes)
{
	while (size_bytes > 0 && is_blank(text[0])) {
		text++;
		size_bytes--;
	}
	while (size_bytes > 0 && is_blank(text[size_bytes - 1]))
		size_bytes--;
	*ret_size_bytes = size_bytes;
	return text;
}
