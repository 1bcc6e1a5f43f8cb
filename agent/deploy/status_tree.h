/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operating status of a load balancer and all below it, in the shape of Octavia's
 * GET /v2/lbaas/loadbalancers/{id}/status (model.md, "Endpoints"), concluded as the health manager
 * concludes it (heartbeat.md, "What the manager concludes"), with what HAProxy or the kernel knows
 * of each member beside it. Pure: what was configured and what was observed come in, JSON goes out.
 * Used by the agent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/id.h"
#include "deploy/status_lvs.h"
#include "haproxy/config.h"
#include "haproxy/server.h"
#include "haproxy/stats.h"
#include "model/load_balancer.h"

struct status_input {
	const struct id *id;
	const struct load_balancer
		*model; /* NULL: the config was uploaded; then there are no names */
	const struct haproxy_config *config;   /* the installed one */
	const struct haproxy_servers *servers; /* of it */
	const struct haproxy_stats *stats; /* of the running HAProxy; no rows when it is silent */
	bool stopped;                      /* by request: silence is no error */
	const struct lvs_listener_list *lvs_listeners; /* those of the load balancer */
};

/* {"statuses": {"loadbalancer": …}}, the caller's. */
json_t *status_tree(const struct status_input *input);
