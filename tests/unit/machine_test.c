/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/machine.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sys/procfs.h"
#include "sys/tuned.h"
#include "temporary_folder.h"

/* An /etc of our own, where TuneD may be. */
static int etc_setup(void **state)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/etc", "tmpfs", 0, NULL) < 0 || mkdir("/etc/tuned", 0755) < 0)
		return -1;
	return temporary_folder_setup(state);
}

static int etc_teardown(void **state)
{
	return umount("/etc") | temporary_folder_teardown(state);
}

static void set_active(const char *profiles)
{
	assert_int_equal(
		file_replace("/etc/tuned/active_profile", profiles, strlen(profiles), 0644, NULL),
		0);
}

static void haproxy_has_cpus_to_itself_where_tuned_keeps_them_for_it(void **state)
{
	(void)state;
	assert_int_equal(machine_measure(temporary_folder).cpu_count, 0);
	set_active("network-latency\n");
	assert_int_equal(machine_measure(temporary_folder).cpu_count, 0);
	set_active("my-amphora amphora-2\n");
	assert_int_equal(machine_measure(temporary_folder).cpu_count, 0);
	set_active("network-latency amphora\n");
	assert_int_equal(machine_measure(temporary_folder).cpu_count, procfs_cpu_count());
}

static void profiles_are_one_line(void **state)
{
	struct tuned_profiles profiles;

	(void)state;
	set_active("a b\nc\n");
	tuned_read_profiles(&profiles);
	assert_string_equal(profiles.text, "a b");
	assert_true(tuned_profiles_have(&profiles, "a"));
	assert_true(tuned_profiles_have(&profiles, "b"));
	assert_false(tuned_profiles_have(&profiles, "c"));
}

static void memory_is_measured_once(void **state)
{
	uint64_t available_kib;

	(void)state;
	available_kib = machine_measure(temporary_folder).available_kib;
	assert_true(available_kib > 0);
	temporary_file("memory", "4711");
	assert_int_equal(machine_measure(temporary_folder).available_kib, 4711);
}

#define with_etc(test) cmocka_unit_test_setup_teardown(test, etc_setup, etc_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_etc(haproxy_has_cpus_to_itself_where_tuned_keeps_them_for_it),
		with_etc(profiles_are_one_line),
		with_etc(memory_is_measured_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
