/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes applied through the Runtime API of the running worker instead of a reload
 * (architecture.md, "Runtime before reload"): a reload costs a process and leaves the old one
 * behind for as long as its connections last, and members change all the time.
 *
 * What can be done this way: in backends with a dynamic algorithm (roundrobin, leastconn) a
 * server's weight, `disabled`, servers added and removed. Anything else, and any doubt, is a
 * reload's: which keywords `add server` takes differs from version to version, so HAProxy's answer
 * decides, and a server that still serves streams cannot be removed, but lives on in a reload's old
 * worker. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Commands in the order in which they must be given: additions first, so that no backend is ever
 * empty in between. */
struct haproxy_runtime_plan {
	char **commands;
	size_t count;
};

/*
 * Pure: what turns a worker that runs with old into one that runs with new; no commands when they
 * mean the same. -ENOTSUP with the reason when only a reload can. members_start_down:
 * conf/settings.h.
 */
int haproxy_runtime_plan_make(const char *old, size_t old_size_bytes, const char *new,
	size_t new_size_bytes, bool members_start_down, struct haproxy_runtime_plan *ret_plan,
	struct err *err);
void haproxy_runtime_plan_deinit(struct haproxy_runtime_plan *plan);

/*
 * Gives the commands to worker and stops at the first that is not answered as it should be:
 * -ENOTSUP with HAProxy's answer, and a worker that must be replaced by a reload.
 */
int haproxy_runtime_plan_apply(const struct haproxy_runtime_plan *plan, const char *master_socket,
	pid_t worker, struct err *err);
