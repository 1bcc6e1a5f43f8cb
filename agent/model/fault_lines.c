/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fault_lines.h"

#include <stdlib.h>

#include "model/position.h"

struct line {
	const char *kind; /* "error" */
	const struct fault *fault;
	struct position position;
	size_t order; /* among those at the same place */
};

static size_t lines_fill(
	const struct fault_list *list, const char *kind, size_t count, struct line lines[])
{
	for (size_t i = 0; i < list->count; i++, count++)
		lines[count] =
			(struct line){.kind = kind, .fault = &list->items[i], .order = count};
	return count;
}

static void lines_locate(struct line lines[], size_t count, const char *text, size_t size_bytes)
{
	const char *pointers[2 * FAULTS_MAX] = {NULL};
	struct position positions[2 * FAULTS_MAX];

	for (size_t i = 0; i < count; i++)
		pointers[i] = lines[i].fault->path;
	positions_find(text, size_bytes, pointers, count, positions);
	for (size_t i = 0; i < count; i++) {
		const struct fault *fault = lines[i].fault;

		lines[i].position = positions[i];
		/* jansson's columns begin at 0 on a new line. */
		if (fault->line > 0)
			lines[i].position = (struct position){
				.line = fault->line, .column = fault->column ? fault->column : 1};
	}
}

static int line_compare(const void *a, const void *b)
{
	const struct line *one = a, *other = b;

	if (one->position.line != other->position.line)
		return one->position.line < other->position.line ? -1 : 1;
	if (one->position.column != other->position.column)
		return one->position.column < other->position.column ? -1 : 1;
	return one->order < other->order ? -1 : 1;
}

/* text is UTF-8, where C1 controls are two bytes. */
static void append_clean(struct buf *lines, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			buf_append_char(lines, '?');
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			buf_append_char(lines, '?');
			p++;
		} else {
			buf_append_char(lines, (char)*p);
		}
	}
}

static void append_line(struct buf *lines, const char *file, const struct line *line)
{
	buf_append_format(lines, "%s:%u:%u: %s: ", file, line->position.line, line->position.column,
		line->kind);
	/* "the model must be an object" */
	if (line->fault->path[0]) {
		append_clean(lines, line->fault->path);
		buf_append_text(lines, ": ");
	} else {
		buf_append_text(lines, "the model ");
	}
	append_clean(lines, line->fault->text);
	buf_append_char(lines, '\n');
}

void fault_lines_append(const struct faults *faults, const char *file, const char *text,
	size_t size_bytes, struct buf *ret_lines)
{
	size_t left_out = faults->errors.left_out + faults->warnings.left_out;
	struct line lines[2 * FAULTS_MAX];
	size_t count = lines_fill(&faults->errors, "error", 0, lines);

	count = lines_fill(&faults->warnings, "warning", count, lines);
	if (count == 0)
		return;
	lines_locate(lines, count, text, size_bytes);
	qsort(lines, count, sizeof(lines[0]), line_compare);
	for (size_t i = 0; i < count; i++)
		append_line(ret_lines, file, &lines[i]);
	if (left_out > 0)
		buf_append_format(ret_lines, "%s: %zu more are not shown\n", file, left_out);
}
