/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/machine.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/procfs.h"

enum { NUMBER_MAX_BYTES = 32 };

/* A container that has some of the machine's CPUs cannot put HAProxy on the others. */
static bool has_all_cpus(unsigned cpu_count)
{
	cpu_set_t ours;

	if (cpu_count > CPU_SETSIZE || sched_getaffinity(0, sizeof(ours), &ours) < 0)
		return false;
	for (unsigned i = 0; i < cpu_count; i++)
		if (!CPU_ISSET(i, &ours))
			return false;
	return true;
}

static uint64_t available_read(void)
{
	struct procfs_memory memory;
	struct err err = ERR_NONE;

	if (procfs_read_memory(&memory, &err) < 0) {
		log_warning("%s", err.text);
		return 0;
	}
	return memory.free_kb + memory.buffers_kb + memory.cached_kb;
}

static uint64_t available_kept(const char *runtime_dir)
{
	cleanup_free char *path = xformat("%s/memory", runtime_dir);
	cleanup_buf struct buf text = BUF_INIT(NUMBER_MAX_BYTES);
	cleanup_free char *number = NULL;
	struct err err = ERR_NONE;
	uint64_t available;

	if (file_read(path, &text, NULL) == 0 &&
		text_parse_u64(buf_text(&text), 0, UINT64_MAX, &available) == 0)
		return available;
	available = available_read();
	number = xformat("%llu", (unsigned long long)available);
	if (file_replace_nosync(path, number, strlen(number), 0644, &err) < 0)
		log_warning("%s", err.text);
	return available;
}

struct machine machine_measure(const char *runtime_dir)
{
	unsigned cpu_count = procfs_cpu_count();

	return (struct machine){
		.cpu_count = has_all_cpus(cpu_count) ? cpu_count : 0,
		.available_kib = available_kept(runtime_dir),
	};
}
