/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LVS listeners of this amphora, as they are read for a report: each that has a config, unless
 * it was stopped by request (lvs/site.h). Their state is the kernel's, their keepaliveds are only
 * looked for. Owned by whoever reports, who observes again and again. Used by the sender and the
 * Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lvs/status.h"
#include "sys/ipvs.h"
#include "traffic/traffic.h"

struct lvs_observed {
	struct lvs_status *status;
	/* What it has transferred since these sources saw it first; it never goes down. */
	struct traffic total;
	/* What of the total the kernel does not count any more (lvs/traffic.h). */
	struct traffic carried;
};

struct lvs_observation {
	struct lvs_observed *listeners; /* in the order of their ids */
	size_t listener_count;
	bool is_partial; /* there is one more, of which nothing could be read */
};

#define LVS_OBSERVATION_INIT ((struct lvs_observation){.listeners = NULL})

void lvs_observation_deinit(struct lvs_observation *observation);
#define cleanup_lvs_observation CLEANUP(lvs_observation_deinit)

struct lvs_sources;

/* Of one observation; a listener that does not fit any more is left out. */
struct lvs_limits {
	size_t configs_bytes; /* of all configs that are read */
	size_t members;
};

/* ipvs stays the caller's; NULL: the kernel cannot be asked. */
struct lvs_sources *lvs_sources_new(
	const char *base_path, struct ipvs *ipvs, const struct lvs_limits *limits);
/* Accepts NULL. */
void lvs_sources_free(struct lvs_sources *sources);

/*
 * Tells of the listeners whose keepalived lives; no kernel is asked when there is no listener. One
 * without a keepalived is left out, which makes the observation partial. Where the kernel does not
 * answer within timeout_ms the listeners are there all the same, without traffic and pools. A
 * kernel without IPVS has empty tables. The log hears of each trouble once, of a missing keepalived
 * when it is found missing for a second time, and once when it is over. *ret_observation is an
 * empty one before.
 */
void lvs_sources_observe(
	struct lvs_sources *sources, int timeout_ms, struct lvs_observation *ret_observation);
/* Appends what is wrong with them. */
void lvs_sources_describe(const struct lvs_sources *sources, struct buf *ret_problems);
