/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one beat saw of the listeners and pools of this amphora, whoever observed them: the input of
 * the message. Observed state only; nothing here was configured. Owned by the sender, for one beat.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "haproxy/stats.h"
#include "lvs/sources.h"
#include "traffic/traffic.h"

struct observed_listener {
	const char *id;
	const char *status; /* "OPEN", "FULL" */
	uint64_t sessions;
	/* Its counters could not be read: they stay what they were, and the difference is 0. */
	bool is_uncounted;
	struct traffic total; /* since its HAProxy started, or we saw it first */
	/* What of the total this process alone remembers: the source does not count it any more. */
	struct traffic carried;
};

struct observed_member {
	const char *id;
	const char *status; /* "UP", "DOWN", "DRAIN", "UP 1/3" … */
};

struct observed_pool {
	const char *key;     /* "POOL:LISTENER", or a bare "POOL" */
	const char *status;  /* "UP", "DOWN" */
	size_t first_member; /* in members */
	size_t member_count;
};

struct observation {
	struct observed_listener *listeners;
	size_t listener_count;
	struct observed_pool *pools;
	size_t pool_count;
	struct observed_member *members; /* those of a pool lie together */
	size_t member_count;             /* of the array */
	/* A source was silent: what is not here may still exist. */
	bool is_partial;
	/* The texts above point in here. */
	struct haproxy_stats *haproxy_stats;
	size_t haproxy_count;
	struct lvs_status **lvs_statuses;
	size_t lvs_count;
};

#define OBSERVATION_INIT ((struct observation){.listeners = NULL})

/* Adds what an HAProxy said; takes the stats over. */
void observation_add_haproxy(struct observation *observation, struct haproxy_stats *stats);
/*
 * Adds what was seen of LVS listeners; takes their statuses over. A pool that another one has too
 * is there once, as that one sees it: its key does not name the listener.
 */
void observation_add_lvs(struct observation *observation, struct lvs_observation *lvs);
/*
 * To be called once after everything was added: of listeners and pools that were seen twice (two
 * load balancers with the same listener) the first stays, since a message has one place for each.
 * Returns the id of a listener or pool that was dropped, NULL when there was none.
 */
const char *observation_drop_duplicates(struct observation *observation);
/* The members of all pools; one that two pools share counts twice, as it is reported twice. */
size_t observation_reported_members(const struct observation *observation);
void observation_deinit(struct observation *observation);
