/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/machine.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/procfs.h"
#include "sys/tuned.h"

enum { NUMBER_MAX_BYTES = 32 };

/*
 * CPUs are HAProxy's own where the image keeps everything else off them, as Octavia has it;
 * anywhere else, the kernel knows better.
 */
static unsigned haproxy_cpu_count(void)
{
	struct tuned_profiles profiles;

	tuned_read_profiles(&profiles);
	return tuned_profiles_have(&profiles, "amphora") ? procfs_cpu_count() : 0;
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
	return (struct machine){
		.cpu_count = haproxy_cpu_count(),
		.available_kib = available_kept(runtime_dir),
	};
}
