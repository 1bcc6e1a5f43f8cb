/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files as oslo.config reads them (amphora-api.md, "Configuration file"). Sections
 * and keys with the place that they stand at; what they mean is conf/settings.c's business.
 * Opaque; the maker frees it. Used by the agent, the sender and the Prometheus
 * proxy.
 *
 *	[section]            names are compared in lower case, but DEFAULT, as oslo does
 *	key = value          or "key: value": the first of '=' and ':' counts
 *	    continued        a line that starts with a blank goes on with the value, behind a
 *	                     newline; it must follow the key or such a line directly
 *	# comment            or ';', in the first column only: elsewhere both are data, behind a
 *	                     blank (in an indented line) too
 *
 * Lines end with LF, CRLF or CR. Blanks around names and values are dropped, then one pair of equal
 * quotes around the value's first line. "$$" and "\$" become "$". Text without its section or its
 * separator, an empty name, NUL and what is not UTF-8 are errors; a line may be as long as the
 * file.
 *
 * oslo.config replaces "$name" and "${name}" by the value of that option, and fails to read a value
 * that names an unknown one. Here it stays as it is: the values that may hold a '$' by right (keys,
 * paths) come from the controller, which has done its own replacing before it wrote them, so that
 * replacing a second time would only damage them. The entry says has_reference, for a warning.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { INI_FILE_MAX_BYTES = 1024 * 1024, INI_ENTRIES_MAX = 10000 };

struct ini;

struct ini_entry {
	char *section; /* lower case, or "DEFAULT" */
	char *key;
	char *value;
	const char *file; /* the name that it was read under, for messages */
	unsigned line;    /* of the key, counted from 1 */
	bool has_reference;
};

struct ini *ini_new(void);
/* Wipes the values: some are secrets. Accepts NULL. */
void ini_free(struct ini *ini);

/*
 * Adds what a text says; file names it in entries and messages. -EINVAL with "FILE:LINE: what is
 * wrong", which never quotes the line: it may hold a secret. -EMSGSIZE: larger than
 * INI_FILE_MAX_BYTES, or more than INI_ENTRIES_MAX keys in all. After a failure the ini holds a
 * part of the text and is good for ini_free() only.
 */
int ini_parse(
	struct ini *ini, const char *file, const char *text, size_t size_bytes, struct err *err);
/* The same for a file; the errors of file_read() (base/file.h) as well. */
int ini_read(struct ini *ini, const char *path, struct err *err);

/*
 * The value that counts: the last one added under that section and key, wherever its section was
 * repeated. NULL: there is none. Lives as long as ini.
 */
const struct ini_entry *ini_find(const struct ini *ini, const char *section, const char *key);

/* Every entry in the order of reading, for who wants to see what nobody asked for. */
size_t ini_count(const struct ini *ini);
const struct ini_entry *ini_entry_at(const struct ini *ini, size_t index);
