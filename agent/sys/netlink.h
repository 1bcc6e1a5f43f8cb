/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses, routes and rules of one network namespace over rtnetlink; the only place with
 * libnl-route. A connection belongs to the namespace in which its thread was when it was opened
 * (sys/network_namespace.h), and to one thread at a time. Every call is one question or one change
 * and its answer. Used by the agent and amphora-interface.
 *
 * Changes: -EEXIST when it is there already, -ESRCH, -ENODEV or -EADDRNOTAVAIL when what is to go
 * is not there; whether that is fine is the caller's to know.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mac.h"

struct netlink;

int netlink_open(struct netlink **ret_netlink, struct err *err);
void netlink_close(struct netlink *netlink);
DEFINE_CLEANUP(struct netlink *, netlink_close);
#define cleanup_netlink CLEANUP(cleanup_netlink_close)

struct netlink_link {
	int index;
	char name[IFNAMSIZ];
	struct mac mac; /* zeros where it has none */
	bool is_up;     /* administratively */
	unsigned mtu_bytes;
};

/* All links; the caller frees *ret_links. */
int netlink_links(struct netlink *netlink, struct netlink_link **ret_links, size_t *ret_count,
	struct err *err);
/* -ENODEV: none of that name. Names are compared with the name proper, never with an altname. */
int netlink_find_name(
	struct netlink *netlink, const char *name, struct netlink_link *ret_link, struct err *err);
/* -ENODEV: none with that address. */
int netlink_find_mac(struct netlink *netlink, const struct mac *mac, struct netlink_link *ret_link,
	struct err *err);

/* Brings it up; mtu_bytes 0 leaves the MTU as it is. */
int netlink_link_up(struct netlink *netlink, int index, unsigned mtu_bytes, struct err *err);
int netlink_link_down(struct netlink *netlink, int index, struct err *err);
/* Into the namespace behind the descriptor, under the name, in one step. */
int netlink_link_move(
	struct netlink *netlink, int index, int namespace_fd, const char *name, struct err *err);

struct netlink_address {
	struct address address;
	unsigned prefix_length;
	bool is_permanent;  /* not from DHCP or a router */
	bool is_link_local; /* scope link */
	bool is_tentative;  /* duplicate address detection is under way */
	bool has_failed;    /* and found one */
	uint8_t protocol;   /* IFA_PROTO: who put it there; 0 where nobody says */
};

int netlink_addresses(struct netlink *netlink, int index, struct netlink_address **ret_addresses,
	size_t *ret_count, struct err *err);
int netlink_address_add(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err);
int netlink_address_remove(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err);

enum { NETLINK_TABLE_MAIN = 254 };

struct netlink_route {
	struct cidr destination;
	bool has_gateway;
	struct address gateway;
	bool is_onlink;
	bool has_source;
	struct address source;
	bool is_link_scope;
	unsigned table;
	uint8_t protocol; /* RTPROT_*; added ones are RTPROT_STATIC */
};

/* Those that leave through the link, of all tables and both families. */
int netlink_routes(struct netlink *netlink, int index, struct netlink_route **ret_routes,
	size_t *ret_count, struct err *err);
int netlink_route_add(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err);
int netlink_route_remove(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err);

struct netlink_rule {
	struct cidr source;
	unsigned table;
	uint8_t protocol;  /* FRA_PROTOCOL; 2: kernel, 18: keepalived */
	uint32_t priority; /* not looked at when it is added: the kernel chooses */
};

/* Rules that have a source, of both families. */
int netlink_rules(struct netlink *netlink, struct netlink_rule **ret_rules, size_t *ret_count,
	struct err *err);
int netlink_rule_add(struct netlink *netlink, const struct netlink_rule *rule, struct err *err);
int netlink_rule_remove(struct netlink *netlink, const struct netlink_rule *rule, struct err *err);

/* The link that has the address now; -ENODEV: none. */
int netlink_find_address(struct netlink *netlink, const struct address *address,
	struct netlink_link *ret_link, struct err *err);
