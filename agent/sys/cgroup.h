/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that control groups leave us, version 1 or 2: where the appliance is a container, the
 * machine's /proc/meminfo promises more than it may use. A plain value. Used by the agent, through
 * sys/procfs.h.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct cgroup_memory {
	uint64_t limit_bytes;
	uint64_t used_bytes;   /* everything that is charged, page cache included */
	uint64_t cache_bytes;  /* page cache with shared memory */
	uint64_t shared_bytes; /* shared memory, counted in cache_bytes as well */
	uint64_t slab_bytes;   /* 0 with version 1, which does not tell */
};

/*
 * The tightest memory limit of the calling process's group and the groups around it, as far as they
 * are visible. Where systemd booted the machine every service has a group of its own, and a limit
 * that somebody set on the agent's unit says nothing about HAProxy: only the root of the visible
 * tree counts there, which is where a container's limit shows.
 * -ENOENT: no limit. root: in front of every path, "" but in tests.
 */
int cgroup_memory_read(const char *root, struct cgroup_memory *ret_memory, struct err *err);
