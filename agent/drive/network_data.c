/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/network_data.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "drive/json.h"

DEFINE_CLEANUP(json_t *, json_decref);

/* What the kernel takes; below the second it would take IPv6 off the interface. */
enum { MTU_MIN = 68, MTU_MAX = 65535 };

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int mtu_parse(const json_t *object, unsigned *ret_mtu_bytes, struct err *err)
{
	const json_t *value = json_object_get(object, "mtu");

	*ret_mtu_bytes = 0;
	if (!value || json_is_null(value))
		return 0;
	if (json_integer_value(value) < MTU_MIN || json_integer_value(value) > MTU_MAX)
		return err_set(
			err, -EINVAL, "mtu: must be a number from %d to %d", MTU_MIN, MTU_MAX);
	*ret_mtu_bytes = (unsigned)json_integer_value(value);
	return 0;
}

static int link_parse(const json_t *object, struct network_link *ret_link, struct err *err)
{
	const char *type = text_of(object, "type");
	const char *mac = text_of(object, "ethernet_mac_address");
	struct err problem = ERR_NONE;

	/* The types of nova are names of virtual switches; these are made of other links. */
	if (text_equal(type ? type : "", "bond") || text_equal(type ? type : "", "vlan"))
		return err_set(err, -ENOTSUP, "a %s is no NIC of an amphora", type);
	if (!mac || mac_parse(mac, &ret_link->mac) < 0)
		return err_set(err, -EINVAL, "ethernet_mac_address: must be a MAC");
	if (mtu_parse(object, &ret_link->mtu_bytes, &problem) < 0)
		log_warning("network_data.json: link %.40s: %s", mac, problem.text);
	return 0;
}

/* "255.255.0.0", "ffff:ffff::", or the length itself. */
static int netmask_parse(const char *text, int family, unsigned *ret_prefix_length)
{
	struct address mask;
	const unsigned char *bytes = (const unsigned char *)&mask.v6;
	unsigned prefix_max = address_prefix_max(family);
	unsigned prefix_length = 0;
	uint64_t number;

	if (text_parse_u64(text, 0, prefix_max, &number) == 0) {
		*ret_prefix_length = (unsigned)number;
		return 0;
	}
	if (address_parse(text, &mask) < 0 || mask.family != family)
		return -EINVAL;
	while (prefix_length < prefix_max &&
		(bytes[prefix_length / 8] & (0x80 >> prefix_length % 8)))
		prefix_length++;
	for (unsigned bit = prefix_length; bit < prefix_max; bit++)
		if (bytes[bit / 8] & (0x80 >> bit % 8))
			return -EINVAL;
	*ret_prefix_length = prefix_length;
	return 0;
}

/* An address and the length of its prefix, from the text "ADDRESS/LENGTH" or with a mask apart. */
static int cidr_take(const json_t *object, const char *key, struct cidr *ret_cidr, struct err *err)
{
	const char *text = text_of(object, key);
	const char *mask = text_of(object, "netmask");
	const char *slash = text ? strchr(text, '/') : NULL;
	cleanup_free char *address = slash ? xmemdup_text(text, (size_t)(slash - text)) : NULL;

	if (!text || address_parse(slash ? address : text, &ret_cidr->address) < 0)
		return err_set(err, -EINVAL, "%s: must be an address", key);
	if (slash)
		mask = slash + 1;
	if (!mask || netmask_parse(mask, ret_cidr->address.family, &ret_cidr->prefix_length) < 0)
		return err_set(
			err, -EINVAL, "netmask of %s: must be a mask or the length of one", key);
	return 0;
}

static int route_add(const json_t *object, int family, struct network_link *link, struct err *err)
{
	const char *gateway = text_of(object, "gateway");
	struct network_route route;
	struct cidr cidr;
	int r = cidr_take(object, "network", &cidr, err);

	if (r < 0)
		return r;
	if (!gateway || address_parse(gateway, &route.gateway) < 0)
		return err_set(err, -EINVAL, "gateway: must be an address");
	if (cidr.address.family != family || route.gateway.family != family)
		return err_set(err, -EINVAL, "not of its network's address family");
	if (link->route_count == NETWORK_ROUTES_MAX)
		return err_set(err, -E2BIG, "more than %d routes", NETWORK_ROUTES_MAX);
	route.destination = cidr_network(&cidr.address, cidr.prefix_length);
	link->routes[link->route_count++] = route;
	return 0;
}

