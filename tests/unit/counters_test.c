/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "heartbeat/counters.h"
#include "temporary_folder.h"

DEFINE_CLEANUP(struct counters *, counters_free);
#define cleanup_counters CLEANUP(cleanup_counters_free)

/* An observation of one listener. */
struct one {
	struct observed_listener listener;
	struct observation observation;
};

static const struct observation *see(struct one *one, const char *id, uint64_t bytes_in,
	uint64_t bytes_out, uint64_t errors, uint64_t sessions)
{
	one->listener = (struct observed_listener){
		.id = id,
		.status = "OPEN",
		.total = {.bytes_in = bytes_in,
			.bytes_out = bytes_out,
			.errors_request = errors,
			.sessions_total = sessions},
	};
	one->observation = (struct observation){.listeners = &one->listener, .listener_count = 1};
	return &one->observation;
}

static void assert_difference(const struct counters *counters,
	const struct observation *observation, uint64_t bytes_in, uint64_t bytes_out,
	uint64_t errors, uint64_t sessions)
{
	cleanup_free struct traffic *differences = counters_differences(counters, observation);

	assert_int_equal(differences[0].bytes_in, bytes_in);
	assert_int_equal(differences[0].bytes_out, bytes_out);
	assert_int_equal(differences[0].errors_request, errors);
	assert_int_equal(differences[0].sessions_total, sessions);
}

static void a_new_listener_counts_from_nothing(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	assert_difference(counters, see(&one, "L", 10, 20, 1, 2), 10, 20, 1, 2);
}

static void differences_are_pending_until_committed(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	assert_difference(counters, see(&one, "L", 10, 20, 1, 2), 10, 20, 1, 2);
	assert_difference(counters, see(&one, "L", 15, 21, 1, 3), 15, 21, 1, 3);
	counters_commit(counters, &one.observation);
	assert_difference(counters, &one.observation, 0, 0, 0, 0);
	assert_difference(counters, see(&one, "L", 16, 30, 2, 3), 1, 9, 1, 0);
}

/* Each of the four alone tells that HAProxy was started anew: then the others are new as well. */
static void a_counter_that_went_down_makes_all_of_its_listener_new(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	counters_commit(counters, see(&one, "L", 100, 100, 100, 100));
	assert_difference(counters, see(&one, "L", 99, 150, 150, 150), 99, 150, 150, 150);
	assert_difference(counters, see(&one, "L", 150, 99, 150, 150), 150, 99, 150, 150);
	assert_difference(counters, see(&one, "L", 150, 150, 99, 150), 150, 150, 99, 150);
	assert_difference(counters, see(&one, "L", 150, 150, 150, 0), 150, 150, 150, 0);
	assert_difference(counters, see(&one, "L", 150, 100, 100, 100), 50, 0, 0, 0);
}

static void a_deleted_listener_is_forgotten(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	counters_commit(counters, see(&one, "L1", 100, 0, 0, 0));
	counters_commit(counters, see(&one, "L2", 100, 0, 0, 0));
	assert_difference(counters, see(&one, "L1", 120, 0, 0, 0), 120, 0, 0, 0);
}

static void a_listener_that_was_unreadable_keeps_its_last_values(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	counters_commit(counters, see(&one, "L1", 100, 0, 0, 0));
	see(&one, "L0", 5, 0, 0, 0);
	one.observation.is_partial = true;
	counters_commit(counters, &one.observation);
	assert_difference(counters, see(&one, "L1", 120, 0, 0, 0), 20, 0, 0, 0);
	assert_difference(counters, see(&one, "L0", 5, 0, 0, 0), 0, 0, 0, 0);
}

static void a_listener_that_nobody_could_count_keeps_its_last_values(void **state)
{
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	see(&one, "L", 0, 0, 0, 0);
	one.listener.is_uncounted = true;
	assert_difference(counters, &one.observation, 0, 0, 0, 0);
	counters_commit(counters, &one.observation);
	counters_commit(counters, see(&one, "L", 10, 20, 1, 2));
	see(&one, "L", 0, 0, 0, 0);
	one.listener.is_uncounted = true;
	assert_difference(counters, &one.observation, 0, 0, 0, 0);
	counters_commit(counters, &one.observation);
	assert_difference(counters, see(&one, "L", 11, 22, 1, 3), 1, 2, 0, 1);
}

static void what_is_carried_counts_now_and_is_not_stored(void **state)
{
	cleanup_free char *path = in_temporary_folder("counters");
	cleanup_counters struct counters *counters = counters_new();
	cleanup_counters struct counters *next_run = counters_new();
	struct one one;

	(void)state;
	see(&one, "L", 100, 200, 0, 10);
	one.listener.carried =
		(struct traffic){.bytes_in = 60, .bytes_out = 120, .sessions_total = 6};
	assert_difference(counters, &one.observation, 100, 200, 0, 10);
	counters_commit(counters, &one.observation);
	assert_difference(counters, &one.observation, 0, 0, 0, 0);
	assert_int_equal(counters_store(counters, path, NULL), 0);
	assert_int_equal(counters_load(next_run, path, NULL), 0);
	assert_difference(next_run, see(&one, "L", 41, 82, 0, 5), 1, 2, 0, 1);
}

