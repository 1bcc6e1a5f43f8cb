/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/changes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

enum { MEMBER_TEXT_MAX_BYTES = 64 * KIB, REST_MAX_BYTES = 64 * MIB };

void changes_deinit(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->lines[i]);
	free(changes->lines);
	*changes = (struct changes){NULL};
}

void changes_add(struct changes *changes, char *line)
{
	if (changes->count == CHANGES_MAX) {
		changes->left_out++;
		free(line);
		return;
	}
	changes->lines =
		xrealloc_array(changes->lines, changes->count + 1, sizeof(*changes->lines));
	changes->lines[changes->count++] = line;
}

void changes_add_haproxy(struct changes *changes, const char *old_text, const char *new_text)
{
	struct haproxy_changes found;

	haproxy_changes_find(old_text, new_text, &found);
	for (size_t i = 0; i < found.count; i++) {
		changes_add(changes, found.lines[i]);
		found.lines[i] = NULL;
	}
	changes->left_out += found.left_out;
	haproxy_changes_deinit(&found);
}

/* A member as its listener's config tells it. */
struct listed_member {
	char *id;
	char *end;    /* "203.0.113.1 53 weight 1", or "disabled" */
	char *checks; /* how it is checked */
};

/* A listener's config. */
struct listed {
	struct listed_member *members; /* sorted by id */
	size_t member_count;
	struct buf rest; /* all that is no member's */
};

static void listed_deinit(struct listed *listed)
{
	for (size_t i = 0; i < listed->member_count; i++) {
		free(listed->members[i].id);
		free(listed->members[i].end);
		free(listed->members[i].checks);
	}
	free(listed->members);
	buf_deinit(&listed->rest);
}

/* The line without blanks at its ends; false at the end of the text. The caller frees it. */
static bool line_next(const char **text, char **ret_line)
{
	size_t size = strcspn(*text, "\n");
	size_t trimmed_size;
	const char *trimmed = text_trim(*text, size, &trimmed_size);

	if (!**text)
		return false;
	*ret_line = xmemdup_text(trimmed, trimmed_size);
	*text += size + ((*text)[size] == '\n');
	return true;
}

static void member_append(
	struct listed *listed, const char *id, struct buf *end, struct buf *checks)
{
	listed->members =
		xrealloc_array(listed->members, listed->member_count + 1, sizeof(*listed->members));
	listed->members[listed->member_count++] = (struct listed_member){
		.id = xstrdup(id),
		.end = buf_take_text(end),
		.checks = buf_take_text(checks),
	};
}

/* "real_server ADDRESS PORT {" to its '}', whose lines are taken off text. */
static void member_read(struct listed *listed, const char *id, const char **text)
{
	static const char keyword[] = "real_server ";
	cleanup_buf struct buf end = BUF_INIT(MEMBER_TEXT_MAX_BYTES);
	cleanup_buf struct buf checks = BUF_INIT(MEMBER_TEXT_MAX_BYTES);
	unsigned depth = 0;

	do {
		cleanup_free char *line = NULL;
		bool opens, closes;

		if (!line_next(text, &line))
			break;
		opens = text_ends_with(line, "{");
		closes = text_equal(line, "}");
		if (text_starts_with(line, keyword))
			buf_append_format(&end, "%.*s",
				(int)strcspn(line + strlen(keyword), "{") - 1,
				line + strlen(keyword));
		else if (depth == 1 && !opens && !closes)
			buf_append_format(&end, " %s", line);
		else
			buf_append_format(&checks, "%s\n", line);
		if (opens)
			depth++;
		else if (closes && depth > 0)
			depth--;
	} while (depth > 0);
	member_append(listed, id, &end, &checks);
}

static int member_compare(const void *a, const void *b)
{
	return strcmp(((const struct listed_member *)a)->id, ((const struct listed_member *)b)->id);
}

static const struct listed_member *member_find(const struct listed *listed, const char *id)
{
	const struct listed_member like = {.id = (char *)id};

	return listed->member_count == 0 ? NULL
					 : bsearch(&like, listed->members, listed->member_count,
						   sizeof(*listed->members), member_compare);
}

static void listener_read(const char *text, struct listed *ret_listed)
{
	static const char named[] = "# Configuration for Member ";
	static const char disabled[] = "# Member ";
	char *line;

	*ret_listed = (struct listed){.rest = BUF_INIT(REST_MAX_BYTES)};
	while (line_next(&text, &line)) {
		if (text_starts_with(line, named)) {
			member_read(ret_listed, line + strlen(named), &text);
		} else if (text_starts_with(line, disabled)) {
			cleanup_buf struct buf end = BUF_INIT(KIB);
			cleanup_buf struct buf checks = BUF_INIT(KIB);

			line[strlen(disabled) + strcspn(line + strlen(disabled), " ")] = '\0';
			buf_append_text(&end, "disabled");
			member_append(ret_listed, line + strlen(disabled), &end, &checks);
		} else {
			buf_append_format(&ret_listed->rest, "%s\n", line);
		}
		free(line);
	}
	if (ret_listed->member_count > 0)
		qsort(ret_listed->members, ret_listed->member_count, sizeof(*ret_listed->members),
			member_compare);
}

static void listener_compare(struct changes *changes, const struct id *listener,
	const struct listed *old, const struct listed *new)
{
	bool other = !text_equal(buf_text(&old->rest), buf_text(&new->rest));

	for (size_t i = 0; i < new->member_count; i++) {
		const struct listed_member *member = &new->members[i];
		const struct listed_member *before = member_find(old, member->id);

		if (!before)
			changes_add(changes, xformat("member %s of listener %s added", member->id,
						     listener->text));
		else if (!text_equal(before->end, member->end))
			changes_add(changes, xformat("member %s of listener %s is now %s",
						     member->id, listener->text, member->end));
		else if (!text_equal(before->checks, member->checks))
			other = true;
	}
	for (size_t i = 0; i < old->member_count; i++)
		if (!member_find(new, old->members[i].id))
			changes_add(changes, xformat("member %s of listener %s removed",
						     old->members[i].id, listener->text));
	if (other)
		changes_add(changes, xformat("listener %s changed", listener->text));
}

void changes_add_listener(struct changes *changes, const struct id *listener, const char *old_text,
	const char *new_text)
{
	CLEANUP(listed_deinit) struct listed old = {NULL};
	CLEANUP(listed_deinit) struct listed new = {NULL};

	if (!old_text[0] && !new_text[0])
		return;
	if (!new_text[0]) {
		changes_add(changes, xformat("listener %s removed", listener->text));
		return;
	}
	if (!old_text[0]) {
		changes_add(changes, xformat("listener %s added", listener->text));
		return;
	}
	listener_read(old_text, &old);
	listener_read(new_text, &new);
	listener_compare(changes, listener, &old, &new);
}

void changes_add_vrrp(struct changes *changes, const char *old_text, const char *new_text)
{
	if (text_equal(old_text, new_text))
		return;
	changes_add(changes, xstrdup(!old_text[0]   ? "VRRP added"
				     : !new_text[0] ? "VRRP removed"
						    : "VRRP changed"));
}