static int static_take(const json_t *object, int family, struct network_link *link, struct err *err)
{
	struct cidr address;
	const json_t *route;
	size_t index;
	int r = cidr_take(object, "ip_address", &address, err);

	if (r < 0)
		return r;
	if (address.address.family != family)
		return err_set(err, -EINVAL, "ip_address: not of the family that its type says");
	if (link->address_count == NETWORK_ADDRESSES_MAX)
		return err_set(err, -E2BIG, "more than %d addresses", NETWORK_ADDRESSES_MAX);
	link->addresses[link->address_count++] = address;
	json_array_foreach(json_object_get(object, "routes"), index, route)
	{
		struct err problem = ERR_NONE;

		if (route_add(route, family, link, &problem) < 0)
			log_warning("network_data.json: route %zu is left out: %s", index + 1,
				problem.text);
	}
	return 0;
}

/* The words for how a network's addresses come about. */
static int network_take(const json_t *object, struct network_link *link, struct err *err)
{
	const char *type = text_of(object, "type");

	if (!type)
		return err_set(err, -EINVAL, "type: must be there, and a text");
	if (text_equal(type, "ipv4"))
		return static_take(object, AF_INET, link, err);
	if (text_equal(type, "ipv6"))
		return static_take(object, AF_INET6, link, err);
	if (text_equal(type, "ipv4_dhcp"))
		link->wants_dhcp4 = true;
	else if (text_equal(type, "ipv6_dhcp") || text_equal(type, "ipv6_dhcpv6-stateful"))
		link->wants_dhcp6 = true;
	/* What a stateless server adds to the router's word is names, which nobody here wants. */
	else if (text_equal(type, "ipv6_slaac") || text_equal(type, "ipv6_dhcpv6-stateless"))
		link->wants_slaac = true;
	else
		return err_set(err, -ENOTSUP, "type '%.40s' is not known", type);
	return 0;
}

static bool gets_address(const struct network_link *link)
{
	return link->wants_dhcp4 || link->wants_dhcp6 || link->wants_slaac ||
	       link->address_count > 0;
}

/* All networks of the link with this id. */
static void networks_take(const json_t *networks, const char *id, struct network_link *link)
{
	const json_t *network;
	size_t index;

	json_array_foreach(networks, index, network)
	{
		const char *link_id = text_of(network, "link");
		struct err problem = ERR_NONE;

		if (link_id && text_equal(link_id, id) && network_take(network, link, &problem) < 0)
			log_warning("network_data.json: network %zu is left out: %s", index + 1,
				problem.text);
	}
}

static void links_take(const json_t *links, const json_t *networks, struct network_data *network)
{
	const json_t *object;
	size_t index;

	network->links = xcalloc(NETWORK_LINKS_MAX, sizeof(*network->links));
	json_array_foreach(links, index, object)
	{
		struct network_link link = {.mtu_bytes = 0};
		const char *id = text_of(object, "id");
		struct err problem = ERR_NONE;
		int r = 0;

		if (network->link_count == NETWORK_LINKS_MAX)
			r = err_set(&problem, -E2BIG, "more than %d links", NETWORK_LINKS_MAX);
		else if (!id)
			r = err_set(&problem, -EINVAL, "id: must be there, and a text");
		else
			r = link_parse(object, &link, &problem);
		if (r == 0)
			networks_take(networks, id, &link);
		if (r == 0 && !gets_address(&link))
			r = err_set(&problem, -ENODATA, "it has no network to be used");
		if (r == 0)
			network->links[network->link_count++] = link;
		else
			log_warning("network_data.json: link %zu is left out: %s", index + 1,
				problem.text);
	}
}

int network_data_parse(
	const char *text, size_t size_bytes, struct network_data *ret_network, struct err *err)
{
	CLEANUP(cleanup_json_decref) json_t *root = NULL;
	int r = drive_json_parse(text, size_bytes, &root, err);
	const json_t *links = json_object_get(root, "links");
	const json_t *networks = json_object_get(root, "networks");

	if (r < 0)
		return r;
	if (!json_is_array(links) || !json_is_array(networks))
		return err_set(err, -EINVAL, "links and networks: must be there, and lists");
	*ret_network = (struct network_data){0};
	links_take(links, networks, ret_network);
	return 0;
}

void network_data_deinit(struct network_data *network)
{
	free(network->links);
	*network = (struct network_data){0};
}
