/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two metrics of the amphora itself: octavia_loadbalancer_cpu, the load average of one minute
 * for each processor, and octavia_loadbalancer_memory, what is not available; both in percent
 * (amphora-api.md, "Prometheus"). Used by the Prometheus proxy.
 */
#pragma once

#include "base/buf.h"
#include "sys/procfs.h"

/* load: of one minute, as the kernel prints it. memory: total_kb is not 0. */
void utilization_format(const char *load, unsigned cpu_count, const struct procfs_memory *memory,
	struct buf *ret_text);
/* The same of this machine; a figure that cannot be read is left out. */
void utilization_append(struct buf *ret_text);
