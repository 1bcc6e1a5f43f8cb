/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager systemd, over a private bus with tests/harness/fake_systemd.py on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "sys/process.h"
#include "sys/service.h"
#include "sys/systemd.h"
#include "eventually.h"
#include "kill_process.h"
#include "temporary_folder.h"
#include "unix_socket.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SPEC(...) (&(struct service_spec){.name = "test", .process.argv = __VA_ARGS__})
#define SLEEPER   SPEC(ARGV("sleep", "1000"))

static struct service_manager *manager;
static pid_t bus;
static pid_t systemd;

static const char bus_config[] =
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
	" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	"<busconfig><listen>unix:path=%s/bus</listen><policy context=\"default\">\n"
	"<allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
	"<allow eavesdrop=\"true\"/></policy></busconfig>\n";

static pid_t spawn(const char *const *argv)
{
	cleanup_free char *output = in_temporary_folder("output");
	const struct process_spec spec = {.argv = argv, .output_path = output};
	struct err err = ERR_NONE;
	pid_t pid;

	if (process_spawn(&spec, &pid, &err) < 0)
		fail_msg("%s", err.text);
	return pid;
}

static void end(pid_t *pid)
{
	kill_process(*pid);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static bool output_says(const char *word)
{
	cleanup_free char *path = in_temporary_folder("output");
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);

	return file_read(path, &text, NULL) == 0 && strstr(buf_text(&text), word);
}

static int setup(void **state)
{
	cleanup_free char *config_path = NULL;
	cleanup_free char *config = NULL;
	cleanup_free char *bus_socket = NULL;
	cleanup_free char *address = NULL;
	cleanup_free char *units = NULL;
	cleanup_free char *faults = NULL;

	if (temporary_folder_setup(state) < 0)
		return -1;
	config_path = in_temporary_folder("bus.conf");
	config = xformat(bus_config, temporary_folder);
	temporary_file("bus.conf", config);
	bus_socket = in_temporary_folder("bus");
	address = xformat("unix:path=%s", bus_socket);
	units = in_temporary_folder("units");
	faults = in_temporary_folder("faults.json");
	bus = spawn(ARGV("dbus-daemon", "--config-file", config_path, "--nofork", "--nopidfile"));
	assert_soon(unix_socket_has_listener(bus_socket));
	systemd = spawn(ARGV("/usr/bin/python3", "-B", SHARED_TESTS "/harness/fake_systemd.py",
		address, units, faults));
	assert_soon(output_says("ready"));
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, true);
	manager = service_manager_new_systemd(units);
	return 0;
}

static int teardown(void **state)
{
	if (bus)
		service_remove(manager, "test", NULL);
	service_manager_free(manager);
	end(&systemd);
	if (bus)
		end(&bus);
	return temporary_folder_teardown(state);
}

/* Of one question: between two the answer may change. */
static bool is_successor(pid_t present, pid_t before)
{
	return present > 1 && present != before;
}

