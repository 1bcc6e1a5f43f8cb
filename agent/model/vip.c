/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vip.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/reader.h"

static const char *const required_of_route[] = {"destination", "nexthop", NULL};

/* A network; false, with a fault, when the text is none. */
static bool read_cidr(struct reader *reader, const char *key, struct cidr *ret_cidr)
{
	const char *text = reader_text(reader, key, CIDR_TEXT_MAX);

	if (!text)
		return false;
	if (cidr_parse(text, ret_cidr) == 0)
		return true;
	reader_fault(reader, key,
		"must be a network such as \"10.0.0.0/24\", with no bit set behind its prefix");
	return false;
}

static const char *family_name(int family)
{
	return family == AF_INET6 ? "an IPv6" : "an IPv4";
}

/* family is 0 where the VIP's address is at fault: nothing can be said of it then. */
static void check_family(struct reader *reader, const char *key, int family, int wanted)
{
	if (family != 0 && wanted != 0 && family != wanted)
		reader_fault(reader, key, "must be %s address, as the VIP is", family_name(wanted));
}

static void read_subnet(struct reader *reader, bool is_needed, struct vip *vip)
{
	int family = vip->address.family;

	if (is_needed && !reader_has(reader, "subnet_cidr"))
		reader_fault(reader, "subnet_cidr", "is required with topology ACTIVE_STANDBY");
	if (!read_cidr(reader, "subnet_cidr", &vip->subnet_cidr) || family == 0)
		return;
	if (!cidr_contains(&vip->subnet_cidr, &vip->address))
		reader_fault(reader, "subnet_cidr", "must be the subnet that the VIP lies in");
}

static void read_host_route(struct reader *reader, int family, struct host_route *route)
{
	reader_require(reader, required_of_route);
	read_cidr(reader, "destination", &route->destination);
	check_family(reader, "destination", route->destination.address.family, family);
	reader_address(reader, "nexthop", &route->nexthop);
	check_family(reader, "nexthop", route->nexthop.family, family);
	reader_finish(reader, NULL);
}

static void read_host_routes(struct reader *reader, struct vip *vip)
{
	struct reader_list list;
	struct reader route;

	if (!reader_enter_list(reader, "host_routes", &list))
		return;
	vip->host_routes = xcalloc(reader_list_size(&list), sizeof(*vip->host_routes));
	while (reader_list_next(&list, &route))
		read_host_route(
			&route, vip->address.family, &vip->host_routes[vip->host_route_count++]);
}

void vip_parse(
	struct reader *reader, const char *address_key, bool needs_subnet, struct vip *ret_vip)
{
	*ret_vip = (struct vip){.address = {.family = 0}};
	if (!reader_has(reader, address_key))
		reader_fault(reader, address_key, "is required");
	reader_address(reader, address_key, &ret_vip->address);
	read_subnet(reader, needs_subnet, ret_vip);
	reader_address(reader, "gateway", &ret_vip->gateway);
	check_family(reader, "gateway", ret_vip->gateway.family, ret_vip->address.family);
	read_host_routes(reader, ret_vip);
}

void vip_deinit(struct vip *vip)
{
	free(vip->host_routes);
}
