/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an LVS listener has transferred, whatever became of its services: keepalived removes and
 * makes anew the service of one address (a family that loses its last member) while the others go
 * on counting. Owned by the listener's source, from beat to beat. Used by the sender.
 */
#pragma once

#include <stddef.h>

#include "heartbeat/observation.h"
#include "lvs/status.h"

/* Starts as {0}. */
struct lvs_traffic {
	struct ipvs_service *last; /* as they were last seen */
	size_t last_count;
	struct traffic carried; /* of services that the kernel has no longer */
};

/* Takes up what the kernel's services have counted now. The status is one that was read. */
void lvs_traffic_update(struct lvs_traffic *traffic, const struct lvs_status *status);
/* All of it, what is carried included: it never goes down. */
struct traffic lvs_traffic_total(const struct lvs_traffic *traffic);
void lvs_traffic_deinit(struct lvs_traffic *traffic);
