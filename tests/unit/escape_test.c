/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "render/escape.h"

static void assert_escaped(const char *text, const char *expected)
{
	cleanup_buf struct buf result = BUF_INIT(KIB);

	escape_haproxy(text, strlen(text), &result);
	assert_string_equal(buf_text(&result), expected);
}

/*
 * What HAProxy makes of a word (its manual, 2.2), bare or between double quotes: false when the
 * text would end there, or hold a variable.
 */
static bool haproxy_reads(const char *text, bool between_quotes, struct buf *ret_word)
{
	unsigned byte;

	for (; *text; text++) {
		if (*text == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
			buf_append_char(ret_word, (char)byte);
			text += 3;
		} else if (*text == '\\' && strchr("\\ #'\"", text[1])) {
			buf_append_char(ret_word, *++text);
		} else if (*text == '"' || (between_quotes && *text == '$') ||
			   (!between_quotes && strchr(" '#\t\r\n\v\f", *text))) {
			return false;
		} else {
			buf_append_char(ret_word, *text);
		}
	}
	return true;
}

static void assert_argument(const char *text, const char *expected)
{
	cleanup_buf struct buf result = BUF_INIT(KIB);

	escape_sample_argument(text, strlen(text), &result);
	assert_string_equal(buf_text(&result), expected);
}

static void plain_arguments_stay_as_they_are(void **state)
{
	(void)state;
	assert_argument("", "");
	assert_argument("X-Forwarded-For", "X-Forwarded-For");
	assert_argument("!#$%&*+-.^_`|~", "!#$%&*+-.^_`|~");
}

static void what_ends_an_argument_is_quoted(void **state)
{
	(void)state;
	assert_argument("a,b", "\"a,b\"");
	assert_argument("a)", "\"a)\"");
	assert_argument("it's", "\"it's\"");
	assert_argument("a b", "\"a b\"");
	assert_argument("\\\"", "\"\\\\\\\"\"");
}

static void plain_words_stay_as_they_are(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("/healthz?a=1&b=%20;[x]{y}|z<>`!*()~^@:,.",
		"/healthz?a=1&b=%20;[x]{y}|z<>`!*()~^@:,.");
	assert_escaped("\xc3\xa4\xff", "\xc3\xa4\xff");
}

static void what_means_something_to_haproxy_is_escaped(void **state)
{
	(void)state;
	assert_escaped("a b", "a\\ b");
	assert_escaped("\\", "\\\\");
	assert_escaped("\"'#", "\\\"\\'\\#");
	assert_escaped("${HOME}", "\\x24{HOME}");
	assert_escaped("a\r\n\tb\x7f", "a\\x0d\\x0a\\x09b\\x7f");
}

static void every_byte_comes_back_in_both_places(void **state)
{
	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		/* Before 'x41' a lost backslash would make an escape of its own. */
		const char text[] = {(char)byte, 'x', '4', '1', (char)byte, '\0'};
		cleanup_buf struct buf escaped = BUF_INIT(KIB);

		escape_haproxy(text, strlen(text), &escaped);
		for (int quotes = 0; quotes <= 1; quotes++) {
			cleanup_buf struct buf word = BUF_INIT(KIB);

			assert_true(haproxy_reads(buf_text(&escaped), quotes, &word));
			assert_string_equal(buf_text(&word), text);
		}
	}
}

static void a_nul_does_not_end_the_text_behind_it(void **state)
{
	cleanup_buf struct buf result = BUF_INIT(KIB);

	(void)state;
	escape_haproxy("a\0b", 3, &result);
	assert_string_equal(buf_text(&result), "a\\x00b");
}

static void a_log_formats_variables_are_not_begun(void **state)
{
	cleanup_buf struct buf result = BUF_INIT(KIB);

	(void)state;
	escape_log_format("50%[src] %%", 11, &result);
	assert_string_equal(buf_text(&result), "50%%[src] %%%%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_words_stay_as_they_are),
		cmocka_unit_test(plain_arguments_stay_as_they_are),
		cmocka_unit_test(what_ends_an_argument_is_quoted),
		cmocka_unit_test(what_means_something_to_haproxy_is_escaped),
		cmocka_unit_test(every_byte_comes_back_in_both_places),
		cmocka_unit_test(a_nul_does_not_end_the_text_behind_it),
		cmocka_unit_test(a_log_formats_variables_are_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
