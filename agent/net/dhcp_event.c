/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_event.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/cidr.h"
#include "base/log.h"
#include "base/text.h"
#include "net/classless_routes.h"
#include "sys/netlink.h"

/* RFC 791: what every host must take. */
enum { MTU_MIN_BYTES = 576, MTU_MAX_BYTES = 65535 };

/*
 * The kernel takes an address for ever (UINT32_MAX, which a lease may say) for a permanent one, and
 * we then for one that nobody leased.
 */
#define LIFETIME_MAX_S (UINT32_MAX - 1)

struct event {
	const char *(*variable)(const char *name, const void *context);
	const void *context;
	struct netlink *netlink;
	struct netlink_link link;
};

/* What of a lease is ours to apply. */
struct lease {
	struct address address;
	unsigned prefix_length;
	uint32_t lifetime_s;
	unsigned mtu_bytes; /* 0: not given */
	struct classless_route routes[CLASSLESS_ROUTES_MAX];
	size_t route_count;
};

/* Never NULL. */
static const char *value_of(const struct event *event, const char *name)
{
	const char *value = event->variable(name, event->context);

	return value ? value : "";
}

static int bad_value(const struct event *event, const char *name, struct err *err)
{
	return err_set(
		err, -EINVAL, "%s: '%s' is not what it ought to be", name, value_of(event, name));
}

static int ipv4_read(const struct event *event, const char *name, struct address *ret_address)
{
	if (address_parse(value_of(event, name), ret_address) < 0 || ret_address->family != AF_INET)
		return -EINVAL;
	return 0;
}

static int number_read(const struct event *event, const char *name, uint64_t min, uint64_t max,
	uint64_t *ret_number)
{
	return text_parse_u64(value_of(event, name), min, max, ret_number);
}

static int mask_read(const struct event *event, const char *name, unsigned *ret_prefix_length)
{
	struct address mask;
	uint32_t rest;

	if (ipv4_read(event, name, &mask) < 0)
		return -EINVAL;
	rest = ~ntohl(mask.v4.s_addr);
	if (rest & (rest + 1))
		return -EINVAL;
	*ret_prefix_length = 32 - (unsigned)__builtin_popcount(rest);
	return 0;
}

/* With option 121 the older one does not count (RFC 3442); of several routers the first does. */
static int routes_read(const struct event *event, struct lease *lease, struct err *err)
{
	const char *classless = value_of(event, "new_rfc3442_classless_static_routes");
	const char *routers = value_of(event, "new_routers");
	char router[ADDRESS_TEXT_MAX];
	struct classless_route *route = &lease->routes[0];

	if (classless[0]) {
		if (classless_routes_parse(classless, lease->routes, &lease->route_count) < 0)
			return bad_value(event, "new_rfc3442_classless_static_routes", err);
		return 0;
	}
	if (!routers[0])
		return 0;
	snprintf(router, sizeof(router), "%.*s", (int)strcspn(routers, " "), routers);
	route->destination = (struct cidr){.address.family = AF_INET};
	route->has_gateway = true;
	if (address_parse(router, &route->gateway) < 0 || route->gateway.family != AF_INET)
		return bad_value(event, "new_routers", err);
	lease->route_count = 1;
	return 0;
}

static int lease_read(const struct event *event, struct lease *lease, struct err *err)
{
	uint64_t number;

	if (ipv4_read(event, "new_ip_address", &lease->address) < 0)
		return bad_value(event, "new_ip_address", err);
	if (mask_read(event, "new_subnet_mask", &lease->prefix_length) < 0)
		return bad_value(event, "new_subnet_mask", err);
	if (number_read(event, "new_dhcp_lease_time", 1, UINT32_MAX, &number) < 0)
		return bad_value(event, "new_dhcp_lease_time", err);
	lease->lifetime_s = number > LIFETIME_MAX_S ? LIFETIME_MAX_S : (uint32_t)number;
	if (number_read(event, "new_interface_mtu", MTU_MIN_BYTES, MTU_MAX_BYTES, &number) == 0)
		lease->mtu_bytes = (unsigned)number;
	return routes_read(event, lease, err);
}

static bool route_is_leased(const struct lease *lease, const struct netlink_route *route)
{
	for (size_t i = 0; i < lease->route_count; i++) {
		const struct classless_route *leased = &lease->routes[i];

		if (cidr_equal(&leased->destination, &route->destination) &&
			leased->has_gateway == route->has_gateway &&
			(!route->has_gateway || address_equal(&leased->gateway, &route->gateway)))
			return true;
	}
	return false;
}

