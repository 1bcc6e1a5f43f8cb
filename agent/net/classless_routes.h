/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of DHCP's option 121 (RFC 3442), with which Neutron hands out a subnet's host routes,
 * as dhclient writes them: for each route its prefix length, the bytes of its destination that
 * count, and the four of its gateway, in decimal ("16 10 9 10 0 0 1 0 10 0 0 1"). Pure. Used by
 * amphora-dhcp-script.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"

enum { CLASSLESS_ROUTES_MAX = 64 };

struct classless_route {
	struct cidr destination;
	bool has_gateway; /* false: on the link itself */
	struct address gateway;
};

/* 0; -EINVAL: the text is not of that form; -E2BIG: more routes than CLASSLESS_ROUTES_MAX. */
int classless_routes_parse(const char *text,
	struct classless_route ret_routes[static CLASSLESS_ROUTES_MAX], size_t *ret_count);
