/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine has for HAProxy, as rendering asks for it (render/haproxy_cfg.h). The same from
 * one rendering to the next, or each would be another config and another reload: measured by the
 * first agent after a boot, which keeps the memory in RUNTIME/memory for those that follow. A plain
 * value. Used by the agent.
 */
#pragma once

#include <stdint.h>

struct machine {
	unsigned cpu_count;     /* 0: HAProxy has none to itself */
	uint64_t available_kib; /* free, buffers and cached when it was measured; 0: unknown */
};

struct machine machine_measure(const char *runtime_dir);
