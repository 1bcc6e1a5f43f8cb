/* SPDX-License-Identifier: Apache-2.0 */
#include "render/escape.h"

#include <string.h>

void escape_haproxy(const char *text, size_t size_bytes, struct buf *ret_text)
{
	for (size_t i = 0; i < size_bytes; i++) {
		char c = text[i];

		if (c == '\0')
			continue;
		if (strchr(" \\\"'#", c)) {
			buf_append_char(ret_text, '\\');
			buf_append_char(ret_text, c);
		} else if (c == '$' || (unsigned char)c < 0x20 || c == 0x7f) {
			/* "\$" is an escape between double quotes only; this is one everywhere. */
			buf_append_format(ret_text, "\\x%02x", (unsigned char)c);
		} else {
			buf_append_char(ret_text, c);
		}
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
