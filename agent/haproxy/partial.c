/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/partial.h"

#include <stdbool.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/config_line.h"

/* Behind these a bind or server line names a file. */
static const char *const file_keywords[] = {
	"crt", "crt-list", "ca-file", "ca-verify-file", "crl-file"};

static bool names_file(const char *keyword)
{
	for (size_t i = 0; i < sizeof(file_keywords) / sizeof(file_keywords[0]); i++)
		if (text_equal(file_keywords[i], keyword))
			return true;
	return false;
}

/* The first file that the line names and that is not there; NULL: none. */
static const char *missing_file(const struct haproxy_line *line)
{
	/* The first word behind the keyword is a name or an address. */
	for (size_t i = 2; i + 1 < line->word_count; i++) {
		const char *path = line->words[i + 1];

		if (names_file(line->words[i]) && path[0] == '/' && !file_exists(path))
			return path;
	}
	return NULL;
}

/* Whether the section that the line opens lacks a file to bind with. end: of the line's text. */
static bool bind_lacks(const struct haproxy_line *opening, const char *end, struct buf *ret_notes)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	haproxy_lines_init(&lines, opening->text, (size_t)(end - opening->text));
	haproxy_lines_next(&lines, &line);
	while (haproxy_lines_next(&lines, &line) && !line.opens_section) {
		const char *path =
			haproxy_line_is(&line, "bind", NULL) ? missing_file(&line) : NULL;

		if (!path)
			continue;
		buf_append_format(ret_notes, "%s %s is not served, because %s is missing\n",
			opening->words[0], opening->words[1], path);
		return true;
	}
	return false;
}

static bool section_drops(
	const struct haproxy_line *opening, const char *end, struct buf *ret_notes)
{
	return (haproxy_line_is(opening, "frontend", NULL) ||
		       haproxy_line_is(opening, "listen", NULL)) &&
	       bind_lacks(opening, end, ret_notes);
}

/* Once for all the servers of a pool, which may be thousands with one file. */
static bool server_drops(const struct haproxy_line *line, struct buf *ret_notes)
{
	const char *path = haproxy_line_is(line, "server", NULL) ? missing_file(line) : NULL;
	cleanup_free char *note = NULL;

	if (!path)
		return false;
	note = xformat("servers of %s that need %s are not used, because it is missing\n",
		line->section_name, path);
	if (!text_ends_with(buf_text(ret_notes), note))
		buf_append_text(ret_notes, note);
	return true;
}

void haproxy_partial_cut(
	const char *text, size_t size_bytes, struct buf *ret_text, struct buf *ret_notes)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	const char *end = text + size_bytes;
	const char *copied = text; /* all before this is in ret_text, or dropped */
	bool is_dropped = false;   /* the section */
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, size_bytes);
	while (haproxy_lines_next(&lines, &line)) {
		if (line.opens_section)
			is_dropped = section_drops(&line, end, ret_notes);
		if (!is_dropped && !server_drops(&line, ret_notes))
			continue;
		/* Empty lines and comments lie between copied and the line. */
		buf_append(ret_text, copied, (size_t)(line.text - copied));
		copied = lines.next;
	}
	buf_append(ret_text, copied, (size_t)(end - copied));
}
