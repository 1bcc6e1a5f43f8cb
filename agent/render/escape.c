/* SPDX-License-Identifier: Apache-2.0 */
#include "render/escape.h"

#include <stdbool.h>
#include <string.h>

/* A switch, not a search: every byte of a text passes here. */
static bool is_plain(char c)
{
	switch (c) {
	case '\\':
	case '"':
	case '\'':
	case '#':
	case '$':
	case 0x7f:
		return false;
	default:
		return (unsigned char)c > 0x20;
	}
}

void escape_haproxy(const char *text, size_t size_bytes, struct buf *ret_text)
{
	size_t i = 0;

	while (i < size_bytes) {
		size_t start = i;

		while (i < size_bytes && is_plain(text[i]))
			i++;
		buf_append(ret_text, text + start, i - start);
		if (i == size_bytes)
			break;
		/* "\$" is an escape between double quotes only; "\x24" is one everywhere. */
		if (text[i] == '$' || (unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			buf_append_format(ret_text, "\\x%02x", (unsigned char)text[i]);
		else
			buf_append_format(ret_text, "\\%c", text[i]);
		i++;
	}
}

void escape_log_format(const char *text, size_t size_bytes, struct buf *ret_text)
{
	for (size_t i = 0; i < size_bytes; i++) {
		if (text[i] == '%')
			buf_append_char(ret_text, '%');
		buf_append_char(ret_text, text[i]);
	}
}

static bool is_plain_argument(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && !strchr("\\\"',()", c);
}

void escape_sample_argument(const char *text, size_t size_bytes, struct buf *ret_text)
{
	size_t plain = 0;

	while (plain < size_bytes && is_plain_argument(text[plain]))
		plain++;
	if (plain == size_bytes) {
		buf_append(ret_text, text, size_bytes);
		return;
	}
	buf_append_char(ret_text, '"');
	for (size_t i = 0; i < size_bytes; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_append_char(ret_text, '\\');
		buf_append_char(ret_text, text[i]);
	}
	buf_append_char(ret_text, '"');
}
