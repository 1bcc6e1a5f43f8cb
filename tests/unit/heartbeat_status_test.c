/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "heartbeat/status.h"
#include "temporary_folder.h"

static void a_status_reads_back_as_json(void **state)
{
	cleanup_free char *path = in_temporary_folder("status.json");
	struct status status = {.updated_at = 1700000010,
		.sent_at = 1700000000,
		.target = xstrdup("10.0.0.3:5555"),
		.bytes = 412,
		.seq = 7,
		.listeners = 1,
		.members = 2};
	long long updated_at, sent_at, bytes, seq, listeners, members;
	const char *target;
	const char *problem;
	json_t *root;

	(void)state;
	assert_int_equal(status_store(&status, "it \"rains\"", path, NULL), 0);
	root = json_load_file(path, 0, NULL);
	assert_int_equal(
		json_unpack(root, "{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:s !}", "updated_at",
			&updated_at, "sent_at", &sent_at, "target", &target, "bytes", &bytes, "seq",
			&seq, "listeners", &listeners, "members", &members, "problem", &problem),
		0);
	assert_int_equal(updated_at, 1700000010);
	assert_int_equal(sent_at, 1700000000);
	assert_string_equal(target, "10.0.0.3:5555");
	assert_int_equal(bytes, 412);
	assert_int_equal(seq, 7);
	assert_int_equal(listeners, 1);
	assert_int_equal(members, 2);
	assert_string_equal(problem, "it \"rains\"");
	json_decref(root);
	status_deinit(&status);
}

static void before_the_first_heartbeat_what_was_sent_is_null(void **state)
{
	cleanup_free char *path = in_temporary_folder("status.json");
	struct status status = {.updated_at = 1};
	json_t *root;

	(void)state;
	assert_int_equal(status_store(&status, "", path, NULL), 0);
	root = json_load_file(path, 0, NULL);
	assert_int_equal(json_object_size(root), 8);
	assert_true(json_is_null(json_object_get(root, "sent_at")));
	assert_true(json_is_null(json_object_get(root, "target")));
	assert_true(json_is_null(json_object_get(root, "members")));
	json_decref(root);
	status_deinit(&status);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
	struct status status = {.updated_at = 1};

	(void)state;
	assert_int_equal(
		status_store(&status, "", "/nonexistent/heartbeat/status.json", NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_status_reads_back_as_json),
		with_temporary_folder(before_the_first_heartbeat_what_was_sent_is_null),
		cmocka_unit_test(a_folder_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
