/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/log_limit.h"

enum { NOW_MS = 1000 };

static void admit_all_of_a_window(struct log_limit *limit, int64_t now_ms)
{
	for (int i = 0; i < LOG_LIMIT_LINES; i++)
		assert_true(log_limit_admit(limit, now_ms));
}

static void the_first_lines_of_a_window_are_written_and_the_rest_is_not(void **state)
{
	struct log_limit limit = {0};

	(void)state;
	admit_all_of_a_window(&limit, NOW_MS);
	assert_false(log_limit_admit(&limit, NOW_MS));
	assert_false(log_limit_admit(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS - 1));
}

static void a_new_window_begins_after_a_minute(void **state)
{
	struct log_limit limit = {0};

	(void)state;
	admit_all_of_a_window(&limit, NOW_MS);
	admit_all_of_a_window(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS);
	assert_false(log_limit_admit(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS));
}

static void what_was_suppressed_is_told_once_when_the_window_is_over(void **state)
{
	struct log_limit limit = {0};

	(void)state;
	admit_all_of_a_window(&limit, NOW_MS);
	log_limit_admit(&limit, NOW_MS);
	log_limit_admit(&limit, NOW_MS);
	assert_int_equal(log_limit_due_ms(&limit), NOW_MS + LOG_LIMIT_WINDOW_MS);
	assert_int_equal(log_limit_take_suppressed(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS - 1), 0);
	assert_int_equal(log_limit_take_suppressed(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS), 2);
	assert_int_equal(log_limit_take_suppressed(&limit, NOW_MS + LOG_LIMIT_WINDOW_MS), 0);
}

static void nothing_is_due_while_nothing_was_suppressed(void **state)
{
	struct log_limit limit = {0};

	(void)state;
	assert_int_equal(log_limit_due_ms(&limit), INT64_MAX);
	admit_all_of_a_window(&limit, NOW_MS);
	assert_int_equal(log_limit_due_ms(&limit), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_lines_of_a_window_are_written_and_the_rest_is_not),
		cmocka_unit_test(a_new_window_begins_after_a_minute),
		cmocka_unit_test(what_was_suppressed_is_told_once_when_the_window_is_over),
		cmocka_unit_test(nothing_is_due_while_nothing_was_suppressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
