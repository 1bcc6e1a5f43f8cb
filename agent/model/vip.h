/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VIP with what its amphora must know of its subnet (model.md, "The JSON"). A plain checked
 * value; its load balancer owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/cidr.h"

struct host_route {
	struct cidr destination;
	struct address nexthop;
};

struct vip {
	struct address address;
	struct cidr subnet_cidr; /* address family 0: not given */
	struct address gateway;  /* family 0: none */
	struct host_route *host_routes;
	size_t host_route_count;
};

void vip_deinit(struct vip *vip);
