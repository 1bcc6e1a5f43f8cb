/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VIP with what its amphora must know of its subnet (model.md, "The JSON"). A plain checked
 * value; its load balancer owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
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

struct reader;

/*
 * Reads a VIP whose address stands at address_key; faults go to the reader's. needs_subnet: without
 * subnet_cidr it is a fault. An address that is absent or at fault has family 0.
 */
void vip_parse(
	struct reader *reader, const char *address_key, bool needs_subnet, struct vip *ret_vip);
void vip_deinit(struct vip *vip);