static void many_listeners_are_told_apart(void **state)
{
	enum { COUNT = 500 };
	cleanup_counters struct counters *counters = counters_new();
	cleanup_free struct traffic *differences = NULL;
	static struct observed_listener listeners[COUNT];
	static char ids[COUNT][16];
	struct observation observation = {.listeners = listeners, .listener_count = COUNT};

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(ids[i], sizeof(ids[i]), "L%u", i * 7919 % COUNT);
		listeners[i] = (struct observed_listener){.id = ids[i], .total.bytes_in = i};
	}
	counters_commit(counters, &observation);
	counters_commit(counters, &observation);
	for (unsigned i = 0; i < COUNT; i++)
		listeners[i].total.bytes_in += i;
	differences = counters_differences(counters, &observation);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(differences[i].bytes_in, i);
}

static void stored_counters_load_as_they_were(void **state)
{
	cleanup_free char *path = in_temporary_folder("counters.json");
	cleanup_counters struct counters *before = counters_new();
	cleanup_counters struct counters *after = counters_new();
	struct one one;

	(void)state;
	see(&one, "odd \"name\"\\\n", INT64_MAX, 2, 3, 4);
	counters_commit(before, &one.observation);
	see(&one, "L", 1, 2, 3, 4);
	one.observation.is_partial = true;
	counters_commit(before, &one.observation);
	assert_int_equal(counters_store(before, path, NULL), 0);
	assert_int_equal(counters_load(after, path, NULL), 0);
	assert_difference(after, see(&one, "odd \"name\"\\\n", INT64_MAX, 3, 3, 4), 0, 1, 0, 0);
	assert_difference(after, see(&one, "L", 2, 2, 3, 4), 1, 0, 0, 0);
}

static void no_counters_are_stored_as_an_empty_object(void **state)
{
	cleanup_free char *path = in_temporary_folder("counters.json");
	cleanup_counters struct counters *counters = counters_new();
	cleanup_buf struct buf text = BUF_INIT(KIB);

	(void)state;
	assert_int_equal(counters_store(counters, path, NULL), 0);
	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "{}\n");
	assert_int_equal(counters_load(counters, path, NULL), 0);
}

static void the_references_file_is_understood(void **state)
{
	static const char text[] =
		"{\"L\": {\"bin\": 100, \"bout\": 200, \"ereq\": 0, \"stot\": 7}, \"M\": {}}";
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	assert_int_equal(counters_parse(counters, text, sizeof(text) - 1, NULL), 0);
	assert_difference(counters, see(&one, "L", 101, 200, 0, 8), 1, 0, 0, 1);
	assert_difference(counters, see(&one, "M", 1, 1, 1, 1), 1, 1, 1, 1);
}

static void a_text_that_is_no_counters_changes_nothing(void **state)
{
	static const char *const texts[] = {"", "[]", "{\"L\": 1}", "{\"L\": {\"bin\": -1}}",
		"{\"L\": {\"bin\": \"1\"}}", "{\"L\": {\"bin\": 1}", "{\"L\":{},\"L\":{}}"};
	cleanup_counters struct counters *counters = counters_new();
	struct one one;

	(void)state;
	counters_commit(counters, see(&one, "L", 10, 0, 0, 0));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_NONE;

		assert_int_equal(
			counters_parse(counters, texts[i], strlen(texts[i]), &err), -EINVAL);
		assert_true(strlen(err.text) > 0);
	}
	assert_difference(counters, see(&one, "L", 11, 0, 0, 0), 1, 0, 0, 0);
}

static void a_missing_file_is_told_from_a_broken_one(void **state)
{
	cleanup_free char *path = in_temporary_folder("counters.json");
	cleanup_counters struct counters *counters = counters_new();
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(counters_load(counters, path, &err), -ENOENT);
	temporary_file("counters.json", "{\"L\":");
	assert_int_equal(counters_load(counters, path, &err), -EINVAL);
	assert_non_null(strstr(err.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_listener_counts_from_nothing),
		cmocka_unit_test(differences_are_pending_until_committed),
		cmocka_unit_test(a_counter_that_went_down_makes_all_of_its_listener_new),
		cmocka_unit_test(a_deleted_listener_is_forgotten),
		cmocka_unit_test(a_listener_that_was_unreadable_keeps_its_last_values),
		cmocka_unit_test(a_listener_that_nobody_could_count_keeps_its_last_values),
		with_temporary_folder(what_is_carried_counts_now_and_is_not_stored),
		cmocka_unit_test(many_listeners_are_told_apart),
		with_temporary_folder(stored_counters_load_as_they_were),
		with_temporary_folder(no_counters_are_stored_as_an_empty_object),
		cmocka_unit_test(the_references_file_is_understood),
		cmocka_unit_test(a_text_that_is_no_counters_changes_nothing),
		with_temporary_folder(a_missing_file_is_told_from_a_broken_one),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
