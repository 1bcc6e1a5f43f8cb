/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/text.h"
#include "service_case.h"

/* Without a pause that grows: of seconds. */
enum { AT_ONCE_MS = 1000 };

/* Of one question: between two the answer may change. */
static bool is_successor(pid_t present, pid_t before)
{
	return present != 0 && present != before;
}

static void a_started_service_runs_until_it_is_stopped(void **state)
{
	cleanup_free char *record = in_temporary_folder("services/test@1");
	pid_t pid;

	(void)state;
	assert_int_equal(service_pid(manager, "test@1"), 0);
	start(SLEEPER);
	pid = service_pid(manager, "test@1");
	assert_true(pid > 0);
	assert_int_equal(getsid(pid), pid);
	assert_true(file_exists(record));
	stop("test@1");
	assert_false(file_exists(record));
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void starting_what_runs_does_nothing(void **state)
{
	bool started = true;
	pid_t pid;

	(void)state;
	start(SLEEPER);
	pid = service_pid(manager, "test@1");
	assert_int_equal(service_start(manager, SLEEPER, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(service_pid(manager, "test@1"), pid);
	assert_soon(sleeper_count() == 1);
}

static void stopping_what_does_not_exist_is_fine_and_leaves_nothing(void **state)
{
	cleanup_free char *record = in_temporary_folder("services/test@1");

	(void)state;
	stop("test@1");
	assert_int_equal(service_remove(manager, "test@1", NULL), 0);
	assert_false(file_exists(record));
}

static void a_program_that_cannot_be_executed_is_an_error_with_the_reason(void **state)
{
	struct err err = ERR_NONE;
	bool started = true;

	(void)state;
	assert_int_equal(service_start(manager, SPEC(ARGV("/nonexistent/haproxy")), &started, &err),
		-ENOENT);
	assert_string_equal(err.text,
		"service test@1: starting /nonexistent/haproxy: No such file or directory");
	assert_true(started);
	assert_int_equal(service_pid(manager, "test@1"), 0);
	/* It did not become wanted. */
	clock_sleep_ms(300);
	assert_int_equal(service_restart_count(manager, "test@1"), 0);
}

static void a_name_that_could_leave_the_folder_is_refused(void **state)
{
	static const char *const names[] = {"", ".", "..", "../x", "a/b", "a b", "@x", "-x", "ä"};
	cleanup_free char *longest = xcalloc(SERVICE_NAME_MAX + 2, 1);
	struct service_spec spec = {.name = longest, .process.argv = ARGV("true")};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct service_spec bad = {.name = names[i], .process.argv = ARGV("true")};

		assert_int_equal(service_start(manager, &bad, NULL, NULL), -EINVAL);
		assert_int_equal(service_restart(manager, &bad, NULL), -EINVAL);
	}
	memset(longest, 'x', SERVICE_NAME_MAX);
	assert_int_equal(service_start(manager, &spec, NULL, NULL), 0);
	assert_int_equal(service_stop(manager, longest, NULL), 0);
	longest[SERVICE_NAME_MAX] = 'x';
	assert_int_equal(service_start(manager, &spec, NULL, NULL), -EINVAL);
}

static void a_service_that_dies_is_started_again_at_once(void **state)
{
	int64_t killed_ms;
	pid_t first;

	(void)state;
	start(SLEEPER);
	first = service_pid(manager, "test@1");
	killed_ms = clock_now_ms();
	kill_process(first);
	assert_soon(is_successor(service_pid(manager, "test@1"), first));
	assert_true(clock_now_ms() - killed_ms < AT_ONCE_MS);
	assert_int_equal(service_restart_count(manager, "test@1"), 1);
	assert_int_equal(kill(first, 0), -1);
}

static void a_service_that_keeps_dying_is_started_with_growing_pauses(void **state)
{
	cleanup_free char *starts = in_temporary_folder("starts");
	cleanup_free char *command = xformat("echo >>%s; exit 1", starts);
	int64_t began_ms = clock_now_ms();
	unsigned count;

	(void)state;
	start(SPEC(SHELL(command)));
	/* At 0, 0, 100, 300, 700 and 1500 ms. */
	assert_soon(line_count(starts) >= 6);
	assert_true(clock_now_ms() - began_ms >= 1500);
	assert_soon(service_restart_count(manager, "test@1") + 1 == line_count(starts));
	stop("test@1");
	count = line_count(starts);
	clock_sleep_ms(500);
	assert_int_equal(line_count(starts), count);
}

static void a_program_that_disappears_is_tried_again_with_growing_pauses(void **state)
{
	cleanup_free char *program = in_temporary_folder("program");
	cleanup_free char *text = xformat("#!/bin/sh\nexec sleep %s\n", forever);
	int64_t began_ms;

	(void)state;
	assert_int_equal(file_replace(program, text, strlen(text), 0755, NULL), 0);
	start(SPEC(ARGV(program)));
	assert_soon(sleeper_count() == 1);
	assert_int_equal(file_remove(program, NULL), 0);
	began_ms = clock_now_ms();
	main_process_kill();
	/* At 0, 0 or 100, 300, 700 ms. */
	assert_soon(service_restart_count(manager, "test@1") >= 4);
	assert_true(clock_now_ms() - began_ms >= 300);
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_int_equal(file_replace(program, text, strlen(text), 0755, NULL), 0);
	assert_soon(service_pid(manager, "test@1") > 0);
}

static void a_start_does_not_wait_for_the_pause(void **state)
{
	cleanup_free char *starts = in_temporary_folder("starts");
	cleanup_free char *command = xformat("echo >>%s; exit 1", starts);

	(void)state;
	start(SPEC(SHELL(command)));
	assert_soon(service_restart_count(manager, "test@1") >= 6); /* the next pause is 3200 ms */
	assert_soon(service_pid(manager, "test@1") == 0);
	start(SLEEPER);
	assert_true(service_pid(manager, "test@1") > 0);
	assert_soon(sleeper_count() == 1);
}

static void a_running_service_takes_the_new_spec_at_its_next_start(void **state)
{
	cleanup_free char *mark = in_temporary_folder("mark");
	cleanup_free char *command = xformat("echo >>%s; exec sleep %s", mark, forever);
	bool started = true;

	(void)state;
	start(SLEEPER);
	assert_int_equal(service_start(manager, SPEC(SHELL(command)), &started, NULL), 0);
	assert_false(started);
	assert_false(file_exists(mark));
	main_process_kill();
	assert_soon(file_exists(mark));
}

static void a_restart_replaces_the_process_and_takes_the_new_spec(void **state)
{
	cleanup_free char *mark = in_temporary_folder("mark");
	cleanup_free char *command = xformat("echo >>%s; exec sleep %s", mark, forever);
	pid_t first;

	(void)state;
	start(SLEEPER);
	first = service_pid(manager, "test@1");
	assert_int_equal(service_restart(manager, SPEC(SHELL(command)), NULL), 0);
	assert_true(process_is_over(first));
	assert_true(service_pid(manager, "test@1") > 0);
	assert_soon(file_exists(mark));
	assert_soon(sleeper_count() == 1);
	assert_int_equal(service_restart_count(manager, "test@1"), 0);
}

static void a_restart_starts_what_does_not_run(void **state)
{
	(void)state;
	assert_int_equal(service_restart(manager, SLEEPER, NULL), 0);
	assert_soon(sleeper_count() == 1);
	main_process_kill();
	assert_soon(service_restart_count(manager, "test@1") == 1);
}

static void the_stop_signal_is_the_services_own(void **state)
{
	cleanup_free char *mark = in_temporary_folder("mark");
	cleanup_free char *ready = in_temporary_folder("ready");
	cleanup_free char *command = xformat(
		"trap 'echo >%s; exit' USR1; echo >%s; while :; do sleep 0.01; done", mark, ready);
	struct service_spec spec = *SPEC(SHELL(command));

	(void)state;
	spec.stop_signal = SIGUSR1;
	start(&spec);
	assert_soon(file_exists(ready));
	stop("test@1");
	assert_true(file_exists(mark));
}

static void a_service_that_ignores_its_stop_signal_is_killed_with_all_it_started(void **state)
{
	cleanup_free char *command =
		xformat("trap '' TERM; sleep %s & sleep %s; :", forever, forever);
	struct service_spec spec = *SPEC(SHELL(command));
	int64_t started_ms;

	(void)state;
	spec.stop_timeout_ms = 200;
	start(&spec);
	assert_soon(sleeper_count() == 3);
	started_ms = clock_now_ms();
	stop("test@1");
	assert_in_range(clock_now_ms() - started_ms, 190, 5000);
	assert_int_equal(sleeper_count(), 0);
}

static void what_the_main_process_leaves_behind_ends_before_it_is_started_again(void **state)
{
	cleanup_free char *left = in_temporary_folder("left");
	cleanup_free char *command = xformat("sleep %s & echo $! >>%s; wait", forever, left);
	uint64_t orphan;
	pid_t first;

	(void)state;
	start(SPEC(SHELL(command)));
	first = service_pid(manager, "test@1");
	assert_soon(line_count(left) == 1 && sleeper_count() == 2);
	kill_process(first);
	assert_soon(is_successor(service_pid(manager, "test@1"), first));
	cleanup_free char *text = content_of(left);
	assert_int_equal(text_parse_u64_span(text, strcspn(text, "\n"), 1, INT32_MAX, &orphan), 0);
	assert_true(process_is_over((pid_t)orphan));
}

static void output_is_appended_and_put_aside_when_it_is_large(void **state)
{
	cleanup_free char *output = in_temporary_folder("output");
	cleanup_free char *old = in_temporary_folder("output.old");
	cleanup_free char *large = xcalloc(MIB + 1, 1);
	cleanup_free char *text = NULL;
	struct service_spec spec = *SPEC(SHELL("echo started; exec sleep 1000"));

	(void)state;
	spec.process.output_path = output;
	start(&spec);
	assert_soon(line_count(output) == 1);
	assert_int_equal(service_restart(manager, &spec, NULL), 0);
	assert_soon(line_count(output) == 2);
	assert_false(file_exists(old));
	memset(large, 'x', MIB + 1);
	assert_int_equal(file_replace(output, large, MIB + 1, 0640, NULL), 0);
	assert_int_equal(service_restart(manager, &spec, NULL), 0);
	assert_soon(line_count(output) == 1);
	text = content_of(output);
	assert_string_equal(text, "started\n");
	assert_true(file_exists(old));
}

static void pid_files_are_removed_before_each_start(void **state)
{
	cleanup_free char *pid_file = in_temporary_folder("main.pid");
	cleanup_free char *absent = in_temporary_folder("child.pid");
	struct service_spec spec = *SLEEPER;

	(void)state;
	spec.pid_files = ARGV(absent, pid_file);
	temporary_file("main.pid", "1\n");
	start(&spec);
	assert_false(file_exists(pid_file));
	temporary_file("main.pid", "1\n");
	main_process_kill();
	assert_soon(service_restart_count(manager, "test@1") == 1);
	assert_false(file_exists(pid_file));
}

/* Of a process that goes on when it is told to stop, but shows that it was; the caller frees it. */
static char *stubborn_command(const char *ready, const char *told)
{
	return xformat("trap 'echo >%s' TERM; echo >%s; while :; do sleep 0.05; done", told, ready);
}

static void *stop_slowly(void *context)
{
	service_stop(manager, context, NULL);
	return NULL;
}

static void a_slow_stop_keeps_nobody_from_other_services(void **state)
{
	cleanup_free char *ready = in_temporary_folder("ready");
	cleanup_free char *told = in_temporary_folder("told");
	cleanup_free char *command = stubborn_command(ready, told);
	struct service_spec slow = {.name = "slow", .process.argv = SHELL(command)};
	pthread_t thread;

	(void)state;
	slow.stop_timeout_ms = 10 * 60 * 1000;
	start(&slow);
	assert_soon(file_exists(ready));
	assert_int_equal(pthread_create(&thread, NULL, stop_slowly, "slow"), 0);
	assert_soon(file_exists(told));
	start(SLEEPER);
	main_process_kill();
	assert_soon(service_restart_count(manager, "test@1") == 1);
	stop("test@1");
	/* It is still being stopped. */
	kill_process(service_pid(manager, "slow"));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(service_pid(manager, "slow"), 0);
}

static void a_start_waits_for_the_stop_under_way_and_then_starts(void **state)
{
	cleanup_free char *ready = in_temporary_folder("ready");
	cleanup_free char *told = in_temporary_folder("told");
	cleanup_free char *command = stubborn_command(ready, told);
	struct service_spec spec = *SPEC(SHELL(command));
	pthread_t thread;
	pid_t first;

	(void)state;
	spec.stop_timeout_ms = 1000;
	start(&spec);
	first = service_pid(manager, "test@1");
	assert_soon(file_exists(ready));
	assert_int_equal(pthread_create(&thread, NULL, stop_slowly, "test@1"), 0);
	assert_soon(file_exists(told));
	start(SLEEPER);
	assert_true(process_is_over(first));
	assert_soon(sleeper_count() == 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(service_pid(manager, "test@1") > 0);
}

static void *hammer(void *context)
{
	unsigned seed = (unsigned)(uintptr_t)context;
	struct service_spec specs[] = {*SLEEPER, *SLEEPER};

	specs[1].name = "test@2";
	for (int i = 0; i < 60; i++) {
		struct service_spec *spec = &specs[rand_r(&seed) % 2];
		pid_t pid;

		switch (rand_r(&seed) % 5) {
		case 0:
			service_stop(manager, spec->name, NULL);
			break;
		case 1:
			service_restart(manager, spec, NULL);
			break;
		case 2:
			/* The number may be somebody else's by now: harmless with signal 0. */
			pid = service_pid(manager, spec->name);
			if (pid > 0)
				kill(pid, 0);
			service_restart_count(manager, spec->name);
			break;
		case 3:
			service_remove(manager, spec->name, NULL);
			break;
		default:
			service_start(manager, spec, NULL, NULL);
		}
	}
	return NULL;
}

static void calls_from_many_threads_leave_exactly_what_is_wanted(void **state)
{
	struct service_spec second = *SLEEPER;
	pthread_t threads[6];

	(void)state;
	second.name = "test@2";
	for (uintptr_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(service_start(manager, SLEEPER, NULL, NULL), 0);
	assert_int_equal(service_start(manager, &second, NULL, NULL), 0);
	assert_soon(sleeper_count() == 2);
	stop("test@1");
	stop("test@2");
	assert_int_equal(sleeper_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		service_case(a_started_service_runs_until_it_is_stopped),
		service_case(starting_what_runs_does_nothing),
		service_case(stopping_what_does_not_exist_is_fine_and_leaves_nothing),
		service_case(a_program_that_cannot_be_executed_is_an_error_with_the_reason),
		service_case(a_name_that_could_leave_the_folder_is_refused),
		service_case(a_service_that_dies_is_started_again_at_once),
		service_case(a_service_that_keeps_dying_is_started_with_growing_pauses),
		service_case(a_program_that_disappears_is_tried_again_with_growing_pauses),
		service_case(a_start_does_not_wait_for_the_pause),
		service_case(a_running_service_takes_the_new_spec_at_its_next_start),
		service_case(a_restart_replaces_the_process_and_takes_the_new_spec),
		service_case(a_restart_starts_what_does_not_run),
		service_case(the_stop_signal_is_the_services_own),
		service_case(a_service_that_ignores_its_stop_signal_is_killed_with_all_it_started),
		service_case(what_the_main_process_leaves_behind_ends_before_it_is_started_again),
		service_case(output_is_appended_and_put_aside_when_it_is_large),
		service_case(pid_files_are_removed_before_each_start),
		service_case(a_slow_stop_keeps_nobody_from_other_services),
		service_case(a_start_waits_for_the_stop_under_way_and_then_starts),
		service_case(calls_from_many_threads_leave_exactly_what_is_wanted),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
