/* SPDX-License-Identifier: Apache-2.0 */
#include "render/escape.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && !strchr("\\\"'#$", c);
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