static pid_t started(const struct service_spec *spec)
{
	struct err err = ERR_NONE;
	bool is_new = false;

	if (service_start(manager, spec, &is_new, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(is_new);
	return service_pid(manager, spec->name);
}

static void a_started_service_runs_until_it_is_stopped(void **state)
{
	cleanup_free char *unit = in_temporary_folder("units/test.service");
	pid_t pid;

	(void)state;
	assert_int_equal(service_pid(manager, "test"), 0);
	pid = started(SLEEPER);
	assert_true(pid > 1);
	assert_int_equal(service_stop(manager, "test", NULL), 0);
	assert_int_equal(service_pid(manager, "test"), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(file_exists(unit));
	assert_int_equal(service_remove(manager, "test", NULL), 0);
	assert_false(file_exists(unit));
}

static void starting_what_runs_does_nothing(void **state)
{
	pid_t pid = started(SLEEPER);
	bool is_new = true;

	(void)state;
	assert_int_equal(service_start(manager, SLEEPER, &is_new, NULL), 0);
	assert_false(is_new);
	assert_int_equal(service_pid(manager, "test"), pid);
}

static void stopping_and_removing_what_does_not_exist_is_fine(void **state)
{
	(void)state;
	assert_int_equal(service_stop(manager, "nobody", NULL), 0);
	assert_int_equal(service_remove(manager, "nobody", NULL), 0);
	assert_int_equal(service_restart_count(manager, "nobody"), 0);
}

static void a_service_that_dies_is_started_again_and_counted(void **state)
{
	pid_t pid = started(SLEEPER);

	(void)state;
	kill_process(pid);
	assert_soon(is_successor(service_pid(manager, "test"), pid));
	assert_int_equal(service_restart_count(manager, "test"), 1);
}

static void a_changed_spec_counts_from_the_next_start_on(void **state)
{
	pid_t pid = started(SLEEPER);
	cleanup_free char *path = NULL;
	cleanup_buf struct buf command = BUF_INIT(KIB);

	(void)state;
	assert_int_equal(
		service_start(manager, SPEC(ARGV("sleep", "2000")), &(bool){false}, NULL), 0);
	assert_int_equal(service_pid(manager, "test"), pid);
	assert_int_equal(service_restart(manager, SPEC(ARGV("sleep", "3000")), NULL), 0);
	assert_int_not_equal(service_pid(manager, "test"), pid);
	assert_soon(process_has_arguments(service_pid(manager, "test")));
	path = xformat("/proc/%d/cmdline", service_pid(manager, "test"));
	assert_int_equal(file_read(path, &command, NULL), 0);
	assert_string_equal(buf_text(&command) + strlen("sleep") + 1, "3000");
}

static void only_what_is_to_start_at_boot_is_linked_for_it_and_only_while_wanted(void **state)
{
	struct service_spec spec = *SLEEPER;
	cleanup_free char *link = in_temporary_folder("units/multi-user.target.wants/test.service");

	(void)state;
	started(&spec);
	assert_false(file_exists(link));
	spec.starts_at_boot = true;
	assert_int_equal(service_start(manager, &spec, NULL, NULL), 0);
	assert_true(file_exists(link));
	assert_int_equal(service_stop(manager, "test", NULL), 0);
	assert_false(file_exists(link));
}

static void a_program_that_is_not_there_is_an_error_and_not_wanted(void **state)
{
	struct service_spec spec = *SPEC(ARGV("/nonexistent"));
	cleanup_free char *link = in_temporary_folder("units/multi-user.target.wants/test.service");
	struct err err = ERR_NONE;

	(void)state;
	spec.starts_at_boot = true;
	assert_int_equal(service_start(manager, &spec, NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "journalctl -u test.service"));
	assert_false(file_exists(link));
}

static void a_job_that_does_not_end_is_given_up(void **state)
{
	int64_t began_ms;
	struct err err = ERR_NONE;

	(void)state;
	started(SLEEPER);
	temporary_file("faults.json", "{\"StopUnit\": \"hang\"}");
	began_ms = clock_now_ms();
	assert_int_equal(systemd_job_run(SYSTEMD_JOB_STOP, "test.service", 300, &err), -ETIMEDOUT);
	assert_in_range(clock_now_ms() - began_ms, 290, 2000);
	temporary_file("faults.json", "{}");
}

static void a_stop_that_systemd_cancels_is_an_error_and_changes_nothing(void **state)
{
	pid_t pid = started(SLEEPER);

	(void)state;
	temporary_file("faults.json", "{\"StopUnit\": \"canceled\"}");
	assert_int_equal(service_stop(manager, "test", NULL), -EIO);
	temporary_file("faults.json", "{}");
	assert_int_equal(service_pid(manager, "test"), pid);
}

static void *bus_kill_soon(void *context)
{
	clock_sleep_ms(200);
	end(context);
	return NULL;
}

static void a_bus_that_goes_away_ends_the_wait_for_a_job(void **state)
{
	int64_t began_ms = clock_now_ms();
	pid_t pid = started(SLEEPER);
	struct err err = ERR_NONE;
	pthread_t thread;

	(void)state;
	temporary_file("faults.json", "{\"StopUnit\": \"hang\"}");
	assert_int_equal(pthread_create(&thread, NULL, bus_kill_soon, &bus), 0);
	assert_true(service_stop(manager, "test", &err) < 0);
	pthread_join(thread, NULL);
	assert_in_range(clock_now_ms() - began_ms, 0, 5000);
	assert_int_equal(service_pid(manager, "test"), 0);
	assert_true(service_start(manager, SLEEPER, NULL, &err) < 0);
	assert_non_null(strstr(err.text, "system bus"));
	assert_int_equal(kill(pid, 0), 0);
	kill_process(systemd);
	kill_process(pid);
}

#define service_case(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		service_case(a_started_service_runs_until_it_is_stopped),
		service_case(starting_what_runs_does_nothing),
		service_case(stopping_and_removing_what_does_not_exist_is_fine),
		service_case(a_service_that_dies_is_started_again_and_counted),
		service_case(a_changed_spec_counts_from_the_next_start_on),
		service_case(only_what_is_to_start_at_boot_is_linked_for_it_and_only_while_wanted),
		service_case(a_program_that_is_not_there_is_an_error_and_not_wanted),
		service_case(a_job_that_does_not_end_is_given_up),
		service_case(a_stop_that_systemd_cancels_is_an_error_and_changes_nothing),
		service_case(a_bus_that_goes_away_ends_the_wait_for_a_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
