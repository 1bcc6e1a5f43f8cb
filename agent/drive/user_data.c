/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/user_data.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

/* The template's own words and indentation. */
#define FIRST_LINE    "#cloud-config"
#define ENTRY_PATH    "-   path: "
#define ENTRY_INDENT  "    "
#define ENTRY_CONTENT ENTRY_INDENT "content: |"
#define BLOCK_INDENT  "        "

enum { SHOWN_MAX = 60 };

/* The line that is being looked at, and what follows it. */
struct lines {
	const char *line; /* NULL behind the last one */
	size_t line_bytes;
	const char *next;
	const char *end;
	unsigned number;
};

static void lines_advance(struct lines *lines)
{
	const char *newline;

	lines->number++;
	lines->line = NULL;
	if (lines->next == lines->end)
		return;
	newline = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
	lines->line = lines->next;
	lines->line_bytes = (size_t)((newline ? newline : lines->end) - lines->next);
	lines->next = newline ? newline + 1 : lines->end;
}

static bool line_begins(const struct lines *lines, const char *prefix)
{
	size_t size_bytes = strlen(prefix);

	return lines->line && lines->line_bytes >= size_bytes &&
	       memcmp(lines->line, prefix, size_bytes) == 0;
}

static bool line_is(const struct lines *lines, const char *text)
{
	return line_begins(lines, text) && lines->line_bytes == strlen(text);
}

static bool line_is_blank(const struct lines *lines)
{
	for (size_t i = 0; i < lines->line_bytes; i++)
		if (lines->line[i] != ' ')
			return false;
	return true;
}

static bool line_is_comment(const struct lines *lines)
{
	return line_begins(lines, "#");
}

/* What belongs to the key above: indented, or an item of a list. */
static bool line_is_nested(const struct lines *lines)
{
	return line_begins(lines, " ") || line_begins(lines, "\t") || line_begins(lines, "-");
}

static int shown(const struct lines *lines)
{
	return lines->line_bytes < SHOWN_MAX ? (int)lines->line_bytes : SHOWN_MAX;
}

static void nested_skip(struct lines *lines)
{
	while (lines->line &&
		(line_is_blank(lines) || line_is_comment(lines) || line_is_nested(lines)))
		lines_advance(lines);
}

/*
 * The lines of a "|" block. Empty ones are kept back until another one follows: those at its end
 * are not part of it.
 */
static void block_take(struct lines *lines, struct buf *ret_content)
{
	static const size_t indent = sizeof(BLOCK_INDENT) - 1;
	size_t empty_count = 0;

	for (; lines->line; lines_advance(lines)) {
		bool is_indented = line_begins(lines, BLOCK_INDENT);

		if (!is_indented && !line_is_blank(lines))
			return;
		if (!is_indented || lines->line_bytes == indent) {
			empty_count++;
			continue;
		}
		for (; empty_count > 0; empty_count--)
			buf_append_char(ret_content, '\n');
		buf_append(ret_content, lines->line + indent, lines->line_bytes - indent);
		buf_append_char(ret_content, '\n');
	}
}

/* A plain scalar that YAML would read otherwise than as what stands there. */
static bool scalar_is_plain(const char *text, size_t size_bytes)
{
	return !memmem(text, size_bytes, " #", 2) && !memmem(text, size_bytes, ": ", 2) &&
	       (size_bytes == 0 || (text[size_bytes - 1] != ' ' && text[size_bytes - 1] != ':'));
}

static int path_take(struct lines *lines, struct tree_path *ret_path, struct err *err)
{
	const char *path = lines->line + strlen(ENTRY_PATH);
	size_t path_bytes = lines->line_bytes - strlen(ENTRY_PATH);
	int r;

	if (!scalar_is_plain(path, path_bytes))
		return err_set(err, -EINVAL, "line %u: '%.*s' is not plain text", lines->number,
			shown(lines), lines->line);
	r = drive_file_path_parse(path, path_bytes, ret_path, err);
	return r < 0 ? err_wrap(err, r, "line %u", lines->number) : 0;
}

/* Keys that a file can do without: it is root's, and nobody else may read it. */
static bool line_is_optional_key(const struct lines *lines)
{
	return line_begins(lines, ENTRY_INDENT "permissions: ") ||
	       line_begins(lines, ENTRY_INDENT "owner: ");
}

