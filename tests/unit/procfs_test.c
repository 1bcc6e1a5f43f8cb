/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/cgroup.h"

/* An amphora of 1 GB with HAProxy's TLS session cache of 200 MB in use. */
static const char meminfo[] = "MemTotal:        1014588 kB\n"
			      "MemFree:          358272 kB\n"
			      "MemAvailable:     583912 kB\n"
			      "Buffers:           21440 kB\n"
			      "Cached:           451232 kB\n"
			      "SwapCached:          136 kB\n"
			      "Active:           156340 kB\n"
			      "Active(anon):       1560 kB\n"
			      "SwapTotal:             0 kB\n"
			      "Shmem:            205312 kB\n"
			      "KReclaimable:      59372 kB\n"
			      "Slab:              86700 kB\n"
			      "HugePages_Total:       0\n"
			      "DirectMap1G:           0 kB\n";

static void memory_is_read_line_by_line(void **state)
{
	struct procfs_memory memory;

	(void)state;
	assert_int_equal(procfs_parse_memory(meminfo, &memory), 0);
	assert_int_equal(memory.total_kb, 1014588);
	assert_int_equal(memory.free_kb, 358272);
	assert_int_equal(memory.buffers_kb, 21440);
	assert_int_equal(memory.swap_used_kb, 136);
	assert_int_equal(memory.shared_kb, 205312);
	assert_int_equal(memory.slab_kb, 86700);
}

static void cached_leaves_out_shared_memory(void **state)
{
	struct procfs_memory memory;

	(void)state;
	assert_int_equal(procfs_parse_memory(meminfo, &memory), 0);
	assert_int_equal(memory.cached_kb, 451232 - 205312);
	assert_int_equal(procfs_parse_memory("MemTotal: 9 kB\nMemFree: 1 kB\nCached: 2 kB\n"
					     "Shmem: 3 kB\n",
				 &memory),
		0);
	assert_int_equal(memory.cached_kb, 0);
}

static void memory_without_its_total_is_refused(void **state)
{
	struct procfs_memory memory = {.total_kb = 7};

	(void)state;
	assert_int_equal(procfs_parse_memory("", &memory), -EBADMSG);
	assert_int_equal(procfs_parse_memory("MemFree: 1 kB\nCached: 1 kB\n", &memory), -EBADMSG);
	assert_int_equal(
		procfs_parse_memory("MemTotal: x kB\nMemFree: 1 kB\nCached: 1 kB\n", &memory),
		-EBADMSG);
	assert_int_equal(memory.total_kb, 7);
}

static void available_memory_is_the_kernels_estimate_or_what_is_free(void **state)
{
	struct procfs_memory memory;

	(void)state;
	assert_int_equal(procfs_parse_memory("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 5 kB\n"
					     "Cached: 2 kB\n",
				 &memory),
		0);
	assert_int_equal(memory.available_kb, 5);
	assert_int_equal(
		procfs_parse_memory("MemTotal: 9 kB\nMemFree: 1 kB\nCached: 2 kB\n", &memory), 0);
	assert_int_equal(memory.available_kb, 1);
	assert_int_equal(procfs_parse_memory("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 10 kB\n"
					     "Cached: 2 kB\n",
				 &memory),
		0);
	assert_int_equal(memory.available_kb, 9);
}

static void a_control_group_brings_memory_down(void **state)
{
	const struct cgroup_memory limit = {
		.limit_bytes = UINT64_C(512) << 20,
		.used_bytes = UINT64_C(412) << 20,
		.cache_bytes = UINT64_C(300) << 20,
		.shared_bytes = UINT64_C(200) << 20,
		.slab_bytes = UINT64_C(8) << 20,
	};
	struct procfs_memory memory;

	(void)state;
	assert_int_equal(procfs_parse_memory(meminfo, &memory), 0);
	procfs_limit_memory(&memory, &limit);
	assert_int_equal(memory.total_kb, 512 << 10);
	assert_int_equal(memory.free_kb, 100 << 10);
	assert_int_equal(memory.buffers_kb, 0);
	assert_int_equal(memory.cached_kb, 100 << 10);
	assert_int_equal(memory.shared_kb, 200 << 10);
	assert_int_equal(memory.slab_kb, 8 << 10);
	assert_int_equal(memory.available_kb, 200 << 10);
}

