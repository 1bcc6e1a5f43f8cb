/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair of amphorae of a load balancer with topology ACTIVE_STANDBY, and how they agree on who
 * has the VIPs (model.md, "The JSON"). Plain checked values; their load balancer owns them. Used by
 * the agent and amphoractl.
 */
#pragma once

#include "base/address.h"
#include "base/id.h"

/* One of the pair. */
struct amphora {
	struct id id;
	struct address vrrp_ip;
	unsigned vrrp_priority; /* 1-255 */
	char *vrrp_interface;   /* "eth1" */
};

struct vrrp_group {
	char *group_name;
	unsigned virtual_router_id; /* 1-255 */
	char *auth_type;            /* "PASS" */
	char *auth_pass;            /* a secret */
	unsigned advert_int_s;
};

void amphora_deinit(struct amphora *amphora);
void vrrp_group_deinit(struct vrrp_group *group);
