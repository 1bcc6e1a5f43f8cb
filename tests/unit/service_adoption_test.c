/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "sys/service_record.h"
#include "service_case.h"
#include "unix_socket.h"

/* Services outlive the agent that started them, and the next one finds them. */

static void a_service_outlives_its_manager_and_is_found_by_the_next(void **state)
{
	bool started = true;
	pid_t pid;

	(void)state;
	start(SLEEPER);
	pid = service_pid(manager, "test@1");
	manager_drop();
	assert_false(process_is_over(pid));
	manager_make();
	assert_int_equal(service_pid(manager, "test@1"), pid);
	assert_int_equal(service_start(manager, SLEEPER, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(service_pid(manager, "test@1"), pid);
	kill_process(pid);
	assert_soon(service_restart_count(manager, "test@1") == 1);
	stop("test@1");
	assert_int_equal(sleeper_count(), 0);
}

static void a_service_that_died_without_an_agent_is_started_by_the_next(void **state)
{
	cleanup_free char *command = xformat("sleep %s & wait", forever);
	bool started = false;
	pid_t pid;

	(void)state;
	start(SPEC(SHELL(command)));
	pid = service_pid(manager, "test@1");
	assert_soon(sleeper_count() == 2);
	manager_drop();
	kill_process(pid);
	assert_soon(process_is_over(pid));
	manager_make();
	assert_int_equal(sleeper_count(), 0); /* what it left behind is gone */
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_int_equal(service_start(manager, SLEEPER, &started, NULL), 0);
	assert_true(started);
}

static void a_found_service_is_stopped_as_its_record_says(void **state)
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
	manager_drop();
	manager_make();
	stop("test@1");
	assert_true(file_exists(mark));
}

static void a_found_service_that_nobody_describes_is_not_started_again(void **state)
{
	cleanup_free char *record = in_temporary_folder("services/test@1");
	pid_t pid;

	(void)state;
	start(SLEEPER);
	pid = service_pid(manager, "test@1");
	manager_drop();
	manager_make();
	kill_process(pid);
	assert_soon(!file_exists(record));
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_int_equal(sleeper_count(), 0);
}

/* A process that no manager started, and a record that claims it for the service. */
static pid_t stranger_with_record(uint64_t other_start_ticks)
{
	cleanup_free char *services = in_temporary_folder("services");
	struct process_spec spec = {.argv = ARGV("sleep", forever)};
	struct service_record record = {.state = SERVICE_RECORD_RUNNING};

	assert_int_equal(process_spawn(&spec, &record.pid, NULL), 0);
	assert_int_equal(procfs_process_start_time(record.pid, &record.start_ticks), 0);
	record.start_ticks += other_start_ticks;
	assert_int_equal(service_record_store(services, "test@1", &record, NULL), 0);
	return record.pid;
}

static void a_process_that_got_the_pid_later_is_not_taken_for_the_service(void **state)
{
	cleanup_free char *record = in_temporary_folder("services/test@1");
	pid_t pid;

	(void)state;
	manager_drop();
	pid = stranger_with_record(1);
	manager_make();
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_false(file_exists(record));
	start(SLEEPER);
	stop("test@1");
	assert_false(process_is_over(pid));
	kill_process(pid);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	/* With the right start time it would have been: the test forges well. */
	manager_drop();
	pid = stranger_with_record(0);
	manager_make();
	assert_int_equal(service_pid(manager, "test@1"), pid);
}

static void a_record_of_an_earlier_boot_means_nothing(void **state)
{
	cleanup_free char *path = in_temporary_folder("services/test@1");
	cleanup_free char *text = NULL;
	char *boot_id;
	pid_t pid;

	(void)state;
	manager_drop();
	pid = stranger_with_record(0);
	text = content_of(path);
	boot_id = strchr(text, '-');
	assert_non_null(boot_id);
	boot_id[1] = boot_id[1] == '0' ? '1' : '0';
	assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL), 0);
	manager_make();
	assert_int_equal(service_pid(manager, "test@1"), 0);
	assert_false(file_exists(path));
	assert_false(process_is_over(pid));
	kill_process(pid);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_start_that_the_agent_did_not_live_to_record_is_found(void **state)
{
	cleanup_free char *services = in_temporary_folder("services");
	struct process_spec spec = {.argv = ARGV("sleep", forever)};
	CLEANUP(service_record_deinit)
	struct service_record record = {
		.state = SERVICE_RECORD_STARTING,
		.start_ticks = service_record_now_ticks(),
	};
	pid_t pid;

	(void)state;
	manager_drop();
	service_record_set_command(&record, spec.argv);
	assert_int_equal(service_record_store(services, "test@1", &record, NULL), 0);
	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_soon(process_has_arguments(pid));
	manager_make();
	assert_int_equal(service_pid(manager, "test@1"), pid);
}

