/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "haproxy/config_line.h"

enum { PART_TEXT_MAX_BYTES = 64 * MIB };

/* A section without its servers, or one server. */
struct part {
	char *name;    /* as a person says it: "listener L", "member M of pool P on listener L" */
	char *content; /* its lines, word by word */
};

struct parts {
	struct part *items; /* in the order of the text */
	size_t count;
	const struct part **sorted; /* by name, to be found in */
};

/* "POOL:LISTENER" as a person says it; other backends by their name. The caller frees it. */
static char *backend_name(const char *name)
{
	const char *colon = strchr(name, ':');

	if (!colon)
		return xformat("backend %s", name);
	return xformat("pool %.*s on listener %s", (int)(colon - name), name, colon + 1);
}

static char *section_name(const struct haproxy_line *line)
{
	if (text_equal(line->section, "frontend"))
		return xformat("listener %s", line->section_name);
	if (text_equal(line->section, "backend"))
		return backend_name(line->section_name);
	return xformat("section %s%s%s", line->section, line->section_name[0] ? " " : "",
		line->section_name);
}

static char *server_name(const struct haproxy_line *line)
{
	cleanup_free char *backend = backend_name(line->section_name);

	return xformat("member %s of %s", line->words[1], backend);
}

static void words_append(struct buf *content, const struct haproxy_line *line, size_t from)
{
	for (size_t i = from; i < line->word_count; i++)
		buf_append_format(content, "%s%s", i > from ? " " : "", line->words[i]);
}

/* Takes name over. */
static void parts_append(struct parts *parts, char *name, struct buf *content)
{
	parts->items = xrealloc_array(parts->items, parts->count + 1, sizeof(*parts->items));
	parts->items[parts->count++] =
		(struct part){.name = name, .content = buf_take_text(content)};
}

static int part_compare(const void *a, const void *b)
{
	return strcmp(
		(*(const struct part *const *)a)->name, (*(const struct part *const *)b)->name);
}

static void parts_sort(struct parts *parts)
{
	parts->sorted = xcalloc(parts->count + 1, sizeof(*parts->sorted));
	for (size_t i = 0; i < parts->count; i++)
		parts->sorted[i] = &parts->items[i];
	qsort(parts->sorted, parts->count, sizeof(*parts->sorted), part_compare);
}

static const struct part *parts_find(const struct parts *parts, const struct part *like)
{
	const struct part **found =
		bsearch(&like, parts->sorted, parts->count, sizeof(*parts->sorted), part_compare);

	return found ? *found : NULL;
}

static void parts_deinit(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		free(parts->items[i].name);
		free(parts->items[i].content);
	}
	free(parts->items);
	free(parts->sorted);
}

static void parts_parse(const char *text, struct parts *ret_parts)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	cleanup_buf struct buf section = BUF_INIT(PART_TEXT_MAX_BYTES);
	cleanup_buf struct buf server = BUF_INIT(PART_TEXT_MAX_BYTES);
	cleanup_free char *name = NULL;
	struct haproxy_line line;

	haproxy_lines_init(&lines, text, strlen(text));
	while (haproxy_lines_next(&lines, &line)) {
		if (line.opens_section) {
			if (name)
				parts_append(ret_parts, take_ptr(name), &section);
			name = section_name(&line);
		} else if (haproxy_line_is(&line, "server", NULL)) {
			words_append(&server, &line, 2);
			parts_append(ret_parts, server_name(&line), &server);
		} else {
			words_append(&section, &line, 0);
			buf_append_char(&section, '\n');
		}
	}
	if (name)
		parts_append(ret_parts, take_ptr(name), &section);
	parts_sort(ret_parts);
}

/* Takes line over. */
static void changes_append(struct haproxy_changes *changes, char *line)
{
	if (changes->count < HAPROXY_CHANGES_MAX) {
		changes->lines[changes->count++] = line;
	} else {
		changes->left_out++;
		free(line);
	}
}

static void part_compare_with(
	const struct part *part, const struct part *old, struct haproxy_changes *changes)
{
	bool is_member = text_starts_with(part->name, "member ");

	if (!old)
		changes_append(changes, xformat("%s added", part->name));
	else if (!text_equal(old->content, part->content))
		changes_append(changes, is_member
						? xformat("%s is now %s", part->name, part->content)
						: xformat("%s changed", part->name));
}

void haproxy_changes_find(
	const char *old_text, const char *new_text, struct haproxy_changes *ret_changes)
{
	CLEANUP(parts_deinit) struct parts old_parts = {0};
	CLEANUP(parts_deinit) struct parts new_parts = {0};

	*ret_changes = (struct haproxy_changes){
		.lines = xcalloc(HAPROXY_CHANGES_MAX, sizeof(*ret_changes->lines))};
	parts_parse(old_text, &old_parts);
	parts_parse(new_text, &new_parts);
	for (size_t i = 0; i < new_parts.count; i++)
		part_compare_with(&new_parts.items[i], parts_find(&old_parts, &new_parts.items[i]),
			ret_changes);
	for (size_t i = 0; i < old_parts.count; i++)
		if (!parts_find(&new_parts, &old_parts.items[i]))
			changes_append(ret_changes, xformat("%s removed", old_parts.items[i].name));
}

void haproxy_changes_deinit(struct haproxy_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->lines[i]);
	free(changes->lines);
	*changes = (struct haproxy_changes){0};
}
