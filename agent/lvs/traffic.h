/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an LVS listener has transferred, whatever became of its services: keepalived removes and
 * makes anew the service of one address (a family that loses its last member) while the others go
 * on counting. So each service is a source of the listener's account (traffic/account.h). Pure.
 * Used by the agent, the sender and the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>

#include "lvs/status.h"
#include "traffic/account.h"
#include "traffic/traffic.h"

/* "udp 10.0.0.10 53" */
enum { LVS_SOURCE_MAX = 80 };

/* A service's name as a source, and what it has counted. The service is UDP's or SCTP's. */
void lvs_traffic_of(const struct ipvs_service *service, char source[static LVS_SOURCE_MAX],
	struct traffic *ret_traffic);
/* Whether a source is a service that the kernel's table, the context, does not have. */
account_is_gone lvs_traffic_is_gone;

/* Takes up what the kernel's services have counted by now. The status is one that was read. */
void lvs_traffic_update(struct account *account, const struct lvs_status *status);
