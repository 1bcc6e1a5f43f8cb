/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings compared and numbers parsed: whole or not at all. Used by every program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_equal(const char *a, const char *b);
bool text_equal_nocase(const char *a, const char *b);
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/*
 * A decimal number and nothing else: no sign, no space, no leading '+'. 0, or -EINVAL when the
 * text is no number, -ERANGE when it is outside min..max; *ret_value is untouched on failure.
 */
int text_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
/* The same for the size_bytes bytes at data, which need no NUL. */
int text_parse_u64_span(
	const char *data, size_t size_bytes, uint64_t min, uint64_t max, uint64_t *ret_value);

/* Whether the bytes are valid UTF-8 without NUL. */
bool text_is_utf8(const char *data, size_t size_bytes);
/* Puts '?' in place of every byte that is no part of valid UTF-8, as JSON wants it. */
void text_repair_utf8(char *text);

/* The part of text without blanks (space, tab, CR, LF) at both ends; points into text. */
const char *text_trim(const char *text, size_t size_bytes, size_t *ret_size_bytes);
