/* SPDX-License-Identifier: Apache-2.0 */
#include "model/regular_expression.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Behind the ']' of the class that begins at text; NULL: it has none. */
static const char *skip_class(const char *text)
{
	text += text[1] == '^' ? 2 : 1;
	if (*text == ']') /* the first one is a member */
		text++;
	for (; *text && *text != ']'; text++) {
		const char *end;

		if (*text == '\\' && text[1])
			text++;
		else if (text[0] == '[' && text[1] == ':' && (end = strstr(text + 2, ":]")))
			text = end + 1;
	}
	return *text ? text + 1 : NULL;
}

/* Whether an expression, group or alternative that begins at text begins with a repetition. */
static bool repeats_nothing(const char *text, bool in_group)
{
	/* "(?" and "(*" are groups of special kinds. */
	return *text && strchr(in_group ? "+" : "*+?", *text);
}

const char *regular_expression_fault(const char *text)
{
	static const char repetition[] = "has a '*', '+' or '?' with nothing to repeat";
	size_t open = 0;

	/* What is quoted, a comment or behind \c may be anything. */
	if (strstr(text, "\\Q") || strstr(text, "\\c") || (strstr(text, "(?") && strchr(text, '#')))
		return NULL;
	if (repeats_nothing(text, false))
		return repetition;
	while (text && *text) {
		if (*text == '\\' && !text[1])
			return "ends in a '\\' with nothing to escape";
		if (*text == ')' && open == 0)
			return "closes a group that was not opened: write \\) for the character";
		if ((*text == '(' || *text == '|') && repeats_nothing(text + 1, *text == '('))
			return repetition;
		open += *text == '(';
		open -= *text == ')';
		if (*text == '[')
			text = skip_class(text);
		else
			text += *text == '\\' ? 2 : 1;
	}
	if (!text)
		return "has a '[' without its ']'";
	return open > 0 ? "has a '(' without its ')'" : NULL;
}
