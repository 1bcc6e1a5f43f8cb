/* SPDX-License-Identifier: Apache-2.0 */
#include "net/interface_state.h"

#include <errno.h>

#include "base/log.h"

static bool route_is(const struct described_route *described, const struct netlink_route *route)
{
	return cidr_equal(&described->destination, &route->destination) &&
	       described->table == route->table && described->has_gateway == route->has_gateway &&
	       (!described->has_gateway || address_equal(&described->gateway, &route->gateway)) &&
	       described->has_source == route->has_source &&
	       (!described->has_source || address_equal(&described->source, &route->source));
}

static bool route_is_described(
	const struct interface_description *wanted, const struct netlink_route *route)
{
	for (size_t i = 0; i < wanted->route_count; i++)
		if (route_is(&wanted->routes[i], route))
			return true;
	return false;
}

static bool route_is_there(
	const struct described_route *described, const struct netlink_route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (route_is(described, &routes[i]))
			return true;
	return false;
}

/*
 * Users write host routes, so one that the kernel refuses is logged, and that is all. With two
 * gateways of one family the first wins: the other one is there already, for the kernel.
 */
static int route_add(
	struct interface *interface, const struct described_route *described, struct err *err)
{
	const struct netlink_route route = {
		.destination = described->destination,
		.has_gateway = described->has_gateway,
		.gateway = described->gateway,
		.is_onlink = described->has_gateway,
		.has_source = described->has_source,
		.source = described->source,
		.is_link_scope = described->is_link_scope,
		.table = described->table,
	};
	struct err refusal = ERR_NONE;
	int r = netlink_route_add(interface->netlink, interface->link.index, &route, &refusal);

	if (r == -ENODEV)
		return err_set(err, r, "%s", refusal.text);
	if (r == 0)
		interface->changed = true;
	else if (r != -EEXIST)
		log_warning("interface %s: %s; check the subnet's gateway and host routes",
			interface->link.name, refusal.text);
	return 0;
}

static int route_remove(
	struct interface *interface, const struct netlink_route *route, struct err *err)
{
	int r = netlink_route_remove(interface->netlink, interface->link.index, route, err);

	if (r == 0)
		interface->changed = true;
	return r == -ESRCH ? 0 : r;
}

/* What is stale goes first: the kernel takes no second route to a destination. */
int interface_apply_routes(struct interface *interface, struct err *err)
{
	const struct interface_description *wanted = interface->wanted;
	cleanup_free struct netlink_route *routes = NULL;
	size_t count;
	int r = netlink_routes(interface->netlink, interface->link.index, &routes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (routes[i].protocol == NETLINK_PROTOCOL_STATIC &&
			!route_is_described(wanted, &routes[i]))
			r = route_remove(interface, &routes[i], err);
	for (size_t i = 0; r == 0 && i < wanted->route_count; i++)
		if (!route_is_there(&wanted->routes[i], routes, count))
			r = route_add(interface, &wanted->routes[i], err);
	return r;
}

int interface_remove_leased_routes(struct interface *interface, struct err *err)
{
	cleanup_free struct netlink_route *routes = NULL;
	size_t count;
	int r = netlink_routes(interface->netlink, interface->link.index, &routes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (routes[i].protocol == NETLINK_PROTOCOL_DHCP)
			r = route_remove(interface, &routes[i], err);
	return r;
}

static bool rule_is(const struct described_rule *described, const struct netlink_rule *rule)
{
	return cidr_equal(&described->source, &rule->source) && described->table == rule->table;
}

static bool rule_is_described(
	const struct interface_description *wanted, const struct netlink_rule *rule)
{
	for (size_t i = 0; i < wanted->rule_count; i++)
		if (rule_is(&wanted->rules[i], rule))
			return true;
	return false;
}

static bool rule_is_foreign(const struct netlink_rule *rule)
{
	return rule->protocol == NETLINK_PROTOCOL_KERNEL ||
	       rule->protocol == NETLINK_PROTOCOL_KEEPALIVED;
}

/* Whether one of the rules, foreign ones not counted, is what is described. */
static bool rule_is_there(
	const struct described_rule *described, const struct netlink_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!rule_is_foreign(&rules[i]) && rule_is(described, &rules[i]))
			return true;
	return false;
}

static bool rule_is_doubled(const struct netlink_rule *rules, size_t index)
{
	const struct described_rule same = {rules[index].source, rules[index].table};

	return rule_is_there(&same, rules, index);
}

static int rule_remove(
	struct interface *interface, const struct netlink_rule *rule, struct err *err)
{
	int r = netlink_rule_remove(interface->netlink, rule, err);

	if (r == 0)
		interface->changed = true;
	return r == -ENOENT ? 0 : r;
}

static int rule_add(
	struct interface *interface, const struct described_rule *described, struct err *err)
{
	const struct netlink_rule rule = {
		.source = described->source,
		.table = described->table,
		.protocol = NETLINK_PROTOCOL_STATIC,
	};
	int r = netlink_rule_add(interface->netlink, &rule, err);

	if (r == 0)
		interface->changed = true;
	return r;
}

/* Rules belong to no interface, so those that are ours are the VIP's. */
int interface_apply_rules(struct interface *interface, struct err *err)
{
	const struct interface_description *wanted = interface->wanted;
	cleanup_free struct netlink_rule *rules = NULL;
	size_t count;
	int r;

	if (wanted->type != INTERFACE_VIP)
		return 0;
	r = netlink_rules(interface->netlink, &rules, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!rule_is_foreign(&rules[i]) &&
			(!rule_is_described(wanted, &rules[i]) || rule_is_doubled(rules, i)))
			r = rule_remove(interface, &rules[i], err);
	for (size_t i = 0; r == 0 && i < wanted->rule_count; i++)
		if (!rule_is_there(&wanted->rules[i], rules, count))
			r = rule_add(interface, &wanted->rules[i], err);
	return r;
}
