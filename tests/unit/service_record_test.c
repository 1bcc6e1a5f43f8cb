/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "sys/procfs.h"
#include "sys/service_record.h"
#include "temporary_folder.h"

#define cleanup_record CLEANUP(service_record_deinit)

static void a_record_is_loaded_as_it_was_stored(void **state)
{
	cleanup_record struct service_record stored = {
		.state = SERVICE_RECORD_RUNNING,
		.pid = 4711,
		.start_ticks = 123456789012,
		.stop_signal = 10,
		.stop_timeout_ms = 5000,
	};
	cleanup_record struct service_record loaded = {.command = NULL};

	(void)state;
	service_record_set_command(
		&stored, (const char *const[]){"haproxy", "", "-f", "a b\n", NULL});
	assert_int_equal(service_record_store(temporary_folder, "a@1", &stored, NULL), 0);
	assert_int_equal(service_record_load(temporary_folder, "a@1", &loaded, NULL), 0);
	assert_int_equal(loaded.state, SERVICE_RECORD_RUNNING);
	assert_int_equal(loaded.pid, 4711);
	assert_true(loaded.start_ticks == 123456789012);
	assert_int_equal(loaded.stop_signal, 10);
	assert_int_equal(loaded.stop_timeout_ms, 5000);
	assert_int_equal(loaded.command_size_bytes, 17);
	assert_memory_equal(loaded.command, "haproxy\0\0-f\0a b\n", 17);
}

static void a_removed_record_is_not_there_and_may_be_removed_again(void **state)
{
	struct service_record record = {.state = SERVICE_RECORD_STARTING};

	(void)state;
	assert_int_equal(service_record_store(temporary_folder, "a", &record, NULL), 0);
	assert_int_equal(service_record_remove(temporary_folder, "a", NULL), 0);
	assert_int_equal(service_record_load(temporary_folder, "a", &record, NULL), -ENOENT);
	assert_int_equal(service_record_remove(temporary_folder, "a", NULL), 0);
}

/* "BOOT-ID:INIT-START-TICKS" as it is on this machine. */
static char *pid_space(void)
{
	struct procfs_boot_id boot_id;
	uint64_t init_ticks;

	assert_int_equal(procfs_read_boot_id(&boot_id, NULL), 0);
	assert_int_equal(procfs_process_start_time(1, &init_ticks), 0);
	return xformat("%s:%llu", boot_id.text, (unsigned long long)init_ticks);
}

static int load_line(const char *words, const char *space, const char *end)
{
	cleanup_free char *text = xformat("%s%s%s", words, space, end);
	cleanup_record struct service_record record = {.command = NULL};

	temporary_file("line", text);
	return service_record_load(temporary_folder, "line", &record, NULL);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"running 1 2 3 ",
		"running 1 2 3 4 5 ",
		"running  1 2 3 4 ",
		" running 1 2 3 4 ",
		"Running 1 2 3 4 ",
		"asleep 1 2 3 4 ",
		"running -1 2 3 4 ",
		"running 0 2 3 4 ",
		"running 1x 2 3 4 ",
		"running 4294967297 2 3 4 ",
		"running 1 18446744073709551616 3 4 ",
		"running 1 2 -3 4 ",
		"starting 1 2 3 4 ",
	};
	cleanup_free char *space = pid_space();

	(void)state;
	assert_int_equal(load_line("running 1 2 3 4 ", space, "\n"), 0);
	assert_int_equal(load_line("starting 0 2 3 4 ", space, "\n"), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(load_line(lines[i], space, "\n"), -EBADMSG);
	assert_int_equal(load_line("running 1 2 3 4 ", space, ""), -EBADMSG);
	assert_int_equal(load_line("running 1 2 3 4 ", space, " \n"), -EBADMSG);
	assert_int_equal(load_line("", "", ""), -EBADMSG);
}

static void a_record_of_another_boot_or_namespace_is_stale(void **state)
{
	cleanup_free char *space = pid_space();
	cleanup_free char *later = xformat("%s0", space);

	(void)state;
	assert_int_equal(load_line("running 1 2 3 4 ", later, "\n"), -ESTALE);
	space[0] = space[0] == '0' ? '1' : '0';
	assert_int_equal(load_line("running 1 2 3 4 ", space, "\n"), -ESTALE);
}

static void only_the_process_with_that_start_time_is_opened(void **state)
{
	struct service_record record = {.state = SERVICE_RECORD_RUNNING, .pid = getpid()};
	int pidfd = -1;

	(void)state;
	assert_int_equal(procfs_process_start_time(getpid(), &record.start_ticks), 0);
	assert_int_equal(service_record_open_process(&record, &pidfd), 0);
	assert_true(pidfd >= 0);
	close(pidfd);
	pidfd = -1;
	record.start_ticks++;
	assert_int_equal(service_record_open_process(&record, &pidfd), -ESRCH);
	assert_int_equal(pidfd, -1);
}

static void the_present_moment_is_no_earlier_than_our_own_start(void **state)
{
	uint64_t start_ticks;

	(void)state;
	assert_int_equal(procfs_process_start_time(getpid(), &start_ticks), 0);
	/* The test has not run for an hour either. */
	assert_in_range(
		service_record_now_ticks() - start_ticks, 0, 3600 * (uint64_t)sysconf(_SC_CLK_TCK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_record_is_loaded_as_it_was_stored),
		with_temporary_folder(a_removed_record_is_not_there_and_may_be_removed_again),
		with_temporary_folder(what_is_no_record_is_refused),
		with_temporary_folder(a_record_of_another_boot_or_namespace_is_stale),
		with_temporary_folder(only_the_process_with_that_start_time_is_opened),
		with_temporary_folder(the_present_moment_is_no_earlier_than_our_own_start),
	};

	return cmocka_run_group_tests_name("service record", tests, NULL, NULL);
}
