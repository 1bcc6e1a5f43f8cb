/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptions that plug requests lead to (amphora-api.md, "Plugging": what the VIP interface
 * gets in either topology), in the order of the reference's VIPInterfaceFile and PortInterfaceFile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "net/plug_request.h"

static struct cidr everywhere(int family)
{
	return (struct cidr){.address = {.family = family}};
}

static void gateway_describe(struct interface_description *description,
	const struct cidr *destination, const struct address *gateway, unsigned table)
{
	const struct described_route route = {
		.destination = *destination,
		.has_gateway = true,
		.gateway = *gateway,
		.table = table,
	};

	description_add_route(description, &route);
}

/* In ACTIVE_STANDBY the default route of the VIP's table is keepalived's. */
static void default_route_describe(struct interface_description *description,
	const struct plug_address *address, enum topology topology)
{
	const struct cidr destination = everywhere(address->address.family);

	if (!address->has_gateway)
		return;
	gateway_describe(description, &destination, &address->gateway, ROUTE_TABLE_MAIN);
	if (topology == TOPOLOGY_SINGLE)
		gateway_describe(description, &destination, &address->gateway, ROUTE_TABLE_VIP);
}

static void host_routes_describe(struct interface_description *description,
	const struct plug_address *address, unsigned table)
{
	for (size_t i = 0; i < address->host_route_count; i++)
		gateway_describe(description, &address->host_routes[i].destination,
			&address->host_routes[i].nexthop, table);
}

/* The subnet of a VIP is on link; in the VIP's table, one asks from the VIP. */
static void subnet_describe(struct interface_description *description,
	const struct plug_address *vip, enum topology topology)
{
	struct described_route route = {
		.destination = cidr_network(&vip->address, vip->subnet.prefix_length),
		.is_link_scope = true,
		.table = ROUTE_TABLE_MAIN,
	};
	const struct described_rule rule = {cidr_host(&vip->address), ROUTE_TABLE_VIP};

	description_add_route(description, &route);
	if (topology != TOPOLOGY_SINGLE)
		return;
	route.has_source = true;
	route.source = vip->address;
	route.table = ROUTE_TABLE_VIP;
	description_add_route(description, &route);
	description_add_rule(description, &rule);
}

static void vip_describe(struct interface_description *description, const struct plug_address *vip,
	enum topology topology)
{
	const struct described_address address = {
		.address = vip->address,
		.prefix_length = address_prefix_max(vip->address.family),
		.is_ours = topology == TOPOLOGY_SINGLE,
	};

	default_route_describe(description, vip, topology);
	description_add_address(description, &address);
	subnet_describe(description, vip, topology);
	host_routes_describe(description, vip, ROUTE_TABLE_MAIN);
	host_routes_describe(description, vip, ROUTE_TABLE_VIP);
}

/* Of the subnet that it lies on, else of one of its family, else of itself. */
static unsigned vrrp_prefix_length(const struct plug_vip_request *request)
{
	unsigned length = address_prefix_max(request->vrrp_ip.family);

	for (size_t i = request->vip_count; i-- > 0;)
		if (request->vips[i].subnet.address.family == request->vrrp_ip.family)
			length = request->vips[i].subnet.prefix_length;
	for (size_t i = request->vip_count; i-- > 0;)
		if (cidr_contains(&request->vips[i].subnet, &request->vrrp_ip))
			length = request->vips[i].subnet.prefix_length;
	return length;
}

/* Without a VRRP address the interface asks for one of each family that its VIPs have. */
static void own_address_describe(struct interface_description *description,
	const struct plug_vip_request *request, const struct address *vip)
{
	const struct described_address own = {
		.address = request->vrrp_ip,
		.prefix_length = vrrp_prefix_length(request),
		.is_ours = true,
	};

	if (request->has_vrrp_ip)
		description_add_address(description, &own);
	else if (vip->family == AF_INET)
		description->wants_dhcp = true;
	else
		description->wants_slaac = true;
}

void plug_vip_describe(const struct plug_vip_request *request, enum topology topology,
	const char *name, struct interface_description *ret_description)
{
	struct interface_description description = {
		.type = INTERFACE_VIP,
		.mtu_bytes = request->mtu_bytes,
		.is_sriov = request->is_sriov,
	};

	memcpy(description.name, name, strlen(name) + 1);
	for (size_t i = 0; i < request->vip_count; i++) {
		own_address_describe(&description, request, &request->vips[i].address);
		vip_describe(&description, &request->vips[i], topology);
	}
	*ret_description = description;
}

static void fixed_ip_describe(
	struct interface_description *description, const struct plug_address *fixed_ip)
{
	const struct described_address address = {
		.address = fixed_ip->address,
		.prefix_length = fixed_ip->subnet.prefix_length,
		.is_ours = true,
	};

	description_add_address(description, &address);
}

