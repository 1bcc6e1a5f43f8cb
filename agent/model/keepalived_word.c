/* SPDX-License-Identifier: Apache-2.0 */
#include "model/keepalived_word.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool begins_definition(const char *text, size_t size_bytes)
{
	return size_bytes > 1 && text[0] == '$' &&
	       (isalpha((unsigned char)text[1]) || text[1] == '_' || text[1] == '{');
}

/* Of a run of backslashes, each second one is taken by the one before it. */
static bool hides_closing_quote(const char *text, size_t size_bytes)
{
	size_t run = 0;

	while (run < size_bytes && text[size_bytes - 1 - run] == '\\')
		run++;
	return run % 2 == 1;
}

/* Which of the two a process reads that skips a block, be they quoted or not. */
static bool is_brace(const char *text, size_t size_bytes)
{
	return size_bytes == 1 && (text[0] == '{' || text[0] == '}');
}

size_t keepalived_word_check(const char *text, size_t size_bytes)
{
	if (is_brace(text, size_bytes))
		return 0;
	for (size_t i = 0; i < size_bytes; i++)
		if (i == KEEPALIVED_WORD_MAX_BYTES || text[i] == '"' || text[i] == '\n' ||
			text[i] == '\0' || begins_definition(text + i, size_bytes - i))
			return i;
	return hides_closing_quote(text, size_bytes) ? size_bytes - 1 : size_bytes;
}

const char *keepalived_word_fault(const char *text)
{
	size_t size_bytes = strlen(text);
	size_t at = keepalived_word_check(text, size_bytes);

	if (at == size_bytes)
		return NULL;
	if (at == KEEPALIVED_WORD_MAX_BYTES)
		return "is longer than the 900 bytes that fit on a line of keepalived's";
	switch (text[at]) {
	case '"':
		return "must not hold '\"', for which keepalived has no escape";
	case '$':
		return "must not hold a '$' before a letter, '_' or '{': keepalived would read a "
		       "definition";
	case '{':
	case '}':
		return "must not be a brace alone, which keepalived takes for that of a block";
	case '\\':
		return "must not end in a backslash, for which keepalived has no escape";
	default:
		return "must not hold a newline";
	}
}
