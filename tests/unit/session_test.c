/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "sys/session.h"

enum { MEMBER_COUNT = 3 };

/* A session of a leader and its children, all asleep. */
struct family {
	pid_t leader;
	uint64_t start_ticks;
	int alive_fd; /* end of file once the last of them has ended */
};

/* The leader's children keep its session but not all its process group. */
static void family_live(void)
{
	for (int i = 0; i < MEMBER_COUNT; i++)
		if (fork() == 0) {
			if (i == 0)
				setpgid(0, 0);
			for (;;)
				pause();
		}
}

static struct family family_start(void)
{
	struct family family;
	char ready;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	family.leader = fork();
	if (family.leader == 0) {
		setsid();
		family_live();
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	family.alive_fd = fds[0];
	assert_int_equal(procfs_process_start_time(family.leader, &family.start_ticks), 0);
	return family;
}

/* Ends the leader, which stays a zombie. */
static void leader_kill(const struct family *family)
{
	siginfo_t info;

	kill(family->leader, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)family->leader, &info, WEXITED | WNOWAIT), 0);
}

static void family_end(struct family *family)
{
	char byte;

	leader_kill(family);
	while (session_kill(family->leader, family->start_ticks) > 0)
		clock_sleep_ms(1);
	assert_int_equal(waitpid(family->leader, NULL, 0), family->leader);
	assert_int_equal(read(family->alive_fd, &byte, 1), 0);
	close(family->alive_fd);
}

static void all_that_a_leader_left_behind_is_killed(void **state)
{
	struct family family = family_start();

	(void)state;
	leader_kill(&family);
	assert_int_equal(session_kill(family.leader, family.start_ticks), MEMBER_COUNT);
	family_end(&family);
}

static void other_sessions_are_left_alone(void **state)
{
	struct family family = family_start();
	struct family other = family_start();

	(void)state;
	family_end(&family);
	leader_kill(&other);
	assert_int_equal(session_kill(other.leader, other.start_ticks), MEMBER_COUNT);
	family_end(&other);
}

static void a_session_of_somebody_who_got_the_number_later_is_left_alone(void **state)
{
	struct family family = family_start();

	(void)state;
	assert_int_equal(session_kill(family.leader, family.start_ticks - 1), 0);
	leader_kill(&family);
	assert_int_equal(session_kill(family.leader, family.start_ticks), MEMBER_COUNT);
	family_end(&family);
}

static void a_leader_is_found_by_its_whole_command_line_and_its_age(void **state)
{
	char command[64] = "sleep\0001000";
	char *last = command + sizeof("sleep\0001000");
	struct process_spec spec = {
		.argv = (const char *const[]){"sleep", "1000", last, NULL},
	};
	size_t size_bytes = sizeof("sleep\0001000") + 1; /* with the NUL of each argument */
	uint64_t start_ticks;
	uint64_t found_ticks = 0;
	pid_t found = 0;
	pid_t pid;

	(void)state;
	/* Nobody else's, who runs this test as well. */
	size_bytes += (size_t)snprintf(last, 16, "0.%d", getpid());
	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_int_equal(procfs_process_start_time(pid, &start_ticks), 0);
	/* For an instant after its birth it has no command line. */
	while (session_find_leader(command, size_bytes, start_ticks, &found, &found_ticks) < 0)
		clock_sleep_ms(1);
	assert_int_equal(found, pid);
	assert_true(found_ticks == start_ticks);
	assert_int_equal(
		session_find_leader(command, size_bytes, start_ticks + 1, &found, &found_ticks),
		-ESRCH);
	assert_int_equal(
		session_find_leader(command, size_bytes - 1, start_ticks, &found, &found_ticks),
		-ESRCH);
	assert_int_equal(
		session_find_leader(command, size_bytes + 1, start_ticks, &found, &found_ticks),
		-ESRCH);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_leader_left_behind_is_killed),
		cmocka_unit_test(other_sessions_are_left_alone),
		cmocka_unit_test(a_session_of_somebody_who_got_the_number_later_is_left_alone),
		cmocka_unit_test(a_leader_is_found_by_its_whole_command_line_and_its_age),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
