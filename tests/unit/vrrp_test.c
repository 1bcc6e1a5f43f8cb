/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heartbeat/vrrp.h"
#include "temporary_folder.h"

static void configure(const char *pid_text)
{
	char *folder = in_temporary_folder("vrrp");

	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	temporary_file("vrrp/octavia-keepalived.conf", "");
	if (pid_text)
		temporary_file("vrrp/octavia-keepalived.pid", pid_text);
	free(folder);
}

static void without_keepalived_nothing_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(vrrp_check(temporary_folder, NULL), 0);
}

static void a_running_keepalived_is_fine(void **state)
{
	char pid_text[16];

	(void)state;
	snprintf(pid_text, sizeof(pid_text), "%d\n", getpid());
	configure(pid_text);
	assert_int_equal(vrrp_check(temporary_folder, NULL), 0);
	/* Another user's. */
	temporary_file("vrrp/octavia-keepalived.pid", "1");
	assert_int_equal(vrrp_check(temporary_folder, NULL), 0);
}

static void a_configured_keepalived_that_does_not_run_is_a_reason(void **state)
{
	struct err err = ERR_NONE;
	char pid_text[16];
	pid_t pid;

	(void)state;
	configure(NULL);
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	assert_non_null(strstr(err.text, "octavia-keepalived.pid"));
	temporary_file("vrrp/octavia-keepalived.pid", "soon\n");
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	assert_non_null(strstr(err.text, "no process id"));
	pid = fork();
	if (pid == 0)
		_exit(0);
	snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
	temporary_file("vrrp/octavia-keepalived.pid", pid_text);
	waitpid(pid, NULL, 0);
	assert_int_equal(vrrp_check(temporary_folder, &err), -ESRCH);
	assert_non_null(strstr(err.text, "does not run"));
}

static void a_dead_process_that_nobody_waited_for_does_not_run(void **state)
{
	siginfo_t ended;
	char pid_text[16];
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
	configure(pid_text);
	assert_int_equal(vrrp_check(temporary_folder, NULL), -ESRCH);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(without_keepalived_nothing_is_wrong),
		with_temporary_folder(a_running_keepalived_is_fine),
		with_temporary_folder(a_configured_keepalived_that_does_not_run_is_a_reason),
		with_temporary_folder(a_dead_process_that_nobody_waited_for_does_not_run),
	};

	return cmocka_run_group_tests_name("vrrp", tests, NULL, NULL);
}