/* A VIP stands out in a description of its interface: keepalived's to put on, or with a rule. */
static bool is_vip(
	const struct interface_description *stored, const struct described_address *address)
{
	if (!address->is_ours)
		return true;
	for (size_t i = 0; i < stored->rule_count; i++)
		if (cidr_contains(&stored->rules[i].source, &address->address))
			return true;
	return false;
}

/* The narrowest of the subnets on link that it lies in. */
static struct cidr subnet_of(const struct interface_description *stored, const struct address *vip)
{
	struct cidr subnet = cidr_host(vip);
	bool found = false;

	for (size_t i = 0; i < stored->route_count; i++) {
		const struct described_route *route = &stored->routes[i];

		if (!route->is_link_scope || !cidr_contains(&route->destination, vip) ||
			(found && route->destination.prefix_length <= subnet.prefix_length))
			continue;
		subnet = route->destination;
		found = true;
	}
	return subnet;
}

static bool is_in_some_subnet(
	const struct interface_description *stored, const struct address *gateway)
{
	struct cidr subnet = subnet_of(stored, gateway);

	return subnet.prefix_length < address_prefix_max(gateway->family);
}

/*
 * Whether a stored route belongs to a VIP on this subnet: its gateway lies there, or, as IPv6
 * routers with link-local addresses, in no subnet at all.
 */
static bool is_route_of(const struct interface_description *stored,
	const struct described_route *route, const struct cidr *subnet)
{
	return route->has_gateway && route->gateway.family == subnet->address.family &&
	       (cidr_contains(subnet, &route->gateway) ||
		       !is_in_some_subnet(stored, &route->gateway));
}

static void vip_recall(const struct interface_description *stored, const struct address *address,
	struct plug_address *ret_vip)
{
	struct plug_address vip = {.address = *address, .subnet = subnet_of(stored, address)};

	vip.host_routes = xcalloc(stored->route_count + 1, sizeof(*vip.host_routes));
	for (size_t i = 0; i < stored->route_count; i++) {
		const struct described_route *route = &stored->routes[i];

		if (!is_route_of(stored, route, &vip.subnet))
			continue;
		if (route->destination.prefix_length == 0 && route->table == ROUTE_TABLE_MAIN) {
			vip.has_gateway = true;
			vip.gateway = route->gateway;
		} else if (route->destination.prefix_length > 0 &&
			   route->table == ROUTE_TABLE_VIP) {
			/* Host routes of fixed IPs are in the main table alone. */
			vip.host_routes[vip.host_route_count++] =
				(struct plug_host_route){route->destination, route->gateway};
		}
	}
	*ret_vip = vip;
}

/* What the request says of a subnet counts, not what is remembered of it. */
static bool is_known_subnet(const struct plug_vip_request *request, const struct cidr *subnet)
{
	for (size_t i = 0; i < request->vip_count; i++)
		if (cidr_equal(&request->vips[i].subnet, subnet))
			return true;
	return false;
}

static void additional_vips_recall(const struct interface_description *stored,
	const struct plug_vip_request *request, enum topology topology,
	struct interface_description *description)
{
	for (size_t i = 0; i < stored->address_count; i++) {
		const struct address *address = &stored->addresses[i].address;
		struct plug_address vip;

		if (!is_vip(stored, &stored->addresses[i]) ||
			address_equal(address, &request->vips[0].address))
			continue;
		vip_recall(stored, address, &vip);
		if (is_known_subnet(request, &vip.subnet)) {
			vip.has_gateway = false;
			vip.host_route_count = 0;
		}
		own_address_describe(description, request, address);
		vip_describe(description, &vip, topology);
		free(vip.host_routes);
	}
}

static void port_describe(
	const struct plug_network_request *request, struct interface_description *description)
{
	description->type = INTERFACE_BACKEND;
	description->mtu_bytes = request->mtu_bytes;
	description->is_sriov = request->is_sriov;
	description->wants_dhcp = description->wants_slaac = request->fixed_ip_count == 0;
	for (size_t i = 0; i < request->fixed_ip_count; i++) {
		fixed_ip_describe(description, &request->fixed_ips[i]);
		host_routes_describe(description, &request->fixed_ips[i], ROUTE_TABLE_MAIN);
	}
}

void plug_network_describe(const struct plug_network_request *request, enum topology topology,
	const char *name, const struct interface_description *stored,
	struct interface_description *ret_description)
{
	struct interface_description description = {0};

	if (!request->has_vip) {
		memcpy(description.name, name, strlen(name) + 1);
		port_describe(request, &description);
		*ret_description = description;
		return;
	}
	plug_vip_describe(&request->vip, topology, name, &description);
	/* A controller that names additional VIPs after all knows them all. */
	if (stored && request->vip.vip_count == 1)
		additional_vips_recall(stored, &request->vip, topology, &description);
	for (size_t i = 0; i < request->fixed_ip_count; i++) {
		fixed_ip_describe(&description, &request->fixed_ips[i]);
		default_route_describe(&description, &request->fixed_ips[i], topology);
		host_routes_describe(&description, &request->fixed_ips[i], ROUTE_TABLE_MAIN);
	}
	*ret_description = description;
}
