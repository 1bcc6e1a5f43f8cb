/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts about the machine, from /proc and a few system calls: what GET details reports
 * (amphora-api.md, "details") and how a process is told from a later one with its pid. The parsers
 * take the kernel's text (proc(5)) and are pure; the readers open the files and call them. Plain
 * values. Used by the agent and the Prometheus proxy.
 *
 * Every call returns 0 or a negative errno; -EBADMSG: the text is not what the kernel writes.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * kB of 1024 bytes, as in /proc/meminfo, but for one figure: cached_kb leaves out shared memory
 * (Shmem), which the kernel counts in Cached although it cannot be dropped. HAProxy's TLS session
 * cache is such memory, and the controller sizes a new worker's cache by free + buffers + cached
 * (amphora-api.md, "tune.ssl.cachesize"). With Shmem in it the old worker's cache looks free while
 * it still runs, and the reload that holds both is killed for memory.
 */
struct procfs_memory {
	uint64_t total_kb;
	uint64_t free_kb;
	uint64_t buffers_kb;
	uint64_t cached_kb;
	uint64_t swap_used_kb; /* SwapCached: the reference's choice under this name */
	uint64_t shared_kb;
	uint64_t slab_kb;
	uint64_t available_kb; /* to new programs without swapping; at most total_kb */
};

int procfs_parse_memory(const char *meminfo, struct procfs_memory *ret_memory);
struct cgroup_memory; /* sys/cgroup.h */
/* Brings the machine's figures down to what a control group allows; a limit above them does
 * nothing. */
void procfs_limit_memory(struct procfs_memory *memory, const struct cgroup_memory *limit);
/* The machine's memory within the control group's limit. */
int procfs_read_memory(struct procfs_memory *ret_memory, struct err *err);

/* Since boot, all processors together. total_jiffies adds up every column, as the reference does.
 */
struct procfs_cpu {
	uint64_t total_jiffies;
	uint64_t user_jiffies;
	uint64_t system_jiffies;
	uint64_t soft_irq_jiffies;
};

/* The first line of /proc/stat. */
int procfs_parse_cpu(const char *stat, struct procfs_cpu *ret_cpu);
int procfs_read_cpu(struct procfs_cpu *ret_cpu, struct err *err);
/*
 * Processors that are online, at least 1: also those that we may not run on, which the TuneD
 * profile of an amphora keeps for HAProxy.
 */
unsigned procfs_cpu_count(void);

/* The load averages of 1, 5 and 15 minutes as the kernel prints them: "0.20". */
struct procfs_load {
	char text[3][16];
};

int procfs_parse_load(const char *loadavg, struct procfs_load *ret_load);
int procfs_read_load(struct procfs_load *ret_load, struct err *err);

/* Changes with every boot: what an earlier boot left behind is told by it. */
struct procfs_boot_id {
	char text[37];
};

int procfs_read_boot_id(struct procfs_boot_id *ret_boot_id, struct err *err);

/*
 * When a process started, in clock ticks since boot. With the boot id and the pid it names one
 * process for good: a pid is used again, a start time is not. From /proc/PID/stat, field 22; the
 * second field is the program's name and may hold anything. -ESRCH: no such process.
 */
int procfs_parse_start_time(const char *process_stat, uint64_t *ret_ticks);
int procfs_process_start_time(pid_t pid, uint64_t *ret_ticks);

/*
 * Whether a process has a handler for a signal: to one that has none yet, because it has only just
 * started, the signal may be the end. false also when there is no such process.
 */
bool procfs_process_catches(pid_t pid, int signal);

struct procfs_disk {
	uint64_t used_bytes;
	uint64_t available_bytes; /* to everybody, without root's reserve */
};

/* The file system that path lies on. */
int procfs_read_disk(const char *path, struct procfs_disk *ret_disk, struct err *err);

struct procfs_interface {
	char name[IFNAMSIZ];
	uint64_t rx_bytes;
	uint64_t tx_bytes;
};

struct procfs_interfaces {
	struct procfs_interface *items;
	size_t count;
};

void procfs_interfaces_deinit(struct procfs_interfaces *interfaces);
/* The interfaces of a /proc/net/dev whose names start with prefix, in the kernel's order. */
int procfs_parse_interfaces(
	const char *net_dev, const char *prefix, struct procfs_interfaces *ret_interfaces);
/* Those of a network namespace (sys/network_namespace.h, its errors as well). */
int procfs_read_interfaces(const char *network_namespace, const char *prefix,
	struct procfs_interfaces *ret_interfaces, struct err *err);