static void a_record_that_is_none_is_removed(void **state)
{
	cleanup_free char *record = in_temporary_folder("services/test@1");
	cleanup_free char *temporary = in_temporary_folder("services/.test@1.a1b2c3");
	bool started = false;

	(void)state;
	manager_drop();
	assert_int_equal(file_replace(record, "\0\xff x", 4, 0644, NULL), 0);
	assert_int_equal(file_replace(temporary, "", 0, 0644, NULL), 0);
	manager_make();
	assert_false(file_exists(record));
	assert_false(file_exists(temporary));
	assert_int_equal(service_start(manager, SLEEPER, &started, NULL), 0);
	assert_true(started);
}

/* An agent in a process of its own, to be killed: makes a manager, starts, tells the pid, waits. */
static pid_t agent_start(const struct service_spec *spec, pid_t *ret_service_pid)
{
	int fds[2];
	pid_t agent;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	agent = fork();
	if (agent == 0) {
		pid_t pid;

		if (service_manager_new_direct(temporary_folder, &manager, NULL) < 0 ||
			service_start(manager, spec, NULL, NULL) < 0)
			_exit(1);
		pid = service_pid(manager, spec->name);
		if (write(fds[1], &pid, sizeof(pid)) < 0)
			_exit(2);
		pause();
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(
		read(fds[0], ret_service_pid, sizeof(*ret_service_pid)), sizeof(*ret_service_pid));
	close(fds[0]);
	return agent;
}

static void agent_kill(pid_t agent)
{
	kill(agent, SIGKILL);
	assert_int_equal(waitpid(agent, NULL, 0), agent);
}

static void a_killed_agent_leaves_the_service_running_for_the_next(void **state)
{
	bool started = true;
	pid_t agent;
	pid_t pid;

	(void)state;
	manager_drop();
	agent = agent_start(SLEEPER, &pid);
	agent_kill(agent);
	assert_false(process_is_over(pid));
	manager_make();
	assert_int_equal(service_start(manager, SLEEPER, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(service_pid(manager, "test@1"), pid);
	kill_process(pid);
	assert_soon(service_restart_count(manager, "test@1") == 1);
	assert_soon(sleeper_count() == 1);
}

static void agent_busy(void)
{
	struct service_spec *spec = SLEEPER;
	pid_t pid;

	if (service_manager_new_direct(temporary_folder, &manager, NULL) < 0)
		_exit(1);
	for (;;) {
		service_restart(manager, spec, NULL);
		pid = service_pid(manager, "test@1");
		if (pid > 0)
			kill_process(pid);
		service_stop(manager, "test@1", NULL);
		service_start(manager, spec, NULL, NULL);
	}
}

static void an_agent_killed_at_any_instant_never_leads_to_two_of_a_service(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		pid_t agent;

		manager_drop();
		agent = fork();
		if (agent == 0)
			agent_busy();
		clock_sleep_ms(5 + i % 13);
		agent_kill(agent);
		manager_make();
		assert_int_equal(service_start(manager, SLEEPER, NULL, NULL), 0);
		/* One that is found may still be on its way out. */
		assert_soon(sleeper_count() > 0);
		assert_in_range(sleeper_count(), 0, 1);
		stop("test@1");
		assert_int_equal(sleeper_count(), 0);
	}
}

/* Whoever connects to its socket gets to the one named "back". */
static char *haproxy_config_make(const char *socket_path)
{
	cleanup_free char *text = xformat("global\n"
					  "\tdaemon\n"
					  "\tmaxconn 100\n"
					  "defaults\n"
					  "\tmode tcp\n"
					  "\ttimeout connect 1m\n"
					  "\ttimeout client 1h\n"
					  "\ttimeout server 1h\n"
					  "frontend front\n"
					  "\tbind unix@%s\n"
					  "\tdefault_backend back\n"
					  "backend back\n"
					  "\tserver back unix@%s/back\n",
		socket_path, temporary_folder);
	char *path = xformat("%s/%s.cfg", temporary_folder, forever);

	assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
	return path;
}

static bool file_holds(const char *path, const char *word)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);

	return file_read(path, &text, NULL) == 0 && strstr(buf_text(&text), word);
}