static void a_control_group_never_promises_more_than_the_machine_has(void **state)
{
	struct cgroup_memory limit = {.limit_bytes = UINT64_C(2) << 30, .used_bytes = 4096};
	struct procfs_memory memory;

	(void)state;
	assert_int_equal(procfs_parse_memory(meminfo, &memory), 0);
	procfs_limit_memory(&memory, &limit);
	assert_int_equal(memory.total_kb, 1014588);
	assert_int_equal(memory.cached_kb, 451232 - 205312);
	limit.limit_bytes = UINT64_C(800) << 20;
	procfs_limit_memory(&memory, &limit);
	assert_int_equal(memory.total_kb, 800 << 10);
	assert_int_equal(memory.free_kb, 358272);
	limit.limit_bytes = UINT64_C(100) << 20;
	limit.used_bytes = UINT64_C(101) << 20;
	procfs_limit_memory(&memory, &limit);
	assert_int_equal(memory.free_kb, 0);
}

static void processor_time_is_the_first_line_of_stat(void **state)
{
	struct procfs_cpu cpu;

	(void)state;
	assert_int_equal(procfs_parse_cpu("cpu  7211 3 5026 273674 4442 0 180 509 0 0\n"
					  "cpu0 1 1 1 1 1 1 1 1 1 1\n",
				 &cpu),
		0);
	assert_int_equal(cpu.user_jiffies, 7211);
	assert_int_equal(cpu.system_jiffies, 5026);
	assert_int_equal(cpu.soft_irq_jiffies, 180);
	assert_int_equal(cpu.total_jiffies, 7211 + 3 + 5026 + 273674 + 4442 + 180 + 509);
}

static void processor_time_with_too_few_columns_is_refused(void **state)
{
	struct procfs_cpu cpu;

	(void)state;
	assert_int_equal(procfs_parse_cpu("cpu  1 2 3 4 5 6 7\n", &cpu), 0);
	assert_int_equal(procfs_parse_cpu("cpu  1 2 3 4 5 6\ncpu0 7 8\n", &cpu), -EBADMSG);
	assert_int_equal(procfs_parse_cpu("cpu0 1 2 3 4 5 6 7\n", &cpu), -EBADMSG);
	assert_int_equal(procfs_parse_cpu("", &cpu), -EBADMSG);
}

static void load_averages_stay_as_the_kernel_printed_them(void **state)
{
	struct procfs_load load;

	(void)state;
	assert_int_equal(procfs_parse_load("0.20 12.13 0.06 1/94 12043\n", &load), 0);
	assert_string_equal(load.text[0], "0.20");
	assert_string_equal(load.text[1], "12.13");
	assert_string_equal(load.text[2], "0.06");
	assert_int_equal(procfs_parse_load("0.20 0.13\n", &load), -EBADMSG);
	assert_int_equal(procfs_parse_load("0.20 0.13 a\n", &load), -EBADMSG);
	assert_int_equal(procfs_parse_load("1 2 1234567890123456\n", &load), -EBADMSG);
}

static void the_start_time_is_found_behind_any_program_name(void **state)
{
	static const char after[] = " S 1 2 3 0 -1 4194304 109 0 0 0 0 0 0 0 20 0 1 0 145781 313";
	static const char *const names[] = {"cat", "a b", "x) R 1 2", "((", ")", ""};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t ticks = 0;

		snprintf(text, sizeof(text), "12043 (%s)%s", names[i], after);
		assert_int_equal(procfs_parse_start_time(text, &ticks), 0);
		assert_int_equal(ticks, 145781);
	}
}

