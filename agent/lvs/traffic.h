/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an LVS listener has transferred, whatever became of its services: keepalived removes and
 * makes anew the service of one address (a family that loses its last member) while the others go
 * on counting. Owned by the listener's source, from one observation to the next (lvs/sources.h).
 */
#pragma once

#include <stddef.h>

#include "lvs/status.h"

/* Starts as {0}. */
struct lvs_traffic {
	struct ipvs_service *last; /* as they were last seen */
	size_t last_count;
	struct ipvs_counters carried; /* of services that the kernel has no longer */
};

/* Takes up what the kernel's services have counted now. The status is one that was read. */
void lvs_traffic_update(struct lvs_traffic *traffic, const struct lvs_status *status);
/* All of it, what is carried included: it never goes down. */
struct ipvs_counters lvs_traffic_total(const struct lvs_traffic *traffic);
void lvs_traffic_deinit(struct lvs_traffic *traffic);
