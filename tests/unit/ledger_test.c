/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/procfs.h"
#include "temporary_folder.h"
#include "traffic/ledger.h"

static void read_into(struct ledger *ledger, const char *listener, const char *source, uint64_t n)
{
	const struct traffic now = {.bytes_in = 10 * n,
		.bytes_out = 20 * n,
		.errors_request = 30 * n,
		.sessions_total = n};

	ledger_read(ledger, listener, source, &now, 1);
}

static void assert_traffic(const struct traffic *traffic, uint64_t n)
{
	assert_int_equal(traffic->bytes_in, 10 * n);
	assert_int_equal(traffic->bytes_out, 20 * n);
	assert_int_equal(traffic->errors_request, 30 * n);
	assert_int_equal(traffic->sessions_total, n);
}

static void assert_listener(const struct ledger *ledger, const char *listener, uint64_t n)
{
	struct traffic traffic;
	uint64_t sessions;

	ledger_listener(ledger, listener, &traffic, &sessions);
	assert_traffic(&traffic, n);
}

static void assert_total(const struct ledger *ledger, uint64_t n)
{
	struct traffic traffic;
	uint64_t sessions;

	ledger_total(ledger, &traffic, &sessions);
	assert_traffic(&traffic, n);
}

static bool every_one(const void *context, const char *source)
{
	(void)context;
	(void)source;
	return true;
}

static bool is_named(const void *context, const char *name)
{
	return text_equal(name, context);
}

/* Through the file and back. */
static struct ledger *stored_and_loaded(struct ledger *ledger)
{
	cleanup_free char *path = in_temporary_folder("traffic.json");
	struct ledger *loaded = NULL;
	struct err err = ERR_NONE;

	assert_int_equal(ledger_store(ledger, path, &err), 0);
	assert_int_equal(ledger_load(path, &loaded, &err), 0);
	return loaded;
}

static void listeners_are_added_up(void **state)
{
	cleanup_ledger struct ledger *ledger = ledger_new();
	struct traffic traffic;
	uint64_t sessions;

	(void)state;
	read_into(ledger, "L1", "worker 7 70", 4);
	read_into(ledger, "L2", "worker 7 70", 3);
	read_into(ledger, "L1", "worker 8 80", 2);
	assert_listener(ledger, "L1", 6);
	assert_listener(ledger, "L2", 3);
	assert_listener(ledger, "another", 0);
	assert_total(ledger, 9);
	ledger_listener(ledger, "L1", &traffic, &sessions);
	assert_int_equal(sessions, 2);
	ledger_total(ledger, &traffic, &sessions);
	assert_int_equal(sessions, 3);
}

static void what_was_stored_goes_on_counting(void **state)
{
	cleanup_ledger struct ledger *ledger = ledger_new();
	cleanup_ledger struct ledger *loaded = NULL;
	struct traffic traffic;
	uint64_t sessions;

	(void)state;
	read_into(ledger, "L1", "worker 6 60", 1);
	ledger_settle(ledger, every_one, NULL);
	ledger_settle(ledger, every_one, NULL);
	read_into(ledger, "L1", "worker 7 70", 4);
	loaded = stored_and_loaded(ledger);
	assert_int_equal(ledger_since(loaded), ledger_since(ledger));
	assert_listener(loaded, "L1", 5);
	/* Open sessions are of the moment. */
	ledger_listener(loaded, "L1", &traffic, &sessions);
	assert_int_equal(sessions, 0);
	read_into(loaded, "L1", "worker 7 70", 6);
	assert_listener(loaded, "L1", 7);
	read_into(loaded, "L1", "worker 8 80", 1);
	assert_total(loaded, 8);
}

static void a_source_of_the_file_is_settled_when_it_is_gone(void **state)
{
	cleanup_ledger struct ledger *ledger = ledger_new();
	cleanup_ledger struct ledger *loaded = NULL;

	(void)state;
	read_into(ledger, "L1", "worker 7 70", 4);
	loaded = stored_and_loaded(ledger);
	ledger_settle(loaded, every_one, NULL);
	read_into(loaded, "L1", "worker 7 70", 5);
	assert_total(loaded, 9);
}