static void a_process_line_that_ends_early_is_refused(void **state)
{
	uint64_t ticks = 7;

	(void)state;
	assert_int_equal(procfs_parse_start_time("", &ticks), -EBADMSG);
	assert_int_equal(procfs_parse_start_time("1 (x", &ticks), -EBADMSG);
	assert_int_equal(procfs_parse_start_time("1 (x)", &ticks), -EBADMSG);
	assert_int_equal(procfs_parse_start_time(
				 "1 (x) S 1 2 3 0 -1 4194304 109 0 0 0 0 0 0 0 20 0 1 0\n", &ticks),
		-EBADMSG);
	assert_int_equal(ticks, 7);
}

static void a_process_keeps_its_start_time_and_loses_it_when_it_is_gone(void **state)
{
	uint64_t parent_ticks = 0;
	uint64_t ticks = 0;
	uint64_t again = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		prctl(PR_SET_NAME, ") R 1 (");
		pause();
		_exit(0);
	}
	assert_int_equal(procfs_process_start_time(getpid(), &parent_ticks), 0);
	assert_int_equal(procfs_process_start_time(child, &ticks), 0);
	assert_true(ticks >= parent_ticks);
	assert_int_equal(procfs_process_start_time(child, &again), 0);
	assert_int_equal(ticks, again);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(procfs_process_start_time(child, &ticks), -ESRCH);
	assert_int_equal(procfs_process_start_time(0, &ticks), -ESRCH);
	assert_int_equal(procfs_process_start_time(-1, &ticks), -ESRCH);
	assert_int_equal(ticks, again);
}

static void ignore(int signal)
{
	(void)signal;
}

static void a_process_catches_what_it_has_a_handler_for(void **state)
{
	(void)state;
	assert_false(procfs_process_catches(getpid(), SIGUSR2));
	signal(SIGUSR2, ignore);
	assert_true(procfs_process_catches(getpid(), SIGUSR2));
	assert_false(procfs_process_catches(getpid(), SIGUSR1));
	signal(SIGUSR2, SIG_IGN);
	assert_false(procfs_process_catches(getpid(), SIGUSR2));
	signal(SIGUSR2, SIG_DFL);
	assert_false(procfs_process_catches(0, SIGUSR2));
	assert_false(procfs_process_catches(-1, SIGUSR2));
}

static const char net_dev[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
	"drop fifo colls carrier compressed\n"
	"    lo:    3267      29    0    0    0     0          0         0     3267      29    0   "
	" 0    0     0       0          0\n"
	"  eth1: 52930716    1405    0    0    0     0          0         0    83336     803    0  "
	"  0    0     0       0          0\n"
	" veth0:       1       0    0    0    0     0          0         0        2       0    0   "
	" 0    0     0       0          0\n"
	"eth123456789012: 18446744073709551615 1 0 0 0 0 0 0 3 0 0 0 0 0 0 0\n";

static void only_interfaces_with_the_prefix_are_counted(void **state)
{
	struct procfs_interfaces interfaces = {0};

	(void)state;
	assert_int_equal(procfs_parse_interfaces(net_dev, "eth", &interfaces), 0);
	assert_int_equal(interfaces.count, 2);
	assert_string_equal(interfaces.items[0].name, "eth1");
	assert_int_equal(interfaces.items[0].rx_bytes, 52930716);
	assert_int_equal(interfaces.items[0].tx_bytes, 83336);
	assert_string_equal(interfaces.items[1].name, "eth123456789012");
	assert_true(interfaces.items[1].rx_bytes == UINT64_MAX);
	assert_int_equal(interfaces.items[1].tx_bytes, 3);
	procfs_interfaces_deinit(&interfaces);
	assert_null(interfaces.items);
}

static void a_namespace_without_interfaces_has_none(void **state)
{
	struct procfs_interfaces interfaces = {0};

	(void)state;
	assert_int_equal(
		procfs_parse_interfaces("Inter-| R | T\n face |b |b\n", "eth", &interfaces), 0);
	assert_int_equal(interfaces.count, 0);
	procfs_interfaces_deinit(&interfaces);
}

static void interface_lines_that_are_none_are_refused(void **state)
{
	static const char *const lines[] = {"eth0 1 2 3\n", "eth0: 1 2 3\n", ": 1 2 3\n", "\n",
		"eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x\n",
		"eth1234567890123: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"};
	struct procfs_interfaces interfaces = {0};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "Inter-| R | T\n face |b |b\n%s", lines[i]);
		assert_int_equal(procfs_parse_interfaces(text, "eth", &interfaces), -EBADMSG);
	}
	assert_int_equal(procfs_parse_interfaces("", "eth", &interfaces), -EBADMSG);
	assert_null(interfaces.items);
}

