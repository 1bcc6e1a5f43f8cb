/* SPDX-License-Identifier: Apache-2.0 */
#include "render/mustache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "render/mustache_tree.h"

enum { SECTION_DEPTH_MAX = 32, DELIMITER_MAX = 8, NODES_MIN = 64 };

struct delimiter {
	char text[DELIMITER_MAX];
	size_t size_bytes;
};

struct compiler {
	struct mustache *mustache;
	const char *start, *end;            /* the whole text */
	const char *at;                     /* what is not compiled yet */
	unsigned line;                      /* of at */
	bool line_begins;                   /* nothing of this line has become a node so far */
	struct delimiter open, close;       /* "{{" and "}}" until the template sets others */
	size_t sections[SECTION_DEPTH_MAX]; /* nodes of the sections that are open */
	size_t section_count;
	struct err *err;
};

/* A tag with its delimiters, from start up to end, and its content between them. */
struct tag {
	const char *start, *end;
	char sigil; /* '#', '^', '/', '>', '!', '=', '&', '{', or '\0' for a variable */
	struct mustache_span content;
};

static int compile_error(const struct compiler *compiler, const char *what, struct mustache_span at)
{
	return err_set(compiler->err, -EINVAL, "template %s, line %u: %s%s%.*s",
		compiler->mustache->name, compiler->line, what, at.size_bytes ? ": " : "",
		(int)(at.size_bytes > 60 ? 60 : at.size_bytes), at.size_bytes ? at.data : "");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n';
}

static struct mustache_span span_trim(const char *start, const char *end)
{
	while (start < end && is_space(*start))
		start++;
	while (end > start && is_space(end[-1]))
		end--;
	return (struct mustache_span){start, (size_t)(end - start)};
}

static const char *find(const char *start, const char *end, const char *what, size_t size_bytes)
{
	return memmem(start, (size_t)(end - start), what, size_bytes);
}

/* Goes on behind at, counting lines. */
static void compiler_advance(struct compiler *compiler, const char *to)
{
	for (const char *p = compiler->at; p < to; p++) {
		if (*p != '\n')
			continue;
		compiler->line++;
		compiler->line_begins = true;
	}
	compiler->at = to;
}

static struct mustache_node *add_node(
	struct compiler *compiler, enum mustache_kind kind, struct mustache_span text)
{
	struct mustache *mustache = compiler->mustache;
	struct mustache_node *node;

	if (mustache->node_count == mustache->node_capacity) {
		mustache->node_capacity =
			mustache->node_capacity ? 2 * mustache->node_capacity : NODES_MIN;
		mustache->nodes = xrealloc_array(
			mustache->nodes, mustache->node_capacity, sizeof(*mustache->nodes));
	}
	node = &mustache->nodes[mustache->node_count++];
	*node = (struct mustache_node){.kind = kind,
		.text = text,
		.begins_line = compiler->line_begins,
		.line = compiler->line};
	compiler->line_begins = false;
	return node;
}

static void add_text(struct compiler *compiler, const char *end)
{
	struct mustache_span text = {compiler->at, (size_t)(end - compiler->at)};

	if (text.size_bytes == 0)
		return;
	add_node(compiler, MUSTACHE_TEXT, text);
	compiler_advance(compiler, end);
}

/* Finds the end of the tag that opens at start, and what it holds. */
static int tag_read(struct compiler *compiler, const char *start, struct tag *ret_tag)
{
	char closing[DELIMITER_MAX + 2];
	const char *content = start + compiler->open.size_bytes;
	const char *content_end;
	size_t closing_size = 0;
	char sigil = content < compiler->end && strchr("#^/>!=&{", *content) ? *content : '\0';

	if (sigil)
		content++;
	/* "{{{x}}}" and "{{=<% %>=}}" close with one character more. */
	if (sigil == '{' || sigil == '=')
		closing[closing_size++] = sigil == '{' ? '}' : '=';
	memcpy(closing + closing_size, compiler->close.text, compiler->close.size_bytes);
	closing_size += compiler->close.size_bytes;
	content_end = find(content, compiler->end, closing, closing_size);
	if (!content_end) {
		compiler_advance(compiler, start);
		return compile_error(compiler, "a tag is not closed",
			(struct mustache_span){start, strcspn(start, "\n")});
	}
	*ret_tag = (struct tag){.start = start,
		.end = content_end + closing_size,
		.sigil = sigil,
		.content = span_trim(content, content_end)};
	return 0;
}

/*
 * Whether nothing but blanks stands beside the tag on its line or lines. Then the whole lines are
 * the tag: *ret_start is where they begin, *ret_end where the next line does.
 */
static bool tag_is_standalone(const struct compiler *compiler, const struct tag *tag,
	const char **ret_start, const char **ret_end)
{
	const char *start = tag->start;
	const char *end = tag->end;

	if (tag->sigil == '\0' || tag->sigil == '&' || tag->sigil == '{')
		return false;
	while (start > compiler->start && is_blank(start[-1]))
		start--;
	if (start > compiler->start && start[-1] != '\n')
		return false;
	while (end < compiler->end && is_blank(*end))
		end++;
	if (end < compiler->end && *end++ != '\n')
		return false;
	*ret_start = start;
	*ret_end = end;
	return true;
}

static int check_name(const struct compiler *compiler, struct mustache_span name)
{
	bool dotted = !(name.size_bytes == 1 && name.data[0] == '.');

	if (name.size_bytes == 0)
		return compile_error(compiler, "a tag has no name", name);
	for (size_t i = 0; i < name.size_bytes; i++) {
		bool dot = dotted && name.data[i] == '.';

		if (is_space(name.data[i]))
			return compile_error(compiler, "a name holds a space", name);
		if (dot && (i == 0 || i + 1 == name.size_bytes || name.data[i - 1] == '.'))
			return compile_error(compiler, "a dotted name has an empty part", name);
	}
	return 0;
}

