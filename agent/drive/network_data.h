/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the config drive's network_data.json says (nova, virt/netutils.py): the NICs that the
 * instance was booted with, found by their MACs, and how each gets its addresses. For an amphora
 * that is the management network; NICs of load balancers are plugged later and are not in it. Owned
 * by the instance. Used by amphora-config-drive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "base/err.h"
#include "base/mac.h"

enum { NETWORK_LINKS_MAX = 16, NETWORK_ADDRESSES_MAX = 16, NETWORK_ROUTES_MAX = 64 };

struct network_route {
	struct cidr destination;
	struct address gateway;
};

struct network_link {
	struct mac mac;
	unsigned mtu_bytes; /* 0: not said */
	bool wants_dhcp4;
	bool wants_dhcp6;
	bool wants_slaac;
	struct cidr addresses[NETWORK_ADDRESSES_MAX]; /* with the bits of the host */
	size_t address_count;
	struct network_route routes[NETWORK_ROUTES_MAX];
	size_t route_count;
};

struct network_data {
	struct network_link *links; /* those that get an address somehow */
	size_t link_count;
};

/*
 * -EINVAL when it is not JSON or has no lists of links and networks. A link or network that cannot
 * be used is logged and left out: the others may be what the machine is reached by.
 */
int network_data_parse(
	const char *text, size_t size_bytes, struct network_data *ret_network, struct err *err);
void network_data_deinit(struct network_data *network);
