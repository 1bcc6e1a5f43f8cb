/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer as the model gives it (model.md): what the operator wants, checked, with all
 * defaults filled in. Nothing of it is observed. It owns its listeners and pools, which point at
 * each other, so it stays where it is. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/topology.h"
#include "model/fault.h"
#include "model/listener.h"
#include "model/pool.h"
#include "model/vip.h"
#include "model/vrrp_group.h"

struct load_balancer {
	struct id id;
	char *name;       /* "": none */
	char *project_id; /* "": none */
	bool admin_state_up;
	struct vip *vips; /* vip_address first, then the additional ones as listed */
	size_t vip_count; /* at least 1 */
	enum topology topology;
	struct amphora *amphorae; /* ACTIVE_STANDBY only */
	size_t amphora_count;
	struct vrrp_group vrrp_group; /* ACTIVE_STANDBY only */
	struct listener *listeners;
	size_t listener_count;
	struct pool_list pools; /* in the document's order; also those that no listener uses */
};

/*
 * Parses size_bytes bytes of JSON, bare or inside {"loadbalancer": …}. id is the one in the URL;
 * NULL (amphoractl) takes the document's, or else derives one from the VIP. -EINVAL when there are
 * faults: all of them, up to FAULTS_MAX, are added to ret_faults, and err counts them. Warnings
 * come with success, too.
 */
int load_balancer_parse(const char *text, size_t size_bytes, const struct id *id,
	struct faults *ret_faults, struct load_balancer **ret_load_balancer, struct err *err);
void load_balancer_free(struct load_balancer *load_balancer);

/*
 * Whether its haproxy.cfg has a frontend, so that HAProxy has something to serve. Not so when the
 * load balancer, or every listener that is not LVS's, is administratively down.
 */
bool load_balancer_has_frontend(const struct load_balancer *load_balancer);

DEFINE_CLEANUP(struct load_balancer *, load_balancer_free);
#define cleanup_load_balancer CLEANUP(cleanup_load_balancer_free)