static void this_machine_is_understood(void **state)
{
	struct procfs_interfaces interfaces = {0};
	struct procfs_memory memory = {0};
	struct procfs_boot_id boot_id = {0};
	struct procfs_load load = {0};
	struct procfs_disk disk = {0};
	struct procfs_cpu cpu = {0};
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(procfs_read_memory(&memory, &err), 0);
	assert_true(memory.total_kb > memory.free_kb && memory.total_kb > 1024);
	assert_int_equal(procfs_read_cpu(&cpu, &err), 0);
	assert_true(cpu.total_jiffies > cpu.user_jiffies);
	assert_true(procfs_cpu_count() >= 1);
	assert_int_equal(procfs_read_load(&load, &err), 0);
	assert_true(load.text[2][0] != '\0');
	assert_int_equal(procfs_read_boot_id(&boot_id, &err), 0);
	assert_int_equal(strlen(boot_id.text), 36);
	assert_int_equal(procfs_read_disk("/", &disk, &err), 0);
	assert_true(disk.available_bytes > 0);
	assert_int_equal(procfs_read_interfaces("", "", &interfaces, &err), 0);
	assert_true(interfaces.count >= 1);
	procfs_interfaces_deinit(&interfaces);
}

static void processors_are_counted_that_we_may_not_run_on(void **state)
{
	cpu_set_t before;
	cpu_set_t first;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&first);
	for (int cpu = 0; CPU_COUNT(&first) == 0; cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
	assert_int_equal(procfs_cpu_count(), sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void a_missing_namespace_or_path_is_told(void **state)
{
	struct procfs_interfaces interfaces = {0};
	struct procfs_disk disk;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(
		procfs_read_interfaces("unit-test-nowhere", "eth", &interfaces, &err), -ENOENT);
	assert_non_null(strstr(err.text, "unit-test-nowhere"));
	assert_int_equal(procfs_read_disk("/nowhere/at/all", &disk, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_read_line_by_line),
		cmocka_unit_test(cached_leaves_out_shared_memory),
		cmocka_unit_test(memory_without_its_total_is_refused),
		cmocka_unit_test(available_memory_is_the_kernels_estimate_or_what_is_free),
		cmocka_unit_test(a_control_group_brings_memory_down),
		cmocka_unit_test(a_control_group_never_promises_more_than_the_machine_has),
		cmocka_unit_test(processor_time_is_the_first_line_of_stat),
		cmocka_unit_test(processor_time_with_too_few_columns_is_refused),
		cmocka_unit_test(load_averages_stay_as_the_kernel_printed_them),
		cmocka_unit_test(the_start_time_is_found_behind_any_program_name),
		cmocka_unit_test(a_process_line_that_ends_early_is_refused),
		cmocka_unit_test(a_process_catches_what_it_has_a_handler_for),
		cmocka_unit_test(a_process_keeps_its_start_time_and_loses_it_when_it_is_gone),
		cmocka_unit_test(only_interfaces_with_the_prefix_are_counted),
		cmocka_unit_test(a_namespace_without_interfaces_has_none),
		cmocka_unit_test(interface_lines_that_are_none_are_refused),
		cmocka_unit_test(this_machine_is_understood),
		cmocka_unit_test(processors_are_counted_that_we_may_not_run_on),
		cmocka_unit_test(a_missing_namespace_or_path_is_told),
	};

	return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}
