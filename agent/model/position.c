/* SPDX-License-Identifier: Apache-2.0 */
#include "model/position.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/pointer.h"
#include "model/text_index.h"

/* No fault has a longer pointer (model/fault.c). */
enum { POINTER_MAX = 8 * KIB };

/* A cursor on the text. Inside what is not wanted, nor holds anything that is, it only skips. */
struct search {
	const char *at, *end;
	const char *counted; /* up to here, lines and columns are counted */
	struct position here;
	struct text_index wanted; /* pointers with all that they lie in: number in found */
	struct position *found;   /* line 0: not found yet */
	size_t found_count;
};

static bool parent_of(char *pointer)
{
	char *last = strrchr(pointer, '/');

	if (last)
		*last = '\0';
	return last != NULL;
}

static void want(struct search *search, const char *pointer)
{
	cleanup_free char *part = xstrdup(pointer);

	do {
		if (text_index_add(&search->wanted, part, search->found_count))
			search->found_count++;
	} while (parent_of(part));
}

static void search_init(struct search *ret_search, const char *text, size_t size_bytes,
	const char *const pointers[], size_t count)
{
	*ret_search = (struct search){.at = text,
		.end = text + size_bytes,
		.counted = text,
		.here = {.line = 1, .column = 1}};
	want(ret_search, "");
	for (size_t i = 0; i < count; i++)
		want(ret_search, pointers[i]);
	ret_search->found = xcalloc(ret_search->found_count, sizeof(*ret_search->found));
}

static void search_deinit(struct search *search)
{
	text_index_deinit(&search->wanted);
	free(search->found);
}

/* Continuation bytes of UTF-8 are no characters of their own. */
static struct position position_here(struct search *search)
{
	for (; search->counted < search->at; search->counted++) {
		if (*search->counted == '\n') {
			search->here.line++;
			search->here.column = 1;
		} else if (((unsigned char)*search->counted & 0xc0) != 0x80) {
			search->here.column++;
		}
	}
	return search->here;
}

static void skip_blanks(struct search *search)
{
	while (search->at < search->end && strchr(" \t\r\n", *search->at) && *search->at)
		search->at++;
}

/* Whether the character is next; steps over it. */
static bool take(struct search *search, char c)
{
	skip_blanks(search);
	if (search->at == search->end || *search->at != c)
		return false;
	search->at++;
	return true;
}

/* From its opening quote to behind its closing one; false: it has none. */
static bool skip_string(struct search *search)
{
	for (search->at++; search->at < search->end; search->at++) {
		if (*search->at == '\\' && search->at + 1 < search->end)
			search->at++;
		else if (*search->at == '"')
			break;
	}
	return search->at < search->end && *search->at++ == '"';
}

/* To the ',' behind the value, or to what closes the list or object around it. */
static bool skip_value(struct search *search)
{
	size_t depth = 0;

	while (search->at < search->end) {
		char c = *search->at;

		if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			return true;
		if (c == '"') {
			if (!skip_string(search))
				return false;
			continue;
		}
		depth += c == '[' || c == '{';
		depth -= c == ']' || c == '}';
		search->at++;
	}
	return depth == 0;
}

/* The key's text, the caller's to free(); NULL: here is none. */
static char *take_key(struct search *search)
{
	const char *begin;
	size_t size_bytes;

	skip_blanks(search);
	begin = search->at;
	if (begin == search->end || *begin != '"' || !skip_string(search))
		return NULL;
	size_bytes = (size_t)(search->at - begin);
	if (memchr(begin, '\\', size_bytes)) {
		json_auto_t *key = json_loadb(begin, size_bytes, JSON_DECODE_ANY, NULL);

		return key ? xstrdup(json_string_value(key)) : NULL;
	}
	return xmemdup_text(begin + 1, size_bytes - 2);
}

static bool search_value(struct search *search, const struct buf *pointer);

static bool search_object(struct search *search, const struct buf *pointer)
{
	search->at++;
	if (take(search, '}'))
		return true;
	do {
		cleanup_buf struct buf inner = BUF_INIT(POINTER_MAX);
		cleanup_free char *key = take_key(search);

		if (!key || !take(search, ':'))
			return false;
		buf_append_text(&inner, buf_text(pointer));
		pointer_append_key(&inner, key);
		if (!search_value(search, &inner))
			return false;
	} while (take(search, ','));
	return take(search, '}');
}

static bool search_list(struct search *search, const struct buf *pointer)
{
	search->at++;
	if (take(search, ']'))
		return true;
	for (size_t i = 0;; i++) {
		cleanup_buf struct buf inner = BUF_INIT(POINTER_MAX);

		buf_append_text(&inner, buf_text(pointer));
		pointer_append_index(&inner, i);
		if (!search_value(search, &inner))
			return false;
		if (!take(search, ','))
			return take(search, ']');
	}
}

/* The value with this pointer is next. Goes no deeper than pointers are wanted. false: no JSON. */
static bool search_value(struct search *search, const struct buf *pointer)
{
	size_t number;

	skip_blanks(search);
	if (search->at == search->end)
		return false;
	if (buf_error(pointer) || !text_index_find(&search->wanted, buf_text(pointer), &number))
		return skip_value(search);
	search->found[number] = position_here(search);
	if (*search->at == '{')
		return search_object(search, pointer);
	if (*search->at == '[')
		return search_list(search, pointer);
	return skip_value(search);
}

/* What is not there stands, so to say, in what would hold it. */
static struct position position_of(const struct search *search, const char *pointer)
{
	cleanup_free char *part = xstrdup(pointer);
	size_t number;

	do {
		if (text_index_find(&search->wanted, part, &number) &&
			search->found[number].line > 0)
			return search->found[number];
	} while (parent_of(part));
	return (struct position){.line = 1, .column = 1};
}

void positions_find(const char *text, size_t size_bytes, const char *const pointers[], size_t count,
	struct position ret_positions[])
{
	CLEANUP(search_deinit) struct search search;

	search_init(&search, text, size_bytes, pointers, count);
	search_value(&search, &BUF_INIT(0));
	for (size_t i = 0; i < count; i++)
		ret_positions[i] = position_of(&search, pointers[i]);
}
