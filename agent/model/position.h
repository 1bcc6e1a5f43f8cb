/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in a JSON text the values stand that faults point at, for a person with the file in an
 * editor. Used by amphoractl.
 */
#pragma once

#include <stddef.h>

struct position {
	unsigned line, column; /* from 1; a column is a character */
};

/*
 * For each of the JSON pointers, which may be absent keys, where its value begins, or else the
 * innermost value around it that is there. One pass over the text, however many they are. In a text
 * that is no JSON only what stands before the mistake is there; the whole text always is.
 */
void positions_find(const char *text, size_t size_bytes, const char *const pointers[], size_t count,
	struct position ret_positions[]);
