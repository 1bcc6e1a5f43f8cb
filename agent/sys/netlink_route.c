/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>

#include "sys/netlink_exchange.h"

static int route_attributes_read(
	const struct rtmsg *header, struct nlattr **attributes, struct netlink_route *route)
{
	int r = 0;

	/* A default route has no destination. */
	route->destination.address.family = header->rtm_family;
	route->destination.prefix_length = header->rtm_dst_len;
	if (attributes[RTA_DST])
		r = netlink_get_address(
			attributes[RTA_DST], header->rtm_family, &route->destination.address);
	route->has_gateway = attributes[RTA_GATEWAY];
	if (r == 0 && route->has_gateway)
		r = netlink_get_address(
			attributes[RTA_GATEWAY], header->rtm_family, &route->gateway);
	route->has_source = attributes[RTA_PREFSRC];
	if (r == 0 && route->has_source)
		r = netlink_get_address(
			attributes[RTA_PREFSRC], header->rtm_family, &route->source);
	return r;
}

static void route_read(const struct nlmsghdr *message, struct netlink_list *list)
{
	const struct rtmsg *header = nlmsg_data(message);
	struct nlattr *attributes[RTA_MAX + 1];
	struct netlink_route route = {0};
	uint32_t link_index;
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(
			(struct nlmsghdr *)message, sizeof(*header), attributes, RTA_MAX, NULL) < 0)
		return;
	/* No routes to ourselves, no multicast, nothing learned (a path MTU is such a clone). */
	if (header->rtm_type != RTN_UNICAST || header->rtm_flags & RTM_F_CLONED)
		return;
	if (netlink_get_u32(attributes[RTA_OIF], &link_index) < 0 ||
		(int)link_index != list->index ||
		route_attributes_read(header, attributes, &route) < 0)
		return;
	table = header->rtm_table;
	netlink_get_u32(attributes[RTA_TABLE], &table);
	route.table = table;
	route.protocol = header->rtm_protocol;
	route.is_onlink = header->rtm_flags & RTNH_F_ONLINK;
	route.is_link_scope = header->rtm_scope == RT_SCOPE_LINK;
	netlink_list_add(list, &route);
}

int netlink_routes(struct netlink *netlink, int index, struct netlink_route **ret_routes,
	size_t *ret_count, struct err *err)
{
	static const unsigned char families[] = {AF_INET, AF_INET6};
	cleanup_netlink_list struct netlink_list list =
		NETLINK_LIST_INIT(struct netlink_route, index);

	for (size_t i = 0; i < sizeof(families); i++) {
		struct rtmsg header = {.rtm_family = families[i]};
		cleanup_message struct nl_msg *message =
			netlink_message(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
		int r;

		netlink_put_u32(message, RTA_OIF, (uint32_t)index);
		r = netlink_ask(netlink, message, route_read, &list);
		if (r < 0)
			return netlink_err(netlink, r, err, "listing routes");
	}
	*ret_routes = netlink_list_take(&list, ret_count);
	return 0;
}

static struct nl_msg *route_message(
	int type, int flags, int index, const struct netlink_route *route, unsigned char scope)
{
	struct rtmsg header = {
		.rtm_family = (unsigned char)route->destination.address.family,
		.rtm_dst_len = (unsigned char)route->destination.prefix_length,
		.rtm_table = RT_TABLE_UNSPEC, /* RTA_TABLE says it */
		.rtm_protocol = route->protocol ? route->protocol : RTPROT_STATIC,
		.rtm_scope = scope,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = route->is_onlink ? RTNH_F_ONLINK : 0,
	};
	struct nl_msg *message = netlink_message(type, flags, &header, sizeof(header));

	if (route->destination.prefix_length)
		netlink_put_address(message, RTA_DST, &route->destination.address);
	if (route->has_gateway)
		netlink_put_address(message, RTA_GATEWAY, &route->gateway);
	if (route->has_source)
		netlink_put_address(message, RTA_PREFSRC, &route->source);
	netlink_put_u32(message, RTA_OIF, (uint32_t)index);
	netlink_put_u32(message, RTA_TABLE, route->table);
	return message;
}

static int route_change(struct netlink *netlink, struct nl_msg *message, const char *verb,
	const struct netlink_route *route, struct err *err)
{
	char via[ADDRESS_TEXT_MAX + sizeof(" via ")] = "";
	char source[ADDRESS_TEXT_MAX + sizeof(" from ")] = "";
	char destination[CIDR_TEXT_MAX];
	char text[ADDRESS_TEXT_MAX];
	int r = netlink_change(netlink, message);

	if (r == 0)
		return 0;
	cidr_format(&route->destination, destination);
	if (route->has_gateway) {
		address_format(&route->gateway, text);
		snprintf(via, sizeof(via), " via %s", text);
	}
	if (route->has_source) {
		address_format(&route->source, text);
		snprintf(source, sizeof(source), " from %s", text);
	}
	return netlink_err(netlink, r, err, "%s route to %s%s%s in table %u", verb, destination,
		via, source, route->table);
}

/* The kernel does not look: it would take the first four bytes of an IPv6 gateway for one. */
static bool route_is_of_one_family(const struct netlink_route *route)
{
	int family = route->destination.address.family;

	return (!route->has_gateway || route->gateway.family == family) &&
	       (!route->has_source || route->source.family == family);
}

int netlink_route_add(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err)
{
	char destination[CIDR_TEXT_MAX];

	cidr_format(&route->destination, destination);
	if (!route_is_of_one_family(route))
		return err_set(err, -EINVAL,
			"adding route to %s: its gateway and source must be of its family",
			destination);

	cleanup_message struct nl_msg *message =
		route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, route,
			route->is_link_scope ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);

	return route_change(netlink, message, "adding", route, err);
}

/* By destination, gateway, source, table and protocol; whatever its scope. */
int netlink_route_remove(
	struct netlink *netlink, int index, const struct netlink_route *route, struct err *err)
{
	cleanup_message struct nl_msg *message =
		route_message(RTM_DELROUTE, 0, index, route, RT_SCOPE_NOWHERE);

	return route_change(netlink, message, "removing", route, err);
}
