/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/vrrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eventually.h"
#include "sys/process.h"
#include "temporary_folder.h"

enum { NOBODY = 65534 };

static void configure(const char *pid_text)
{
	cleanup_free char *folder = in_temporary_folder("vrrp");

	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	temporary_file("vrrp/octavia-keepalived.conf", "");
	if (pid_text)
		temporary_file("vrrp/octavia-keepalived.pid", pid_text);
}

/* A process with the arguments of a keepalived, and a pid file that names it. */
static pid_t keepalived_pretend(void)
{
	cleanup_free char *pid_file = in_temporary_folder("vrrp/octavia-keepalived.pid");
	const char *const argv[] = {"tail", "-f", "/dev/null", pid_file, NULL};
	const struct process_spec spec = {.argv = argv};
	char pid_text[16];
	pid_t pid;

	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_soon(process_has_arguments(pid));
	snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
	configure(pid_text);
	return pid;
}

/* vrrp_check() as the user whom the sender runs as; err is lost. */
static int check_as_nobody(void)
{
	int status;
	pid_t pid;

	assert_int_equal(chmod(temporary_folder, 0755), 0);
	pid = fork();
	if (pid == 0)
		_exit(setuid(NOBODY) < 0 ? 255 : -vrrp_check(temporary_folder, NULL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void without_keepalived_nothing_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(vrrp_check(temporary_folder, NULL), 0);
}

static void a_running_keepalived_is_fine_for_every_user(void **state)
{
	pid_t pid = keepalived_pretend();

	(void)state;
	assert_int_equal(vrrp_check(temporary_folder, NULL), 0);
	if (geteuid() == 0)
		assert_int_equal(check_as_nobody(), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_configured_keepalived_that_does_not_run_is_a_reason(void **state)
{
	struct err err = ERR_NONE;
	pid_t pid;

	(void)state;
	configure(NULL);
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	assert_non_null(strstr(err.text, "octavia-keepalived.pid"));
	configure("soon\n");
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	pid = keepalived_pretend();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	assert_non_null(strstr(err.text, "does not run"));
}

static void a_process_that_got_the_number_of_a_dead_keepalived_is_none(void **state)
{
	char pid_text[16];

	(void)state;
	snprintf(pid_text, sizeof(pid_text), "%d\n", getpid());
	configure(pid_text);
	assert_int_equal(vrrp_check(temporary_folder, NULL), -ESRCH);
}

static void a_dead_process_that_nobody_waited_for_does_not_run(void **state)
{
	siginfo_t ended;
	pid_t pid = keepalived_pretend();

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_int_equal(vrrp_check(temporary_folder, NULL), -ESRCH);
	waitpid(pid, NULL, 0);
}

static void what_cannot_be_read_is_no_reason(void **state)
{
	cleanup_free char *folder = in_temporary_folder("vrrp");
	cleanup_free char *pid_file = in_temporary_folder("vrrp/octavia-keepalived.pid");

	(void)state;
	if (geteuid() != 0)
		skip();
	configure("1\n");
	assert_int_equal(chmod(pid_file, 0600), 0);
	assert_int_equal(check_as_nobody(), -EACCES);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(check_as_nobody(), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(without_keepalived_nothing_is_wrong),
		with_temporary_folder(a_running_keepalived_is_fine_for_every_user),
		with_temporary_folder(a_configured_keepalived_that_does_not_run_is_a_reason),
		with_temporary_folder(a_process_that_got_the_number_of_a_dead_keepalived_is_none),
		with_temporary_folder(a_dead_process_that_nobody_waited_for_does_not_run),
		with_temporary_folder(what_cannot_be_read_is_no_reason),
	};

	return cmocka_run_group_tests_name("vrrp", tests, NULL, NULL);
}
