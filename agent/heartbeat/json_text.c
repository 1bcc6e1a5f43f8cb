/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/json_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void char_append(struct buf *buf, unsigned char c, bool is_utf8)
{
	if (c == '"' || c == '\\') {
		buf_append_char(buf, '\\');
		buf_append_char(buf, (char)c);
	} else if (c < 0x20 || c == 0x7f) {
		buf_append_format(buf, "\\u%04x", c);
	} else {
		buf_append_char(buf, c < 0x80 || is_utf8 ? (char)c : '?');
	}
}

void json_text_append(struct buf *buf, const char *text)
{
	size_t plain = 0;
	bool is_utf8;

	buf_append_char(buf, '"');
	while (is_plain((unsigned char)text[plain]))
		plain++;
	buf_append(buf, text, plain);
	text += plain;
	is_utf8 = text[0] == '\0' || text_is_utf8(text, strlen(text));
	for (; *text; text++)
		char_append(buf, (unsigned char)*text, is_utf8);
	buf_append_char(buf, '"');
}
