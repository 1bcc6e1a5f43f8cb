/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/running.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lvs/site.h"
#include "temporary_folder.h"

static const struct id listener = {.text = "listener"};

static int setup(void **state)
{
	cleanup_free char *folder = NULL;

	if (temporary_folder_setup(state) < 0)
		return -1;
	folder = in_temporary_folder("lvs");
	return directory_make(folder, 0755, NULL);
}

static bool has(const char *text)
{
	return lvs_running_has(temporary_folder, &listener, text, strlen(text));
}

static void store(const char *text)
{
	assert_int_equal(
		lvs_running_store(temporary_folder, &listener, text, strlen(text), NULL), 0);
}

static void nothing_was_taken_up_at_first(void **state)
{
	(void)state;
	assert_false(has("config"));
	assert_false(has(""));
}

static void what_was_recorded_and_nothing_else_was_taken_up(void **state)
{
	(void)state;
	store("config");
	assert_true(has("config"));
	assert_false(has("config\n"));
	store("other");
	assert_true(has("other"));
	assert_false(has("config"));
}

static void what_was_forgotten_was_not_taken_up(void **state)
{
	(void)state;
	store("config");
	assert_int_equal(lvs_running_forget(temporary_folder, &listener, NULL), 0);
	assert_false(has("config"));
	assert_int_equal(lvs_running_forget(temporary_folder, &listener, NULL), 0);
}

static void a_record_that_holds_anything_else_says_nothing(void **state)
{
	(void)state;
	temporary_file("lvs/octavia-keepalivedlvs-listener.running", "");
	assert_false(has("config"));
	temporary_file("lvs/octavia-keepalivedlvs-listener.running",
		"2245023265ae4cf87d02c8b6ba9931390123456789");
	assert_false(has("config"));
}

static void everybody_may_read_it(void **state)
{
	cleanup_free char *path = lvs_path(temporary_folder, &listener, LVS_FILE_RUNNING);
	struct stat status;

	(void)state;
	store("config");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			nothing_was_taken_up_at_first, setup, temporary_folder_teardown),
		cmocka_unit_test_setup_teardown(what_was_recorded_and_nothing_else_was_taken_up,
			setup, temporary_folder_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_forgotten_was_not_taken_up, setup, temporary_folder_teardown),
		cmocka_unit_test_setup_teardown(a_record_that_holds_anything_else_says_nothing,
			setup, temporary_folder_teardown),
		cmocka_unit_test_setup_teardown(
			everybody_may_read_it, setup, temporary_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
