/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/condition.h"
#include "captured_log.h"

static void the_log_hears_of_changes_only(void **state)
{
	struct condition condition = {0};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	condition_clear(&condition, "well again");
	condition_raise(&condition, -EIO, "broken, %d", 1);
	condition_raise(&condition, -EIO, "broken, %d", 2);
	condition_raise(&condition, -ENOENT, "gone");
	condition_raise(&condition, -ENOENT, "gone");
	condition_clear(&condition, "well again");
	condition_clear(&condition, "well again");
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_string_equal(log.text, "<4>broken, 1\n<4>gone\n<6>well again\n");
}

static void the_text_is_the_present_one(void **state)
{
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct condition first = {0};
	struct condition second = {0};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	condition_describe(&first, &problems);
	assert_string_equal(buf_text(&problems), "");
	condition_raise(&first, -EIO, "broken, %d", 1);
	condition_raise(&first, -EIO, "broken, %d", 2);
	condition_raise(&second, 1, "late");
	condition_describe(&first, &problems);
	condition_describe(&second, &problems);
	condition_deinit(&first);
	condition_clear(&second, "in time");
	condition_describe(&second, &problems);
	captured_log_stop(&log);
	assert_string_equal(buf_text(&problems), "broken, 2; late");
}

static void what_may_be_a_change_on_its_way_is_said_when_it_lasts(void **state)
{
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct condition condition = {0};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	condition_suspect(&condition, -ESRCH, "not yet");
	condition_describe(&condition, &problems);
	condition_clear(&condition, "now");
	condition_suspect(&condition, -ESRCH, "not yet");
	condition_suspect(&condition, -EIO, "broken");
	condition_suspect(&condition, -EIO, "still broken");
	condition_suspect(&condition, -EIO, "still broken");
	condition_clear(&condition, "well again");
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_string_equal(log.text, "<4>still broken\n<6>well again\n");
	assert_string_equal(buf_text(&problems), "not yet");
}

static void what_the_log_has_heard_of_is_over_whatever_was_suspected_since(void **state)
{
	struct condition condition = {0};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	condition_suspect(&condition, -ESRCH, "gone");
	condition_suspect(&condition, -ESRCH, "gone");
	condition_suspect(&condition, -EIO, "broken");
	condition_suspect(&condition, -ESRCH, "gone");
	condition_suspect(&condition, -EIO, "broken");
	condition_clear(&condition, "well again");
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_string_equal(log.text, "<4>gone\n<6>well again\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_hears_of_changes_only),
		cmocka_unit_test(the_text_is_the_present_one),
		cmocka_unit_test(what_may_be_a_change_on_its_way_is_said_when_it_lasts),
		cmocka_unit_test(what_the_log_has_heard_of_is_over_whatever_was_suspected_since),
	};

	return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