/* One file, from the line with its path. */
static int entry_take(struct lines *lines, struct drive_files *files, struct err *err)
{
	cleanup_buf struct buf content = BUF_INIT(DRIVE_FILE_SIZE_MAX);
	bool has_content = false;
	struct tree_path path;
	int r = path_take(lines, &path, err);

	if (r < 0)
		return r;
	lines_advance(lines);
	while (line_begins(lines, ENTRY_INDENT)) {
		if (line_is(lines, ENTRY_CONTENT) && !has_content) {
			has_content = true;
			lines_advance(lines);
			block_take(lines, &content);
		} else if (line_is_optional_key(lines)) {
			log_info("user_data line %u: '%.*s' is left out", lines->number,
				shown(lines), lines->line);
			lines_advance(lines);
		} else {
			return err_set(err, -EINVAL, "line %u: not as Octavia's template writes it",
				lines->number);
		}
	}
	if (!has_content)
		return err_set(err, -EINVAL, "%s has no content", path.text);
	if (buf_error(&content))
		return err_set(err, buf_error(&content), "%s is larger than %d bytes", path.text,
			DRIVE_FILE_SIZE_MAX);
	return drive_files_add(files, &path, &content, err);
}

static int write_files_take(struct lines *lines, struct drive_files *files, struct err *err)
{
	lines_advance(lines);
	while (lines->line) {
		if (line_begins(lines, ENTRY_PATH)) {
			int r = entry_take(lines, files, err);

			if (r < 0)
				return r;
		} else if (line_is_blank(lines) || line_is_comment(lines)) {
			lines_advance(lines);
		} else if (line_is_nested(lines)) {
			return err_set(err, -EINVAL, "line %u: not as Octavia's template writes it",
				lines->number);
		} else {
			return 0;
		}
	}
	return 0;
}

/* A name in /usr/share/zoneinfo: "Etc/GMT+1". */
static bool timezone_is_valid(const char *name, size_t size_bytes)
{
	char previous = '/';

	if (size_bytes == 0 || size_bytes > TIMEZONE_SIZE_MAX)
		return false;
	for (size_t i = 0; i < size_bytes; previous = name[i++]) {
		bool is_word = (name[i] >= 'a' && name[i] <= 'z') ||
			       (name[i] >= 'A' && name[i] <= 'Z') ||
			       (name[i] >= '0' && name[i] <= '9') || memchr("_+-", name[i], 3);

		if (!is_word && (name[i] != '/' || previous == '/'))
			return false;
	}
	return previous != '/';
}

static void timezone_take(struct lines *lines, struct user_data *user_data)
{
	size_t key_bytes = strlen("timezone:");
	size_t size_bytes;
	const char *name =
		text_trim(lines->line + key_bytes, lines->line_bytes - key_bytes, &size_bytes);

	if (timezone_is_valid(name, size_bytes)) {
		memcpy(user_data->timezone, name, size_bytes);
		user_data->timezone[size_bytes] = '\0';
	} else {
		log_warning("user_data line %u: '%.*s' is left out: no name of a time zone",
			lines->number, shown(lines), lines->line);
	}
	lines_advance(lines);
}

/* One key with what belongs to it. */
static int key_take(struct lines *lines, struct user_data *user_data, struct err *err)
{
	if (line_is(lines, "write_files:"))
		return write_files_take(lines, &user_data->files, err);
	if (line_begins(lines, "timezone:")) {
		timezone_take(lines, user_data);
		return 0;
	}
	if (!line_is(lines, "runcmd:"))
		log_warning("user_data line %u: '%.*s' is left out: no amphora is sent it",
			lines->number, shown(lines), lines->line);
	lines_advance(lines);
	nested_skip(lines);
	return 0;
}

static int keys_take(struct lines *lines, struct user_data *user_data, struct err *err)
{
	while (lines->line) {
		int r = 0;

		if (line_is_blank(lines) || line_is_comment(lines))
			lines_advance(lines);
		else
			r = key_take(lines, user_data, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int user_data_parse(
	const char *text, size_t size_bytes, struct user_data *ret_user_data, struct err *err)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};
	struct lines lines = {.next = text, .end = text + size_bytes};
	int r;

	lines_advance(&lines);
	if (!line_is(&lines, FIRST_LINE)) {
		log_warning("user_data is no " FIRST_LINE ": left out");
		*ret_user_data = (struct user_data){0};
		return 0;
	}
	if (memchr(text, '\0', size_bytes))
		return err_set(err, -EINVAL, "holds a NUL");
	r = keys_take(&lines, &user_data, err);
	if (r < 0)
		return r;
	*ret_user_data = user_data;
	user_data = (struct user_data){0};
	return 0;
}

void user_data_deinit(struct user_data *user_data)
{
	drive_files_deinit(&user_data->files);
	*user_data = (struct user_data){0};
}
