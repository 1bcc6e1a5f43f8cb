/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/process.h"
#include "eventually.h"
#include "temporary_folder.h"

enum { LONG_MS = 20000 };

#define ARGV(...)      ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(command) ARGV("/bin/sh", "-c", command)

static int run(const char *const *argv, int timeout_ms, struct buf *ret_output, int *ret_status)
{
	struct process_spec spec = {.argv = argv};

	return process_run(&spec, timeout_ms, ret_output, ret_status, NULL);
}

/* Runs a shell command that must succeed; its output is the caller's. */
static char *output_of(const char *command)
{
	cleanup_buf struct buf output = BUF_INIT(MIB);
	int status = -1;

	assert_int_equal(run(SHELL(command), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 0);
	return buf_take_text(&output);
}

static char *script_make(const char *name, const char *text, mode_t mode)
{
	char *path = in_temporary_folder(name);

	assert_int_equal(file_replace(path, text, strlen(text), mode, NULL), 0);
	return path;
}

static pid_t first_number(const char *text)
{
	uint64_t value = 0;

	assert_int_equal(text_parse_u64_span(text, strcspn(text, "\n"), 1, INT32_MAX, &value), 0);
	return (pid_t)value;
}

static void output_and_exit_status_are_taken(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(
		run(SHELL("echo out; echo err >&2; exit 7"), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 7);
	assert_string_equal(buf_text(&output), "out\nerr\n");
}

static void output_is_added_to_what_the_buffer_holds(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(8);
	int status = -1;

	(void)state;
	buf_append_text(&output, "12345");
	assert_int_equal(run(ARGV("echo", "abcdef"), LONG_MS, &output, &status), 0);
	assert_int_equal(buf_error(&output), 0);
	assert_string_equal(buf_text(&output), "12345abc");
}

static void a_signal_becomes_128_and_its_number(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(run(SHELL("kill -TERM $$"), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 128 + SIGTERM);
}

static void a_program_that_does_not_exist_is_an_error_with_its_name(void **state)
{
	struct process_spec spec = {.argv = ARGV("/nonexistent/program")};
	struct err err = ERR_NONE;
	pid_t pid = 0;

	(void)state;
	assert_int_equal(process_spawn(&spec, &pid, &err), -ENOENT);
	assert_int_equal(pid, 0);
	assert_string_equal(err.text, "starting /nonexistent/program: No such file or directory");
	spec.argv = ARGV("no-program-has-this-name");
	assert_int_equal(process_spawn(&spec, &pid, &err), -ENOENT);
}

static void a_file_without_permission_or_format_is_not_executed(void **state)
{
	cleanup_free char *plain = script_make("plain", "#!/bin/sh\n", 0644);
	cleanup_free char *formless = script_make("formless", "echo through a shell\n", 0755);
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(run(ARGV(plain), LONG_MS, &output, &status), -EACCES);
	assert_int_equal(run(ARGV(formless), LONG_MS, &output, &status), -ENOEXEC);
	assert_string_equal(buf_text(&output), "");
}

static void arguments_reach_the_program_as_they_are(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(
		run(ARGV("printf", "[%s]", "$HOME", "a b", "", "*"), LONG_MS, &output, &status), 0);
	assert_string_equal(buf_text(&output), "[$HOME][a b][][*]");
}

static void a_child_gets_only_the_three_standard_descriptors(void **state)
{
	cleanup_close int leaky = open("/dev/null", O_RDONLY); /* on purpose not close-on-exec */
	cleanup_free char *descriptors = NULL;

	(void)state;
	assert_true(leaky > STDERR_FILENO);
	descriptors = output_of("cd /proc/$$/fd; for i in $(seq 0 99); do [ -e $i ] && echo $i; "
				"done; readlink 0");
	assert_string_equal(descriptors, "0\n1\n2\n/dev/null\n");
}

static void a_child_starts_well_when_our_own_standard_descriptors_are_closed(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	cleanup_close int saved = dup(STDIN_FILENO);
	int status = -1;
	int r;

	(void)state;
	assert_true(saved >= 0);
	close(STDIN_FILENO);
	r = run(SHELL("readlink /proc/$$/fd/0; echo fine"), LONG_MS, &output, &status);
	dup2(saved, STDIN_FILENO);
	assert_int_equal(r, 0);
	assert_string_equal(buf_text(&output), "/dev/null\nfine\n");
}

static void a_child_has_default_handlers_and_an_empty_mask(void **state)
{
	cleanup_free char *signals = NULL;
	struct sigaction ignored = {.sa_handler = SIG_IGN};
	struct sigaction before;
	sigset_t all;
	sigset_t old;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	sigaction(SIGPIPE, &ignored, &before);
	/* Without 32 and 33, which glibc keeps for its threads and ignores in what it spawns. */
	signals = output_of("exec sed -nE 's/^Sig(Blk|Ign):\t0{7}[01][08]0{7}$/none/p' "
			    "/proc/self/status");
	sigaction(SIGPIPE, &before, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(signals, "none\nnone\n");
}

static void our_service_managers_variables_are_not_passed_on(void **state)
{
	cleanup_free char *seen = NULL;

	(void)state;
	setenv("NOTIFY_SOCKET", "/run/ours", 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("PROCESS_TEST", "kept", 1);
	seen = output_of("echo ${NOTIFY_SOCKET-none} ${LISTEN_FDS-none} $PROCESS_TEST");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("PROCESS_TEST");
	assert_string_equal(seen, "none none kept\n");
}

static void a_child_that_writes_more_than_the_maximum_is_cut_but_not_blocked(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(1000);
	int status = -1;

	(void)state;
	assert_int_equal(
		run(ARGV("head", "-c", "3000000", "/dev/zero"), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(output.size_bytes, 1000);
	assert_int_equal(buf_error(&output), 0);
}

static void what_a_child_writes_last_is_not_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		cleanup_buf struct buf output = BUF_INIT(MIB);
		int status = -1;

		assert_int_equal(
			run(ARGV("head", "-c", "200000", "/dev/zero"), LONG_MS, &output, &status),
			0);
		assert_int_equal(output.size_bytes, 200000);
	}
}

static void a_child_that_writes_for_ever_is_killed_at_the_deadline(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int64_t started_ms = clock_now_ms();
	struct process_spec spec = {.argv = ARGV("yes")};
	struct err err = ERR_NONE;
	int status = -1;

	(void)state;
	assert_int_equal(process_run(&spec, 200, &output, &status, &err), -ETIMEDOUT);
	assert_true(clock_now_ms() - started_ms < LONG_MS);
	assert_int_equal(status, -1);
	assert_string_equal(err.text, "yes did not end within 200 ms and was killed");
}

static void the_whole_group_is_killed_at_the_deadline(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(run(SHELL("trap '' TERM; sleep 1000 & echo $!; sleep 1000"), 3000, &output,
				 &status),
		-ETIMEDOUT);
	assert_soon(process_is_over(first_number(buf_text(&output))));
}

static void a_grandchild_delays_nothing_and_is_not_left_behind(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int64_t started_ms = clock_now_ms();
	int status = -1;

	(void)state;
	assert_int_equal(run(SHELL("sleep 1000 & echo $!"), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 0);
	assert_true(clock_now_ms() - started_ms < LONG_MS / 2);
	assert_soon(process_is_over(first_number(buf_text(&output))));
}

static void a_daemon_goes_on_when_the_program_that_became_it_ends(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	cleanup_free char *path = in_temporary_folder("daemon");
	cleanup_free char *script = xformat("(sleep 0.2; echo there >%s) &", path);
	struct process_spec spec = {.argv = SHELL(script), .becomes_daemon = true};
	int status = -1;

	(void)state;
	assert_int_equal(process_run(&spec, LONG_MS, &output, &status, NULL), 0);
	assert_int_equal(status, 0);
	assert_soon(access(path, F_OK) == 0);
}

static void one_that_does_not_become_a_daemon_in_time_is_killed_wholly(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	struct process_spec spec = {
		.argv = SHELL("sleep 1000 & echo $!; sleep 1000"), .becomes_daemon = true};
	int status = -1;

	(void)state;
	assert_int_equal(process_run(&spec, 3000, &output, &status, NULL), -ETIMEDOUT);
	assert_soon(process_is_over(first_number(buf_text(&output))));
}

static void a_child_that_closes_its_output_is_waited_for(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;

	(void)state;
	assert_int_equal(
		run(SHELL("exec >&- 2>&-; sleep 0.2; exit 3"), LONG_MS, &output, &status), 0);
	assert_int_equal(status, 3);
}

static void a_run_leaves_no_zombie_and_no_descriptor(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status = -1;
	int before = dup(STDERR_FILENO);
	int after;

	(void)state;
	close(before);
	run(SHELL("true"), LONG_MS, &output, &status);
	run(ARGV("yes"), 50, &output, &status);
	run(ARGV("/nonexistent"), 50, &output, &status);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_spawned_child_has_its_own_session_and_appends_its_output(void **state)
{
	cleanup_free char *path = in_temporary_folder("output");
	cleanup_buf struct buf text = BUF_INIT(KIB);
	struct process_spec spec = {.argv = SHELL("echo out; echo err >&2"), .output_path = path};
	pid_t pid = 0;

	(void)state;
	assert_int_equal(file_replace(path, "before\n", 7, 0644, NULL), 0);
	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "before\nout\nerr\n");

	spec = (struct process_spec){.argv = ARGV("sleep", "1000")};
	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_int_equal(getsid(pid), pid);
	assert_int_equal(getpgid(pid), pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void an_output_that_cannot_be_opened_is_an_error_that_says_so(void **state)
{
	struct process_spec spec = {
		.argv = ARGV("true"),
		.output_path = "/nonexistent/output",
	};
	struct err err = ERR_NONE;
	pid_t pid;

	(void)state;
	assert_int_equal(process_spawn(&spec, &pid, &err), -ENOENT);
	assert_string_equal(err.text, "starting true: opening its output /nonexistent/output: No "
				      "such file or directory");
}

static void a_child_starts_in_its_network_namespace_and_we_stay_in_ours(void **state)
{
	cleanup_free char *name = xformat("process-test-%d", getpid());
	cleanup_free char *make = xformat("ip netns add %s", name);
	cleanup_free char *drop = xformat("ip netns del %s", name);
	struct process_spec spec = {
		.argv = SHELL("readlink /proc/$$/ns/net"), .network_namespace = name};
	cleanup_buf struct buf inside = BUF_INIT(KIB);
	cleanup_free char *before = NULL;
	cleanup_free char *after = NULL;
	int status = -1;

	(void)state;
	if (geteuid() != 0)
		skip();
	free(output_of(make));
	before = output_of("readlink /proc/$$/ns/net");
	assert_int_equal(process_run(&spec, LONG_MS, &inside, &status, NULL), 0);
	after = output_of("readlink /proc/$$/ns/net");
	free(output_of(drop));
	assert_string_equal(before, after);
	assert_string_not_equal(buf_text(&inside), before);
}

static void a_namespace_that_does_not_exist_is_an_error_with_its_name(void **state)
{
	struct process_spec spec = {.argv = ARGV("true"), .network_namespace = "no-such-one"};
	struct err err = ERR_NONE;
	pid_t pid;

	(void)state;
	assert_int_equal(process_spawn(&spec, &pid, &err), -ENOENT);
	assert_non_null(strstr(err.text, "starting true: "));
	assert_non_null(strstr(err.text, "no-such-one"));
}

/* In a process of its own: limits cannot be taken back. */
static int in_limits_of_1024_and_4096(int (*check)(void))
{
	struct rlimit low = {.rlim_cur = 1024, .rlim_max = 4096};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setrlimit(RLIMIT_NOFILE, &low) < 0 ? 100 : check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int may_raise(void)
{
	struct rlimit more = {.rlim_cur = 1024, .rlim_max = 4097};

	return setrlimit(RLIMIT_NOFILE, &more) == 0;
}

static int raised_to_8192(void)
{
	struct rlimit limit;

	if (process_raise_open_files(8192) != 8192)
		return 1;
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur == 1024 && limit.rlim_max == 8192 ? 0 : 2;
}

static int beyond_the_kernels_maximum(void)
{
	unsigned long got = process_raise_open_files(~0UL);

	return got > 4096 && got < ~0UL ? 0 : 1;
}

static int not_raised(void)
{
	return process_raise_open_files(8192) == 4096 ? 0 : 1;
}

static int not_lowered(void)
{
	return process_raise_open_files(100) == 4096 ? 0 : 1;
}

static void the_limit_on_open_files_is_raised_but_never_lowered(void **state)
{
	(void)state;
	assert_int_equal(in_limits_of_1024_and_4096(not_lowered), 0);
	if (!in_limits_of_1024_and_4096(may_raise)) {
		assert_int_equal(in_limits_of_1024_and_4096(not_raised), 0);
		return;
	}
	assert_int_equal(in_limits_of_1024_and_4096(raised_to_8192), 0);
	assert_int_equal(in_limits_of_1024_and_4096(beyond_the_kernels_maximum), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_exit_status_are_taken),
		cmocka_unit_test(output_is_added_to_what_the_buffer_holds),
		cmocka_unit_test(a_signal_becomes_128_and_its_number),
		cmocka_unit_test(a_program_that_does_not_exist_is_an_error_with_its_name),
		cmocka_unit_test(a_file_without_permission_or_format_is_not_executed),
		cmocka_unit_test(arguments_reach_the_program_as_they_are),
		cmocka_unit_test(a_child_gets_only_the_three_standard_descriptors),
		cmocka_unit_test(a_child_starts_well_when_our_own_standard_descriptors_are_closed),
		cmocka_unit_test(a_child_has_default_handlers_and_an_empty_mask),
		cmocka_unit_test(our_service_managers_variables_are_not_passed_on),
		cmocka_unit_test(a_child_that_writes_more_than_the_maximum_is_cut_but_not_blocked),
		cmocka_unit_test(what_a_child_writes_last_is_not_lost),
		cmocka_unit_test(a_child_that_writes_for_ever_is_killed_at_the_deadline),
		cmocka_unit_test(the_whole_group_is_killed_at_the_deadline),
		cmocka_unit_test(a_grandchild_delays_nothing_and_is_not_left_behind),
		cmocka_unit_test(a_daemon_goes_on_when_the_program_that_became_it_ends),
		cmocka_unit_test(one_that_does_not_become_a_daemon_in_time_is_killed_wholly),
		cmocka_unit_test(a_child_that_closes_its_output_is_waited_for),
		cmocka_unit_test(a_run_leaves_no_zombie_and_no_descriptor),
		cmocka_unit_test(a_spawned_child_has_its_own_session_and_appends_its_output),
		cmocka_unit_test(an_output_that_cannot_be_opened_is_an_error_that_says_so),
		cmocka_unit_test(a_child_starts_in_its_network_namespace_and_we_stay_in_ours),
		cmocka_unit_test(a_namespace_that_does_not_exist_is_an_error_with_its_name),
		cmocka_unit_test(the_limit_on_open_files_is_raised_but_never_lowered),
	};

	return cmocka_run_group_tests_name(
		"process", tests, temporary_folder_setup, temporary_folder_teardown);
}
