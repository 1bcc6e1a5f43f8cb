/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LVS listener in the status tree: of its keepalived, and of what the kernel's IPVS has of it.
 * Used by the agent.
 */
#pragma once

#include <jansson.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "deploy/site.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/status.h"
#include "model/listener.h"
#include "sys/ipvs.h"

/* One as it is now. */
struct lvs_listener {
	struct id id;
	enum lvs_instance_state state;
	struct lvs_config config;  /* the installed one */
	struct lvs_status *status; /* NULL: nothing is served */
};

/* Of a load balancer, sorted by id. */
struct lvs_listener_list {
	struct lvs_listener *items;
	size_t count;
};

/* Reads those of the load balancer; a kernel that does not answer is logged. */
int lvs_listener_list_read(const struct deploy_site *site, const struct id *load_balancer,
	struct lvs_listener_list *ret_list, struct err *err);
void lvs_listener_list_deinit(struct lvs_listener_list *list);
#define cleanup_lvs_listener_list CLEANUP(lvs_listener_list_deinit)
/* NULL: it is not installed. */
const struct lvs_listener *lvs_listener_find(
	const struct lvs_listener_list *list, const struct id *listener);

/*
 * The listener as its model describes it: observed is NULL when nothing of it is installed. status:
 * made worse where something is in a worse one.
 */
json_t *status_of_modelled_listener(const struct listener *listener, bool is_enabled,
	const struct lvs_listener *observed, int *status);
/* As its config describes it. */
json_t *status_of_configured_listener(const struct lvs_listener *observed, int *status);