/* The next connection over which something comes: who only asks who listens says nothing. */
static int speaker_accept(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		char byte;

		assert_true(fd >= 0);
		if (recv(fd, &byte, 1, 0) == 1)
			return fd;
		close(fd);
	}
}

static void haproxy_is_found_after_a_reload_and_ends_with_its_old_workers(void **state)
{
	cleanup_free char *front = in_temporary_folder("front");
	cleanup_free char *config = haproxy_config_make(front);
	cleanup_free char *output = in_temporary_folder("output");
	struct service_spec spec = *SPEC(ARGV("haproxy", "-Ws", "-f", config));
	cleanup_free char *back = in_temporary_folder("back");
	cleanup_close int listener = unix_socket_listen(back);
	cleanup_close int speaker = -1;
	cleanup_close int held = -1;
	bool started = true;
	pid_t agent;
	pid_t pid;

	(void)state;
	spec.process.output_path = output;
	spec.stop_signal = SIGTERM;
	manager_drop();
	agent = agent_start(&spec, &pid);
	assert_soon(unix_socket_has_listener(front));
	/* A master that still starts dies of the signal below, or does not hear it. */
	assert_soon(file_holds(output, "Loading success") && procfs_process_catches(pid, SIGUSR2));
	/* A stream, which keeps the old worker after a reload. */
	held = unix_socket_connect(front);
	assert_int_equal(write(held, "x", 1), 1);
	speaker = speaker_accept(listener);
	kill(pid, SIGUSR2);
	assert_soon(sleeper_count() == 3); /* master, two workers */
	agent_kill(agent);
	assert_true(unix_socket_has_listener(front));
	manager_make();
	assert_int_equal(service_start(manager, &spec, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(service_pid(manager, "test@1"), pid);
	assert_int_equal(sleeper_count(), 3);
	stop("test@1");
	assert_int_equal(sleeper_count(), 0);
	assert_false(unix_socket_has_listener(front));
}

static void haproxy_comes_back_when_its_master_is_killed(void **state)
{
	cleanup_free char *front = in_temporary_folder("front");
	cleanup_free char *config = haproxy_config_make(front);
	cleanup_free char *output = in_temporary_folder("output");
	struct service_spec spec = *SPEC(ARGV("haproxy", "-Ws", "-f", config));

	(void)state;
	spec.process.output_path = output;
	start(&spec);
	assert_soon(unix_socket_has_listener(front));
	main_process_kill();
	assert_soon(service_restart_count(manager, "test@1") == 1);
	assert_soon(unix_socket_has_listener(front));
	assert_soon(sleeper_count() == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		service_case(a_service_outlives_its_manager_and_is_found_by_the_next),
		service_case(a_service_that_died_without_an_agent_is_started_by_the_next),
		service_case(a_found_service_is_stopped_as_its_record_says),
		service_case(a_found_service_that_nobody_describes_is_not_started_again),
		service_case(a_process_that_got_the_pid_later_is_not_taken_for_the_service),
		service_case(a_record_of_an_earlier_boot_means_nothing),
		service_case(a_start_that_the_agent_did_not_live_to_record_is_found),
		service_case(a_record_that_is_none_is_removed),
		service_case(a_killed_agent_leaves_the_service_running_for_the_next),
		service_case(an_agent_killed_at_any_instant_never_leads_to_two_of_a_service),
		service_case(haproxy_is_found_after_a_reload_and_ends_with_its_old_workers),
		service_case(haproxy_comes_back_when_its_master_is_killed),
	};

	return cmocka_run_group_tests_name("service adoption", tests, NULL, NULL);
}