static void no_source_outlives_a_boot(void **state)
{
	cleanup_free char *path = in_temporary_folder("traffic.json");
	cleanup_ledger struct ledger *ledger = NULL;
	struct err err = ERR_NONE;

	(void)state;
	temporary_file("traffic.json",
		"{\"since\":1700000000,\"boot\":\"another\",\"retired\":{},\"listeners\":{\"L1\":"
		"{\"settled\":{},\"sources\":{\"worker 7 70\":{\"bin\":40,\"bout\":80,"
		"\"ereq\":120,\"stot\":4}}}}}");
	assert_int_equal(ledger_load(path, &ledger, &err), 0);
	assert_int_equal(ledger_since(ledger), 1700000000);
	assert_listener(ledger, "L1", 4);
	/* The same pid and start time, after as many ticks: another process. */
	read_into(ledger, "L1", "worker 7 70", 6);
	assert_listener(ledger, "L1", 10);
}

static void a_listener_that_is_gone_takes_nothing_from_the_sum(void **state)
{
	cleanup_ledger struct ledger *ledger = ledger_new();
	cleanup_ledger struct ledger *loaded = NULL;

	(void)state;
	read_into(ledger, "L1", "worker 7 70", 4);
	read_into(ledger, "L2", "worker 7 70", 3);
	/* Its worker still serves connections. */
	ledger_retire(ledger, is_named, "L1");
	assert_listener(ledger, "L2", 3);
	ledger_settle(ledger, every_one, NULL);
	ledger_settle(ledger, every_one, NULL);
	ledger_retire(ledger, is_named, "L1");
	assert_listener(ledger, "L1", 4);
	assert_listener(ledger, "L2", 0);
	assert_total(ledger, 7);
	loaded = stored_and_loaded(ledger);
	assert_total(loaded, 7);
	assert_listener(loaded, "L2", 0);
}

static ino_t inode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

static void the_file_is_written_only_when_something_has_changed(void **state)
{
	cleanup_free char *path = in_temporary_folder("traffic.json");
	cleanup_ledger struct ledger *ledger = ledger_new();
	cleanup_ledger struct ledger *loaded = NULL;
	struct err err = ERR_NONE;
	ino_t inode;

	(void)state;
	read_into(ledger, "L1", "worker 7 70", 4);
	loaded = stored_and_loaded(ledger);
	inode = inode_of(path);
	assert_int_equal(ledger_store(ledger, path, &err), 0);
	read_into(loaded, "L1", "worker 7 70", 4);
	assert_int_equal(ledger_store(loaded, path, &err), 0);
	assert_int_equal(inode_of(path), inode);
	read_into(loaded, "L1", "worker 7 70", 5);
	assert_int_equal(ledger_store(loaded, path, &err), 0);
	assert_int_not_equal(inode_of(path), inode);
}

static void a_missing_file_is_told_from_a_wrong_one(void **state)
{
	cleanup_free char *missing = in_temporary_folder("missing");
	struct ledger *ledger = NULL;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(ledger_load(missing, &ledger, &err), -ENOENT);
	assert_null(ledger);
}

static void what_is_no_ledger_is_refused(void **state)
{
#define HEAD "{\"since\":1,\"boot\":\"b\",\"retired\":{},\"listeners\":"
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"since\":\"1\",\"boot\":\"b\",\"retired\":{},\"listeners\":{}}",
		"{\"since\":1,\"retired\":{},\"listeners\":{}}",
		"{\"since\":1,\"boot\":\"b\",\"listeners\":{}}",
		"{\"since\":1,\"boot\":\"b\",\"retired\":{\"bin\":-1},\"listeners\":{}}",
		HEAD "[]}",
		HEAD "{\"L\":7}}",
		HEAD "{\"L\":{\"settled\":{}}}}",
		HEAD "{\"L\":{\"settled\":{\"bin\":1.5},\"sources\":{}}}}",
		HEAD "{\"L\":{\"settled\":{},\"sources\":[]}}}",
		HEAD "{\"L\":{\"settled\":{},\"sources\":{\"s\":{\"stot\":\"1\"}}}}}",
	};
	cleanup_free char *path = in_temporary_folder("traffic.json");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ledger *ledger = NULL;
		struct err err = ERR_NONE;

		temporary_file("traffic.json", texts[i]);
		assert_int_equal(ledger_load(path, &ledger, &err), -EINVAL);
		assert_null(ledger);
		assert_non_null(strstr(err.text, path));
	}
}

#define with_temporary_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, temporary_folder_setup, temporary_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_are_added_up),
		with_temporary_folder(what_was_stored_goes_on_counting),
		with_temporary_folder(a_source_of_the_file_is_settled_when_it_is_gone),
		with_temporary_folder(no_source_outlives_a_boot),
		with_temporary_folder(a_listener_that_is_gone_takes_nothing_from_the_sum),
		with_temporary_folder(the_file_is_written_only_when_something_has_changed),
		with_temporary_folder(a_missing_file_is_told_from_a_wrong_one),
		with_temporary_folder(what_is_no_ledger_is_refused),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
