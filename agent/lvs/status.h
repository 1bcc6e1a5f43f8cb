/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an LVS listener, its pool and its members are, in the words of the health manager
 * (heartbeat.md, "Contents"): concluded from its config and from what the kernel's IPVS has of it.
 * Pure. Used by the sender and the Prometheus proxy.
 *
 *	kernel has the member      "UP", "no check" when nobody checks it, "DRAIN" with weight 0
 *	config is not taken up yet "RESTARTING": the health manager leaves the member as it was
 *	nobody checks, kernel has none of the pool's members   "no check"
 *	otherwise                  "DOWN": its check failed
 *	disabled                   "MAINT"
 *
 * The pool is DOWN when it is checked and the kernel has none of its members.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "lvs/config.h"
#include "sys/ipvs.h"

struct lvs_member_status {
	struct id id;
	const char *status;
	bool is_in_kernel; /* else all below is 0 */
	uint32_t weight;
	/* Of all addresses of the listener. */
	uint64_t connections_active;
	struct ipvs_counters counters;
};

struct lvs_status {
	struct id listener;
	bool is_read; /* else nobody knows what the kernel has, and all below is 0 */
	uint64_t connections_active;
	struct ipvs_service *services; /* those of its addresses, without destinations */
	size_t service_count;
	bool has_pool;
	struct id pool;
	const char *pool_status; /* "UP", "DOWN" */
	struct lvs_member_status *members;
	size_t member_count;
};

/*
 * The listener's config is not that of a disabled one. kernel: NULL when it could not be read; then
 * neither services nor a pool are concluded. is_config_pending: keepalived has not taken this
 * config up yet. Never NULL.
 */
struct lvs_status *lvs_status_conclude(const struct id *listener, const struct lvs_config *config,
	const struct ipvs_table *kernel, bool is_config_pending);
/* Accepts NULL. */
void lvs_status_free(struct lvs_status *status);
DEFINE_CLEANUP(struct lvs_status *, lvs_status_free);
#define cleanup_lvs_status CLEANUP(cleanup_lvs_status_free)