static int open_section(struct compiler *compiler, const struct tag *tag)
{
	if (compiler->section_count == SECTION_DEPTH_MAX)
		return compile_error(compiler, "sections nest too deeply", tag->content);
	compiler->sections[compiler->section_count++] = compiler->mustache->node_count;
	add_node(compiler, tag->sigil == '#' ? MUSTACHE_SECTION : MUSTACHE_INVERTED, tag->content);
	return 0;
}

static int close_section(struct compiler *compiler, const struct tag *tag)
{
	struct mustache_node *section;

	if (compiler->section_count == 0)
		return compile_error(
			compiler, "a section is closed that was not opened", tag->content);
	section = &compiler->mustache->nodes[compiler->sections[--compiler->section_count]];
	if (section->text.size_bytes != tag->content.size_bytes ||
		memcmp(section->text.data, tag->content.data, tag->content.size_bytes) != 0)
		return compile_error(
			compiler, "another section is open here than the one closed", tag->content);
	section->children_end = compiler->mustache->node_count;
	return 0;
}

static int set_delimiter(
	const struct compiler *compiler, struct mustache_span text, struct delimiter *delimiter)
{
	if (text.size_bytes == 0 || text.size_bytes > DELIMITER_MAX ||
		memchr(text.data, '=', text.size_bytes))
		return compile_error(compiler, "delimiters are two words without '='", text);
	memcpy(delimiter->text, text.data, text.size_bytes);
	delimiter->size_bytes = text.size_bytes;
	return 0;
}

static int set_delimiters(struct compiler *compiler, struct mustache_span content)
{
	const char *end = content.data + content.size_bytes;
	const char *blank = content.data;
	int r;

	while (blank < end && !is_space(*blank))
		blank++;
	r = set_delimiter(compiler, span_trim(content.data, blank), &compiler->open);
	if (r < 0)
		return r;
	content = span_trim(blank, end);
	for (size_t i = 0; i < content.size_bytes; i++)
		if (is_space(content.data[i]))
			content.size_bytes = 0;
	return set_delimiter(compiler, content, &compiler->close);
}

/* Compiles what the tag means; compiler->at is its start. */
static int compile_tag(struct compiler *compiler, const struct tag *tag,
	struct mustache_span indent, bool standalone)
{
	struct mustache_node *node;
	int r;

	if (tag->sigil == '!')
		return 0;
	if (tag->sigil == '=')
		return set_delimiters(compiler, tag->content);
	r = check_name(compiler, tag->content);
	if (r < 0)
		return r;
	switch (tag->sigil) {
	case '#':
	case '^':
		return open_section(compiler, tag);
	case '/':
		return close_section(compiler, tag);
	case '>':
		node = add_node(compiler, MUSTACHE_PARTIAL, tag->content);
		node->standalone = standalone;
		node->indent = indent;
		return 0;
	case '&':
	case '{':
		add_node(compiler, MUSTACHE_RAW_VARIABLE, tag->content);
		return 0;
	default:
		add_node(compiler, MUSTACHE_VARIABLE, tag->content);
		return 0;
	}
}

/* Compiles up to the end of the next tag, or of the text when there is none. */
static int compile_next(struct compiler *compiler)
{
	const char *start =
		find(compiler->at, compiler->end, compiler->open.text, compiler->open.size_bytes);
	const char *line_start = start;
	const char *next;
	bool standalone;
	struct tag tag = {.sigil = 0};
	int r;

	if (!start) {
		add_text(compiler, compiler->end);
		return 0;
	}
	r = tag_read(compiler, start, &tag);
	if (r < 0)
		return r;
	next = tag.end;
	standalone = tag_is_standalone(compiler, &tag, &line_start, &next);
	add_text(compiler, line_start);
	/* The lines of a standalone tag vanish, so nothing of them wants an indentation. */
	if (standalone)
		compiler->line_begins = false;
	r = compile_tag(compiler, &tag,
		(struct mustache_span){line_start, (size_t)(start - line_start)}, standalone);
	if (r < 0)
		return r;
	compiler_advance(compiler, next);
	return 0;
}

static int compile_all(struct compiler *compiler)
{
	int r = 0;

	while (r == 0 && compiler->at < compiler->end)
		r = compile_next(compiler);
	if (r == 0 && compiler->section_count > 0) {
		size_t open = compiler->sections[compiler->section_count - 1];

		compiler->line = compiler->mustache->nodes[open].line;
		return compile_error(
			compiler, "a section is not closed", compiler->mustache->nodes[open].text);
	}
	return r;
}

int mustache_compile(const char *name, const char *text, size_t size_bytes,
	struct mustache **ret_mustache, struct err *err)
{
	cleanup_mustache struct mustache *mustache = xcalloc(1, sizeof(*mustache));
	struct compiler compiler;
	int r;

	mustache->name = xstrdup(name);
	mustache->text = xmemdup_text(text, size_bytes);
	compiler = (struct compiler){
		.mustache = mustache,
		.start = mustache->text,
		.end = mustache->text + size_bytes,
		.at = mustache->text,
		.line = 1,
		.line_begins = true,
		.open = {"{{", 2},
		.close = {"}}", 2},
		.err = err,
	};
	r = compile_all(&compiler);
	if (r < 0)
		return r;
	*ret_mustache = take_ptr(mustache);
	return 0;
}

void mustache_free(struct mustache *mustache)
{
	if (!mustache)
		return;
	free(mustache->nodes);
	free(mustache->text);
	free(mustache->name);
	free(mustache);
}
