/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/regular_expression.h"

static void what_pcre_takes_is_taken(void **state)
{
	static const char *const expressions[] = {"", "a", "^/(a|b)+$", "\\(", "\\)", "\\\\",
		"[)(]", "[]]", "[^]]", "[]()]", "[\\]]", "[[:alpha:]]", "[^[:space:])]", "[[]",
		"(?i)x", "(?:a(?=b))", "(?<name>a)", "a]", "\\[", "\\Q(\\E", "(?#()", "(?x)a # (",
		"a{2,3}?", "\\c(", "^*", "a*+", "(?|a)", "(*ACCEPT)", "\\|*", "[|]*", "()*",
		"\\(+"};

	(void)state;
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		assert_null(regular_expression_fault(expressions[i]));
}

static void what_no_pcre_takes_is_said(void **state)
{
	static const struct {
		const char *text;
		const char *fault;
	} cases[] = {
		{"a\\", "ends in a '\\' with nothing to escape"},
		{"\\\\\\", "ends in a '\\' with nothing to escape"},
		{")", "closes a group that was not opened: write \\) for the character"},
		{"(a))", "closes a group that was not opened: write \\) for the character"},
		{"(", "has a '(' without its ')'"},
		{"((a)", "has a '(' without its ')'"},
		{"(\\)", "has a '(' without its ')'"},
		{"([)]", "has a '(' without its ')'"},
		{"*.example.com", "has a '*', '+' or '?' with nothing to repeat"},
		{"a|?b", "has a '*', '+' or '?' with nothing to repeat"},
		{"(+a)", "has a '*', '+' or '?' with nothing to repeat"},
		{"[", "has a '[' without its ']'"},
		{"[]", "has a '[' without its ']'"},
		{"[^]", "has a '[' without its ']'"},
		{"[^", "has a '[' without its ']'"},
		{"[a\\", "has a '[' without its ']'"},
		{"[a\\]", "has a '[' without its ']'"},
		{"[[:alpha:]", "has a '[' without its ']'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(regular_expression_fault(cases[i].text), cases[i].fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_pcre_takes_is_taken),
		cmocka_unit_test(what_no_pcre_takes_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
