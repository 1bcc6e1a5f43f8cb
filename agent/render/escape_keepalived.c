/* SPDX-License-Identifier: Apache-2.0 */
#include "render/escape_keepalived.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "model/keepalived_word.h"

static bool is_plain(const char *text, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++)
		if (!text[i] ||
			(!isalnum((unsigned char)text[i]) && !strchr("_-./:,+=%&?", text[i])))
			return false;
	return size_bytes > 0;
}

void escape_keepalived(const char *text, size_t size_bytes, struct buf *ret_text)
{
	bool is_quoted = !is_plain(text, size_bytes);
	size_t start = 0;

	if (size_bytes > KEEPALIVED_WORD_MAX_BYTES)
		size_bytes = KEEPALIVED_WORD_MAX_BYTES;
	if (is_quoted)
		buf_append_char(ret_text, '"');
	while (start < size_bytes) {
		size_t size = keepalived_word_check(text + start, size_bytes - start);

		buf_append(ret_text, text + start, size);
		start += size;
		if (start < size_bytes)
			buf_append_char(ret_text, '?');
		start++;
	}
	if (is_quoted)
		buf_append_char(ret_text, '"');
}

void escape_keepalived_argument(const char *text, size_t size_bytes, struct buf *ret_text)
{
	bool is_quoted = !is_plain(text, size_bytes);

	if (is_quoted)
		buf_append_char(ret_text, '\'');
	for (size_t i = 0; i < size_bytes; i++)
		buf_append_char(ret_text, text[i] && strchr("'\"\\", text[i]) ? '?' : text[i]);
	if (is_quoted)
		buf_append_char(ret_text, '\'');
}
