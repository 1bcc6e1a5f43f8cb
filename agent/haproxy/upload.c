/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/upload.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/config_line.h"

struct rewrite {
	struct buf *text;
	struct buf *notes;
};

static void note(struct rewrite *rewrite, const struct haproxy_line *line, const char *what)
{
	buf_append_format(rewrite->notes, "line %u: %s\n", line->number, what);
}

static void indentation_append(struct buf *text, const struct haproxy_line *line)
{
	size_t size = 0;

	while (size < line->size_bytes && isblank((unsigned char)line->text[size]))
		size++;
	buf_append(text, line->text, size);
}

/* Where the line's last word starts, as it is written. */
static size_t last_word_at(const struct haproxy_line *line)
{
	size_t at = line->size_bytes;

	while (at > 0 && isspace((unsigned char)line->text[at - 1]))
		at--;
	while (at > 0 && !isspace((unsigned char)line->text[at - 1]))
		at--;
	return at;
}

/*
 * `option httpchk M U HTTP/1.1\r\nHost:\ X`: the version's word holds real CR and LF once it is
 * unescaped, and what stands behind them is a request's head.
 */
static bool httpchk_mend(struct rewrite *rewrite, const struct haproxy_line *line)
{
	static const char escaped[] = "\\r\\n";
	static const char host[] = "Host: ";
	const char *head = line->word_count == 5 ? strstr(line->words[4], "\r\n") : NULL;
	const char *written = head ? memmem(line->text, line->size_bytes, escaped, 4) : NULL;

	if (!written || !haproxy_line_is(line, "option", "httpchk"))
		return false;
	head += 2;
	if (head[0] && (!text_starts_with(head, host) || strpbrk(head, "\r\n\\\"'#") ||
			       strchr(head + strlen(host), ' ')))
		return false;
	buf_append(rewrite->text, line->text, (size_t)(written - line->text));
	if (head[0]) {
		buf_append_char(rewrite->text, '\n');
		indentation_append(rewrite->text, line);
		buf_append_format(
			rewrite->text, "http-check send hdr Host %s", head + strlen(host));
	}
	note(rewrite, line, "the request's head in 'option httpchk' became 'http-check send'");
	return true;
}

static bool cpu_map_mend(struct rewrite *rewrite, const struct haproxy_line *line)
{
	size_t at = last_word_at(line);

	if (!haproxy_line_is(line, "cpu-map", NULL) || line->word_count < 4 || !line->plain ||
		!text_equal(line->words[line->word_count - 1], "external-check"))
		return false;
	while (at > 0 && isspace((unsigned char)line->text[at - 1]))
		at--;
	buf_append(rewrite->text, line->text, at);
	buf_append_char(rewrite->text, '\n');
	indentation_append(rewrite->text, line);
	buf_append_text(rewrite->text, "external-check");
	note(rewrite, line, "'external-check' at the end of 'cpu-map' got a line of its own");
	return true;
}

/* Whether the whole line goes. */
static bool line_drops(struct rewrite *rewrite, const struct haproxy_line *line)
{
	if (text_equal(line->section, "global") && haproxy_line_is(line, "group", NULL)) {
		note(rewrite, line, "'group' dropped: the group is the agent's to say");
		return true;
	}
	if (haproxy_line_is(line, "option", "http-use-htx") && line->word_count == 2) {
		note(rewrite, line, "'option http-use-htx' dropped: HAProxy no longer knows it");
		return true;
	}
	return false;
}

void haproxy_upload_rewrite(
	const char *text, size_t size_bytes, struct buf *ret_text, struct buf *ret_notes)
{
	struct rewrite rewrite = {.text = ret_text, .notes = ret_notes};
	cleanup_haproxy_lines struct haproxy_lines lines;
	const char *copied = text; /* all before this is in ret_text, or dropped */
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		/* Empty lines and comments lie between copied and the line. */
		buf_append(ret_text, copied, (size_t)(line.text - copied));
		if (line_drops(&rewrite, &line)) {
			copied = lines.next;
			continue;
		}
		if (!httpchk_mend(&rewrite, &line) && !cpu_map_mend(&rewrite, &line))
			buf_append(ret_text, line.text, line.size_bytes);
		copied = line.text + line.size_bytes;
	}
	buf_append(ret_text, copied, (size_t)(text + size_bytes - copied));
}
