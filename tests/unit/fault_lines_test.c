/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/fault_lines.h"

static const struct place whole = {0};

static void assert_lines(const struct faults *faults, const char *text, const char *expected)
{
	cleanup_buf struct buf lines = BUF_INIT(FAULT_LINES_MAX);

	fault_lines_append(faults, "m.json", text, strlen(text), &lines);
	assert_int_equal(buf_error(&lines), 0);
	assert_string_equal(buf_text(&lines), expected);
}

static void errors_and_warnings_stand_in_the_order_of_the_text(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, "c", "third");
	faults_add(&faults, &whole, "a", "first");
	faults_warn(&faults, &whole, "b", "second");
	faults_warn(&faults, &whole, "a", "first as well");
	assert_lines(&faults, "{\"a\": 1, \"b\": 2,\n\"c\": 3}",
		"m.json:1:7: error: /a: first\n"
		"m.json:1:7: warning: /a: first as well\n"
		"m.json:1:15: warning: /b: second\n"
		"m.json:2:6: error: /c: third\n");
}

static void the_whole_model_is_called_so(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, NULL, "must be an object");
	assert_lines(&faults, "\n 1", "m.json:2:2: error: the model must be an object\n");
}

static void a_mistake_in_the_syntax_has_its_own_place(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, NULL, "is not JSON");
	faults.errors.items[0].line = 3;
	assert_lines(&faults, "{\n\n\n", "m.json:3:1: error: the model is not JSON\n");
}

static void no_control_character_is_printed(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, "\x1b[2J\n\xc2\x9b", "\x7f ä");
	assert_lines(&faults, "{}", "m.json:1:1: error: /?[2J??: ? ä\n");
}

static void what_is_left_out_is_counted(void **state)
{
	cleanup_faults struct faults faults = {0};
	cleanup_buf struct buf lines = BUF_INIT(FAULT_LINES_MAX);

	(void)state;
	for (size_t i = 0; i < FAULTS_MAX + 7; i++) {
		faults_add(&faults, &whole, "x", "wrong");
		faults_warn(&faults, &whole, "x", "odd");
	}
	fault_lines_append(&faults, "m.json", "{}", 2, &lines);
	assert_non_null(strstr(buf_text(&lines), "\nm.json: 14 more are not shown\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_and_warnings_stand_in_the_order_of_the_text),
		cmocka_unit_test(the_whole_model_is_called_so),
		cmocka_unit_test(a_mistake_in_the_syntax_has_its_own_place),
		cmocka_unit_test(no_control_character_is_printed),
		cmocka_unit_test(what_is_left_out_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
