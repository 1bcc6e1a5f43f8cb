/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "eventually.h"
#include "kill_process.h"
#include "real_keepalived.h"

static struct keepalived_process process;

static int setup(void **state)
{
	int r = keepalived_setup(state);

	process = (struct keepalived_process){
		.service = "octavia-keepalived",
		.config = in_temporary_folder("keepalived.conf"),
		.pid_file = in_temporary_folder("keepalived.pid"),
		.vrrp_pid_file = in_temporary_folder("keepalived.vrrp.pid"),
		.only_vrrp = true,
	};
	temporary_file("keepalived.conf", vrrp_config);
	return r;
}

static int teardown(void **state)
{
	keepalived_process_stop(site, &process, NULL);
	free((char *)process.config);
	free((char *)process.pid_file);
	free((char *)process.vrrp_pid_file);
	return keepalived_teardown(state);
}

#define with_process(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void start(void)
{
	struct err err = ERR_NONE;
	bool started;

	if (keepalived_process_start(site, &process, &started, &err) < 0)
		fail_msg("%s", err.text);
}

static pid_t main_process(void)
{
	return keepalived_pid(process.pid_file);
}

/* Who was killed just now may be the one that is found. */
static void kill_main_process(void)
{
	pid_t pid;

	assert_soon((pid = main_process()) != 0);
	kill_process(pid);
}

static bool is_replaced(pid_t before)
{
	pid_t now = main_process();

	return now != 0 && now != before;
}

