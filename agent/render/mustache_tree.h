/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Mustache template is once compiled: its nodes in the order of the text, a section's
 * children right behind it. Private to mustache_compile.c and mustache_render.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum mustache_kind {
	MUSTACHE_TEXT,
	MUSTACHE_VARIABLE,     /* {{name}} */
	MUSTACHE_RAW_VARIABLE, /* {{{name}}}, {{&name}} */
	MUSTACHE_SECTION,      /* {{#name}} */
	MUSTACHE_INVERTED,     /* {{^name}} */
	MUSTACHE_PARTIAL,      /* {{>name}} */
};

/* Bytes of the template's text. */
struct mustache_span {
	const char *data;
	size_t size_bytes;
};

struct mustache_node {
	enum mustache_kind kind;
	struct mustache_span text; /* of MUSTACHE_TEXT; else the name in the tag */
	/* The node is the first on its line: inside an indented partial the indentation goes
	 * before it. */
	bool begins_line;
	unsigned line;
	size_t children_end;         /* sections: the index behind their last child */
	bool standalone;             /* partials: alone on its line, so that ... */
	struct mustache_span indent; /* ... what stands before it indents every line of it */
};

struct mustache {
	char *name;
	char *text;
	struct mustache_node *nodes;
	size_t node_count;
	size_t node_capacity;
};
