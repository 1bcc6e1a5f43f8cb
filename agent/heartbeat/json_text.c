/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/json_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void char_append(struct buf *buf, unsigned char c)
{
	if (c == '"' || c == '\\') {
		buf_append_char(buf, '\\');
		buf_append_char(buf, (char)c);
	} else if (c < 0x20 || c == 0x7f) {
		buf_append_format(buf, "\\u%04x", c);
	} else {
		buf_append_char(buf, (char)c);
	}
}

void json_text_append(struct buf *buf, const char *text)
{
	cleanup_free char *repaired = NULL;
	size_t plain = 0;

	buf_append_char(buf, '"');
	while (is_plain((unsigned char)text[plain]))
		plain++;
	buf_append(buf, text, plain);
	text += plain;
	if (*text) {
		repaired = xstrdup(text);
		text_repair_utf8(repaired);
		text = repaired;
	}
	for (; *text; text++)
		char_append(buf, (unsigned char)*text);
	buf_append_char(buf, '"');
}
