/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/utilization.h"

#include <stdlib.h>

#include "base/log.h"

static void cpu_format(const char *load, unsigned cpu_count, struct buf *ret_text)
{
	buf_append_format(ret_text,
		"# HELP octavia_loadbalancer_cpu Load balancer CPU utilization (percentage).\n"
		"# TYPE octavia_loadbalancer_cpu gauge\n"
		"octavia_loadbalancer_cpu %.1f\n",
		strtod(load, NULL) / cpu_count * 100);
}

static void memory_format(const struct procfs_memory *memory, struct buf *ret_text)
{
	buf_append_format(ret_text,
		"# HELP octavia_loadbalancer_memory Load balancer memory utilization "
		"(percentage).\n"
		"# TYPE octavia_loadbalancer_memory gauge\n"
		"octavia_loadbalancer_memory %.1f\n",
		(double)(memory->total_kb - memory->available_kb) / (double)memory->total_kb * 100);
}

void utilization_format(const char *load, unsigned cpu_count, const struct procfs_memory *memory,
	struct buf *ret_text)
{
	cpu_format(load, cpu_count, ret_text);
	memory_format(memory, ret_text);
}

void utilization_append(struct buf *ret_text)
{
	struct procfs_load load;
	struct procfs_memory memory;
	struct err err = ERR_NONE;

	if (procfs_read_load(&load, &err) == 0)
		cpu_format(load.text[0], procfs_cpu_count(), ret_text);
	else
		log_debug("octavia_loadbalancer_cpu is left out: %s", err.text);
	if (procfs_read_memory(&memory, &err) == 0 && memory.total_kb > 0)
		memory_format(&memory, ret_text);
	else
		log_debug("octavia_loadbalancer_memory is left out: %s", err.text);
}
