/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A haproxy.cfg line by line, cut into words as HAProxy does (configuration.txt, 2.2 "Quoting and
 * escaping"): what haproxy/config.h, server.h, upload.h and runtime.h read with. Pure; any bytes
 * will do. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* HAProxy refuses a line with more (MAX_LINE_ARGS); what lies behind them is not seen. */
enum { HAPROXY_LINE_WORDS_MAX = 64 };

/* A line that is neither empty nor only a comment. Texts live until the next line is read. */
struct haproxy_line {
	const char *text; /* as written, without the newline; not NUL-terminated */
	size_t size_bytes;
	unsigned number;          /* from 1 */
	const char *section;      /* its keyword: "global", "backend"; "" before the first */
	const char *section_name; /* "" if it has none */
	bool opens_section;       /* this is the line with the section's keyword */
	bool plain;               /* without quotes and backslashes: words are as written */
	size_t word_count;        /* at least 1 */
	const char *words[HAPROXY_LINE_WORDS_MAX]; /* unquoted; "" behind the last */
};

struct haproxy_lines {
	const char *next;
	const char *end;
	struct buf words;
	struct buf section;
	struct buf section_name;
	unsigned number;
};

/* text stays the caller's and must outlive the reading. */
void haproxy_lines_init(struct haproxy_lines *lines, const char *text, size_t size_bytes);
void haproxy_lines_deinit(struct haproxy_lines *lines);
#define cleanup_haproxy_lines CLEANUP(haproxy_lines_deinit)

/* false: no more lines. */
bool haproxy_lines_next(struct haproxy_lines *lines, struct haproxy_line *ret_line);

/* Whether the line says keyword, and second behind it unless that is NULL. */
bool haproxy_line_is(const struct haproxy_line *line, const char *keyword, const char *second);
