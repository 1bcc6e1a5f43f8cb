/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of POST plug/vip and plug/network, parsed into types and checked; and the descriptions
 * that they lead to (amphora-api.md, "Plugging"). Pure. Unknown keys are ignored: controllers grow.
 * Used by the agent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "base/err.h"
#include "base/mac.h"
#include "conf/settings.h"
#include "net/description.h"

struct plug_host_route {
	struct cidr destination;
	struct address nexthop;
};

/* An address on its subnet: a VIP, or a fixed IP. */
struct plug_address {
	struct address address;
	struct cidr subnet;
	bool has_gateway;
	struct address gateway;
	struct plug_host_route *host_routes;
	size_t host_route_count;
};

struct plug_vip_request {
	struct mac mac;
	unsigned mtu_bytes; /* 0: not given */
	bool is_sriov;
	bool has_vrrp_ip;
	/*
	 * The first address of its port: on the VIP's subnet, or on another VIP's, where Neutron
	 * lists that first (amphora_driver_tasks.py takes fixed_ips[0]).
	 */
	struct address vrrp_ip;
	struct plug_address *vips; /* the VIP itself, then the additional ones */
	size_t vip_count;
};

struct plug_network_request {
	struct mac mac;
	unsigned mtu_bytes;
	bool is_sriov;
	struct plug_address *fixed_ips;
	size_t fixed_ip_count;       /* 0: DHCP and SLAAC */
	bool has_vip;                /* vip_net_info: the port is the VIP's as well */
	struct plug_vip_request vip; /* mac, mtu and is_sriov are the outer ones */
};

/* Oversize lists are refused: far above what Neutron allows a port or a subnet. */
enum { PLUG_ADDRESSES_MAX = 256, PLUG_HOST_ROUTES_MAX = 256 };

/*
 * The API has a message of its own for each failure. -EBADMSG: no object, or a key that must be
 * there is not; -EADDRNOTAVAIL: vrrp_ip is wrong; -EINVAL: anything else, key and reason in err.
 * Not so host routes, which users write: one that cannot be used is logged and left out. What the
 * requests point to is theirs until deinit.
 */
int plug_vip_request_parse(
	const char *vip, const json_t *body, struct plug_vip_request *ret_request, struct err *err);
void plug_vip_request_deinit(struct plug_vip_request *request);
int plug_network_request_parse(
	const json_t *body, struct plug_network_request *ret_request, struct err *err);
void plug_network_request_deinit(struct plug_network_request *request);

/* The descriptions, under the name that the interface has in the namespace. */
void plug_vip_describe(const struct plug_vip_request *request, enum topology topology,
	const char *name, struct interface_description *ret_description);
/*
 * With has_vip, stored (or NULL) is the description of the VIP's interface so far: its additional
 * VIPs, which vip_net_info never names, are kept.
 */
void plug_network_describe(const struct plug_network_request *request, enum topology topology,
	const char *name, const struct interface_description *stored,
	struct interface_description *ret_description);
