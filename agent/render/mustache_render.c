/* SPDX-License-Identifier: Apache-2.0 */
#include "render/mustache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "render/mustache_tree.h"

enum { PARTIAL_DEPTH_MAX = 32 };

/* The context stack: the view at the bottom, one more for each section that is entered. */
struct context {
	const json_t *value;
	const struct context *below;
};

/* One template under way: the first one, or a partial inside it. */
struct rendering {
	const struct mustache *mustache;
	const struct mustache_dialect *dialect;
	const char *indent; /* goes before each line */
	unsigned depth;     /* of partials */
	struct buf *text;
	struct err *err;
};

static int render_nodes(
	const struct rendering *rendering, size_t from, size_t to, const struct context *context);

static int render_error(
	const struct rendering *rendering, const struct mustache_node *node, const char *what)
{
	return err_set(rendering->err, -EINVAL, "template %s, line %u: '%.*s' %s",
		rendering->mustache->name, node->line, (int)node->text.size_bytes, node->text.data,
		what);
}

/*
 * The first part of a dotted name is looked for from the top of the stack down; the others only
 * inside what the part before them is.
 */
static const json_t *context_find(const struct context *context, struct mustache_span name)
{
	const char *end = name.data + name.size_bytes;
	const char *dot = memchr(name.data, '.', name.size_bytes);
	const json_t *value = NULL;

	if (name.size_bytes == 1 && dot)
		return context->value;
	for (; context && !value; context = context->below)
		value = json_object_getn(
			context->value, name.data, (size_t)((dot ? dot : end) - name.data));
	while (value && dot) {
		const char *part = dot + 1;

		dot = memchr(part, '.', (size_t)(end - part));
		value = json_object_getn(value, part, (size_t)((dot ? dot : end) - part));
	}
	return value;
}

static bool is_false(const json_t *value)
{
	return !value || json_is_null(value) || json_is_false(value) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static void append_value(const struct rendering *rendering, const struct mustache_node *node,
	const char *text, size_t size_bytes)
{
	if (node->kind == MUSTACHE_VARIABLE && rendering->dialect->escape)
		rendering->dialect->escape(text, size_bytes, rendering->text);
	else
		buf_append(rendering->text, text, size_bytes);
}

static int render_variable(const struct rendering *rendering, const struct mustache_node *node,
	const struct context *context)
{
	const json_t *value = context_find(context, node->text);
	char number[32];

	if (!value || json_is_null(value))
		return 0;
	switch (json_typeof(value)) {
	case JSON_STRING:
		append_value(rendering, node, json_string_value(value), json_string_length(value));
		return 0;
	case JSON_INTEGER:
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(number, sizeof(number), "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(number, sizeof(number), "%s", json_is_true(value) ? "true" : "false");
		break;
	default:
		return render_error(rendering, node, "is an object or a list, not a value");
	}
	append_value(rendering, node, number, strlen(number));
	return 0;
}

static int render_section(
	const struct rendering *rendering, size_t index, const struct context *context)
{
	const struct mustache_node *node = &rendering->mustache->nodes[index];
	const json_t *value = context_find(context, node->text);
	struct context inner = {value, context};
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (is_false(value))
		return 0;
	for (size_t i = 0; i < count; i++) {
		int r;

		if (json_is_array(value))
			inner.value = json_array_get(value, i);
		r = render_nodes(rendering, index + 1, node->children_end, &inner);
		if (r < 0)
			return r;
	}
	return 0;
}

static int render_partial(const struct rendering *rendering, const struct mustache_node *node,
	const struct context *context)
{
	cleanup_free char *name = xmemdup_text(node->text.data, node->text.size_bytes);
	cleanup_free char *indent = NULL;
	struct rendering inner = *rendering;
	int r;

	if (!rendering->dialect->find_partial)
		return 0;
	if (rendering->depth == PARTIAL_DEPTH_MAX)
		return render_error(rendering, node, "nests partials too deeply");
	inner.mustache = NULL;
	r = rendering->dialect->find_partial(
		rendering->dialect->data, name, &inner.mustache, rendering->err);
	if (r < 0)
		return err_wrap(rendering->err, r, "template %s, line %u",
			rendering->mustache->name, node->line);
	if (!inner.mustache)
		return 0;
	/* Within a line only the line itself is indented, not what the partial adds to it. */
	indent = node->standalone ? xformat("%s%.*s", rendering->indent,
					    (int)node->indent.size_bytes, node->indent.data)
				  : xstrdup("");
	inner.indent = indent;
	inner.depth++;
	return render_nodes(&inner, 0, inner.mustache->node_count, context);
}

/* Text with the indentation before each line but empty ones; its first line has it already. */
static void append_indented(const struct rendering *rendering, struct mustache_span text)
{
	const char *at = text.data;
	const char *end = text.data + text.size_bytes;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		buf_append(rendering->text, at, (size_t)(next - at));
		if (next < end && *next != '\n' && *next != '\r')
			buf_append_text(rendering->text, rendering->indent);
		at = next;
	}
}

static void begin_line(const struct rendering *rendering, const struct mustache_node *node)
{
	if (node->kind == MUSTACHE_TEXT &&
		(node->text.data[0] == '\n' || node->text.data[0] == '\r'))
		return;
	buf_append_text(rendering->text, rendering->indent);
}

static int render_node(
	const struct rendering *rendering, size_t index, const struct context *context)
{
	const struct mustache_node *node = &rendering->mustache->nodes[index];

	if (node->begins_line)
		begin_line(rendering, node);
	switch (node->kind) {
	case MUSTACHE_TEXT:
		if (rendering->indent[0])
			append_indented(rendering, node->text);
		else
			buf_append(rendering->text, node->text.data, node->text.size_bytes);
		return 0;
	case MUSTACHE_VARIABLE:
	case MUSTACHE_RAW_VARIABLE:
		return render_variable(rendering, node, context);
	case MUSTACHE_SECTION:
		return render_section(rendering, index, context);
	case MUSTACHE_INVERTED:
		if (!is_false(context_find(context, node->text)))
			return 0;
		return render_nodes(rendering, index + 1, node->children_end, context);
	case MUSTACHE_PARTIAL:
		return render_partial(rendering, node, context);
	}
	return 0;
}

static int render_nodes(
	const struct rendering *rendering, size_t from, size_t to, const struct context *context)
{
	size_t index = from;

	while (index < to) {
		const struct mustache_node *node = &rendering->mustache->nodes[index];
		int r = render_node(rendering, index, context);

		if (r < 0)
			return r;
		/* A small view can ask for an endless text: end where its maximum is. */
		if (buf_error(rendering->text))
			return err_set(rendering->err, buf_error(rendering->text),
				"template %s: the text would be larger than %zu bytes",
				rendering->mustache->name, rendering->text->max_bytes);
		if (node->kind == MUSTACHE_SECTION || node->kind == MUSTACHE_INVERTED)
			index = node->children_end;
		else
			index++;
	}
	return 0;
}

int mustache_render(const struct mustache *mustache, const json_t *view,
	const struct mustache_dialect *dialect, struct buf *ret_text, struct err *err)
{
	struct context context = {view, NULL};
	struct rendering rendering = {.mustache = mustache,
		.dialect = dialect,
		.indent = "",
		.text = ret_text,
		.err = err};

	return render_nodes(&rendering, 0, mustache->node_count, &context);
}
