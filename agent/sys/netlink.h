/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses, routes and rules of one network namespace over rtnetlink, with libnl's sockets
 * and messages (sys/netlink_exchange.h). A connection belongs to the namespace in which its thread
 * was when it was opened (sys/network_namespace.h), and to one thread at a time. Every call is one
 * question or one change and its answer. Used by the agent and amphora-interface.
 *
 * Changes: -EEXIST when it is there already, -ESRCH (route), -ENOENT (rule), -EADDRNOTAVAIL or
 * -ENODEV when what is to go, or its link, is not there; whether that is fine is the caller's to
 * know. Error texts leave the link out: they are wrapped by who knows its name.
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
/*
 * Into the namespace behind the descriptor, under the name, in one step; it is down there. Its
 * altnames, which udev gave it, go before: there they would be in the way of others' names, or of
 * its own. -EEXIST: the name is taken there, and the link may be there all the same, under its old
 * one.
 */
int netlink_link_move(
	struct netlink *netlink, int index, int namespace_fd, const char *name, struct err *err);

/*
 * Who put an address there (IFA_PROTO, shown by "ip address" as "proto 0x61"). The kernel keeps it
 * from 5.18 on; before that it is always 0.
 */
enum { NETLINK_ADDRESS_OURS = 0x61 };

struct netlink_address {
	int index; /* of its link */
	struct address address;
	unsigned prefix_length;
	bool is_permanent;  /* not from DHCP or a router */
	bool is_link_local; /* scope link */
	bool is_tentative;  /* duplicate address detection is under way */
	bool has_failed;    /* and found one */
	uint8_t protocol;   /* NETLINK_ADDRESS_OURS, the kernel's own; 0 where nobody says */
};

/* Those of the link, or with index 0 of all links. -ENODEV: there is no such link. */
int netlink_addresses(struct netlink *netlink, int index, struct netlink_address **ret_addresses,
	size_t *ret_count, struct err *err);
/* For good, and marked as ours. */
int netlink_address_add(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err);
/* For lifetime_s from now on; also renews one that is there. Not marked, and not permanent. */
int netlink_address_lease(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, uint32_t lifetime_s, struct err *err);
int netlink_address_remove(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err);

/*
 * Waits until the link's addresses are as is_awaited wants them, looking whenever the kernel says
 * that some have changed. The thread must be in the connection's namespace. -ETIMEDOUT; -ENODEV:
 * the link is gone.
 */
int netlink_await_addresses(struct netlink *netlink, int index,
	bool (*is_awaited)(
		const struct netlink_address *addresses, size_t count, const void *context),
	const void *context, int timeout_ms, struct err *err);

enum { NETLINK_TABLE_MAIN = 254 };

/* Who put a route or a rule there. */
enum {
	NETLINK_PROTOCOL_KERNEL = 2,
	NETLINK_PROTOCOL_STATIC = 4,
	NETLINK_PROTOCOL_DHCP = 16,
	NETLINK_PROTOCOL_KEEPALIVED = 18,
};

struct netlink_route {
	struct cidr destination;
	bool has_gateway;
	struct address gateway;
	bool is_onlink;
	bool has_source;
	struct address source;
	bool is_link_scope;
	unsigned table;
	uint8_t protocol; /* NETLINK_PROTOCOL_*; 0 in one that is added: static */
};

/* Those that leave through the link to other machines, of all tables and both families. */
int netlink_routes(struct netlink *netlink, int index, struct netlink_route **ret_routes,
	size_t *ret_count, struct err *err);
int netlink_route_add(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err);
int netlink_route_remove(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err);

struct netlink_rule {
	struct cidr source;
	unsigned table;
	uint8_t protocol;  /* NETLINK_PROTOCOL_*; 0 where nobody says */
	uint32_t priority; /* not looked at when it is added: the kernel chooses; 0: any goes */
};

/* Rules that have a source, of both families. */
int netlink_rules(struct netlink *netlink, struct netlink_rule **ret_rules, size_t *ret_count,
	struct err *err);
/* Never -EEXIST: the kernel takes the same rule again, at another priority. Look first. */
int netlink_rule_add(struct netlink *netlink, const struct netlink_rule *rule, struct err *err);
int netlink_rule_remove(struct netlink *netlink, const struct netlink_rule *rule, struct err *err);

/* The link that has the address now; -ENODEV: none. */
int netlink_find_address(struct netlink *netlink, const struct address *address,
	struct netlink_link *ret_link, struct err *err);