/* Those of an earlier lease that are not part of this one. */
static int routes_remove_stale(struct event *event, const struct lease *lease, struct err *err)
{
	cleanup_free struct netlink_route *routes = NULL;
	size_t count;
	int r = netlink_routes(event->netlink, event->link.index, &routes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (routes[i].protocol != NETLINK_PROTOCOL_DHCP ||
			routes[i].destination.address.family != AF_INET ||
			route_is_leased(lease, &routes[i]))
			continue;
		r = netlink_route_remove(event->netlink, event->link.index, &routes[i], err);
		if (r == -ESRCH)
			r = 0;
	}
	return r;
}

static void routes_add(struct event *event, const struct lease *lease)
{
	for (size_t i = 0; i < lease->route_count; i++) {
		const struct netlink_route route = {
			.destination = lease->routes[i].destination,
			.has_gateway = lease->routes[i].has_gateway,
			.gateway = lease->routes[i].gateway,
			.is_onlink = lease->routes[i].has_gateway,
			.is_link_scope = !lease->routes[i].has_gateway,
			.table = NETLINK_TABLE_MAIN,
			.protocol = NETLINK_PROTOCOL_DHCP,
		};
		struct err err = ERR_NONE;
		int r = netlink_route_add(event->netlink, event->link.index, &route, &err);

		if (r < 0 && r != -EEXIST)
			log_warning("DHCP on %s: %s; check the subnet's host routes",
				event->link.name, err.text);
	}
}

/* The address of the lease before, unless it goes on. */
static int old_address_remove(struct event *event, const struct address *kept, struct err *err)
{
	struct address old;
	unsigned prefix_length;
	int r;

	if (!value_of(event, "old_ip_address")[0])
		return 0;
	if (ipv4_read(event, "old_ip_address", &old) < 0)
		return bad_value(event, "old_ip_address", err);
	if (kept && address_equal(&old, kept))
		return 0;
	if (mask_read(event, "old_subnet_mask", &prefix_length) < 0)
		return bad_value(event, "old_subnet_mask", err);
	r = netlink_address_remove(event->netlink, event->link.index, &old, prefix_length, err);
	return r == -EADDRNOTAVAIL ? 0 : r;
}

static int lease_apply(struct event *event, struct err *err)
{
	struct lease lease = {0};
	int index = event->link.index;
	int r = lease_read(event, &lease, err);

	if (r == 0 && lease.mtu_bytes && lease.mtu_bytes < event->link.mtu_bytes)
		r = netlink_link_up(event->netlink, index, lease.mtu_bytes, err);
	if (r == 0)
		r = old_address_remove(event, &lease.address, err);
	if (r == 0)
		r = netlink_address_lease(event->netlink, index, &lease.address,
			lease.prefix_length, lease.lifetime_s, err);
	if (r == 0)
		r = routes_remove_stale(event, &lease, err);
	if (r == 0)
		routes_add(event, &lease);
	return r;
}

static int lease_end(struct event *event, struct err *err)
{
	static const struct lease none = {0};
	int r = old_address_remove(event, NULL, err);

	return r < 0 ? r : routes_remove_stale(event, &none, err);
}

/* What the reasons of dhclient-script(8) ask for; those that are not named need nothing. */
static const struct {
	const char *reason;
	int (*apply)(struct event *event, struct err *err);
} reasons[] = {
	{"BOUND", lease_apply},
	{"RENEW", lease_apply},
	{"REBIND", lease_apply},
	{"REBOOT", lease_apply},
	{"EXPIRE", lease_end},
	{"FAIL", lease_end},
	{"RELEASE", lease_end},
	{"STOP", lease_end},
};

static int event_apply(
	struct event *event, int (*apply)(struct event *event, struct err *err), struct err *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	const char *interface = value_of(event, "interface");
	int r = netlink_open(&netlink, err);

	if (r == 0)
		r = netlink_find_name(netlink, interface, &event->link, err);
	if (r == 0) {
		event->netlink = netlink;
		r = apply(event, err);
	}
	return r < 0 ? err_wrap(err, r, "DHCP on %s", interface) : 0;
}

int dhcp_event_apply(const char *(*variable)(const char *name, const void *context),
	const void *context, struct err *err)
{
	struct event event = {.variable = variable, .context = context};
	const char *reason = value_of(&event, "reason");

	if (text_equal(reason, "TIMEOUT"))
		return err_set(err, -ETIMEDOUT,
			"DHCP on %s: no server answers; the last lease is not used",
			value_of(&event, "interface"));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (text_equal(reason, reasons[i].reason))
			return event_apply(&event, reasons[i].apply, err);
	return 0;
}