static void a_started_one_is_found_by_its_pid_file_and_takes_the_vip(void **state)
{
	struct err err = ERR_NONE;
	struct stat status;
	bool started;

	(void)state;
	assert_int_equal(main_process(), 0);
	assert_int_equal(keepalived_process_start(site, &process, &started, &err), 0);
	assert_true(started);
	assert_int_not_equal(main_process(), 0);
	assert_int_equal(main_process(), service_pid(services, process.service));
	/* The sender, which is another user, reads it. */
	assert_int_equal(stat(process.pid_file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	assert_soon(has_vip());
}

static void one_that_runs_is_not_started_again(void **state)
{
	bool started = true;
	pid_t pid;

	(void)state;
	start();
	pid = main_process();
	assert_int_equal(keepalived_process_start(site, &process, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(main_process(), pid);
}

static void a_reload_takes_up_the_config_and_keeps_the_vip(void **state)
{
	cleanup_free char *config = config_with(VIP "\n", VIP "\n        198.51.100.14\n");
	bool started = true;
	pid_t pid;

	(void)state;
	start();
	pid = main_process();
	assert_soon(has_vip());
	temporary_file("keepalived.conf", config);
	assert_int_equal(keepalived_process_reload(site, &process, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(main_process(), pid);
	assert_true(has_vip());
	assert_soon(ip_shows("address", " 198.51.100.14/32 "));
}

static void a_reload_starts_what_does_not_run(void **state)
{
	bool started = false;

	(void)state;
	assert_int_equal(keepalived_process_reload(site, &process, &started, NULL), 0);
	assert_true(started);
	assert_int_not_equal(main_process(), 0);
}

static void a_stopped_one_takes_its_addresses_routes_and_rules_along(void **state)
{
	(void)state;
	start();
	assert_soon(has_vip() && ip_shows("rule", "from " VIP));
	assert_int_equal(keepalived_process_stop(site, &process, NULL), 0);
	assert_int_equal(main_process(), 0);
	assert_false(has_vip());
	assert_false(ip_shows("rule", "from " VIP));
	/* Once more is fine. */
	assert_int_equal(keepalived_process_stop(site, &process, NULL), 0);
}

static void why_one_does_not_start_is_told_in_its_words(void **state)
{
	cleanup_free char *config = config_with("interface eth1", "interface eth9");
	struct err err = ERR_NONE;
	bool started;

	(void)state;
	temporary_file("keepalived.conf", config);
	assert_int_equal(keepalived_process_start(site, &process, &started, &err), -ECHILD);
	assert_non_null(strstr(err.text, "starting octavia-keepalived"));
	assert_non_null(strstr(err.text, "interface eth9"));
	assert_non_null(strstr(err.text, "permanent error CONFIG"));
}

static void what_was_missing_at_the_start_may_come_later(void **state)
{
	bool started;

	(void)state;
	ip("link", "set", "eth1", "down");
	ip("link", "set", "eth1", "name", "elsewhere");
	assert_int_equal(keepalived_process_start(site, &process, &started, NULL), -ECHILD);
	ip("link", "set", "elsewhere", "name", "eth1");
	ip("link", "set", "eth1", "up");
	assert_soon(has_vip());
}

static void a_reload_that_ends_it_is_a_failure(void **state)
{
	cleanup_free char *config = config_with("    virtual_router_id 1\n", "");
	struct err err = ERR_NONE;
	bool started;

	(void)state;
	start();
	temporary_file("keepalived.conf", config);
	assert_int_equal(keepalived_process_reload(site, &process, &started, &err), -ECHILD);
	assert_non_null(strstr(err.text, "reloading octavia-keepalived"));
	assert_non_null(strstr(err.text, "the virtual router id must be set"));
}

/* Whether it is still found or not: who asks for it gets a running one. */
static void one_that_is_ending_is_started_by_a_start_and_a_reload(void **state)
{
	struct err err = ERR_NONE;
	bool started;

	(void)state;
	start();
	for (int i = 0; i < 4; i++) {
		kill_main_process();
		start();
		kill_main_process();
		if (keepalived_process_reload(site, &process, &started, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_not_equal(main_process(), 0);
	}
}

/* As long as nobody else claims the VIP, a keepalived that starts waits more than 3 s with it. */
static void a_killed_one_comes_back_and_clears_the_vip_that_it_left(void **state)
{
	pid_t pid;

	(void)state;
	start();
	pid = main_process();
	assert_soon(has_vip());
	kill_process(pid);
	assert_soon(is_replaced(pid) && !has_vip());
	/* At once: what the killed one left behind keeps nothing from starting. */
	assert_soon(service_restart_count(services, process.service) == 1);
	assert_soon(has_vip());
}

static void one_whose_vrrp_process_was_killed_clears_the_vip_and_goes_on(void **state)
{
	pid_t pid;

	(void)state;
	start();
	pid = main_process();
	assert_soon(has_vip());
	kill_process(keepalived_pid(process.vrrp_pid_file));
	assert_soon(!has_vip());
	assert_soon(has_vip());
	assert_int_equal(main_process(), pid);
}

static void a_pid_file_that_names_a_stranger_keeps_nothing_from_starting(void **state)
{
	char stranger[16];

	(void)state;
	snprintf(stranger, sizeof(stranger), "%d\n", getpid());
	temporary_file("keepalived.pid", stranger);
	temporary_file("keepalived.vrrp.pid", stranger);
	assert_int_equal(main_process(), 0);
	start();
	assert_int_not_equal(main_process(), 0);
	assert_int_not_equal(main_process(), getpid());
}

static void one_that_runs_is_found_again_by_the_next_agent(void **state)
{
	bool started = true;
	pid_t pid;

	(void)state;
	start();
	pid = main_process();
	site_drop();
	site_make();
	assert_int_equal(keepalived_process_start(site, &process, &started, NULL), 0);
	assert_false(started);
	assert_int_equal(main_process(), pid);
}

static void a_pid_file_names_nobody_when_absent_empty_or_no_number(void **state)
{
	(void)state;
	assert_int_equal(main_process(), 0);
	temporary_file("keepalived.pid", "");
	assert_int_equal(main_process(), 0);
	temporary_file("keepalived.pid", "soon\n");
	assert_int_equal(main_process(), 0);
	temporary_file("keepalived.pid", "-1\n");
	assert_int_equal(main_process(), 0);
	temporary_file("keepalived.pid", "99999999999999999999\n");
	assert_int_equal(main_process(), 0);
}

static void a_dead_one_that_nobody_waited_for_does_not_run(void **state)
{
	const char *const argv[] = {"tail", "-f", "/dev/null", process.pid_file, NULL};
	const struct process_spec spec = {.argv = argv};
	char number[16];
	siginfo_t ended;
	pid_t pid;

	(void)state;
	assert_int_equal(process_spawn(&spec, &pid, NULL), 0);
	assert_soon(process_has_arguments(pid));
	snprintf(number, sizeof(number), "%d\n", pid);
	temporary_file("keepalived.pid", number);
	assert_int_equal(main_process(), pid);
	kill_process(pid);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_int_equal(main_process(), 0);
	waitpid(pid, NULL, 0);
}

static void outputs_are_emptied_when_they_have_grown_large(void **state)
{
	cleanup_free char *path = xformat("%s/octavia-keepalived.output", settings.runtime_dir);
	struct stat status;

	(void)state;
	start();
	keepalived_process_trim_outputs(site);
	assert_int_equal(stat(path, &status), 0);
	assert_int_not_equal(status.st_size, 0);
	assert_int_equal(truncate(path, 2 * MIB), 0);
	keepalived_process_trim_outputs(site);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size < MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_process(a_started_one_is_found_by_its_pid_file_and_takes_the_vip),
		with_process(one_that_runs_is_not_started_again),
		with_process(a_reload_takes_up_the_config_and_keeps_the_vip),
		with_process(a_reload_starts_what_does_not_run),
		with_process(a_stopped_one_takes_its_addresses_routes_and_rules_along),
		with_process(why_one_does_not_start_is_told_in_its_words),
		with_process(what_was_missing_at_the_start_may_come_later),
		with_process(a_reload_that_ends_it_is_a_failure),
		with_process(one_that_is_ending_is_started_by_a_start_and_a_reload),
		with_process(a_killed_one_comes_back_and_clears_the_vip_that_it_left),
		with_process(one_whose_vrrp_process_was_killed_clears_the_vip_and_goes_on),
		with_process(a_pid_file_that_names_a_stranger_keeps_nothing_from_starting),
		with_process(one_that_runs_is_found_again_by_the_next_agent),
		with_process(a_pid_file_names_nobody_when_absent_empty_or_no_number),
		with_process(a_dead_one_that_nobody_waited_for_does_not_run),
		with_process(outputs_are_emptied_when_they_have_grown_large),
	};

	return cmocka_run_group_tests_name("keepalived_process", tests, NULL, NULL);
}
