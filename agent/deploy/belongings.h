/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a load balancer is installed beside its haproxy.cfg: the LVS listeners whose configs name
 * it, rendered or uploaded (lvs/config.h, deploy/origin.h), and whose VRRP instance there is. Read
 * from what is installed, without a lock. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "deploy/site.h"
#include "model/load_balancer.h"

/* Whether a config of a listener names the load balancer. */
bool belongings_names(const char *text, size_t size_bytes, const struct id *load_balancer);
/* The load balancer that a config of a listener names; false when it names none. */
bool belongings_owner(const char *text, size_t size_bytes, struct id *ret_load_balancer);
/* Its LVS listeners, sorted by id; the caller frees *ret_ids. */
int belongings_listeners(const struct deploy_site *site, const struct id *load_balancer,
	struct id **ret_ids, size_t *ret_count, struct err *err);
/* Whether its model led to the VRRP config that is installed. */
bool belongings_has_vrrp(const struct deploy_site *site, const struct id *load_balancer);
/*
 * Whether all LVS listeners of the model, and its VRRP instance, are what a model led to: no
 * controller has uploaded or deleted one since.
 */
bool belongings_are_rendered(
	const struct deploy_site *site, const struct load_balancer *load_balancer);
