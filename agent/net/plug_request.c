/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plug_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"

/*
 * The least that the kernel takes for either family: below MTU_MIN_IPV6 it takes IPv6 off the
 * interface, and no address of the request could be added.
 */
enum { MTU_MIN = 68, MTU_MIN_IPV6 = 1280, MTU_MAX = 65535 };

static int keys_require(const json_t *object, const char *const *keys, int code, struct err *err)
{
	if (!json_is_object(object))
		return err_set(err, code, "must be a JSON object");
	for (; *keys; keys++)
		if (!json_object_get(object, *keys))
			return err_set(err, code, "%s: missing", *keys);
	return 0;
}

/* *ret_text stays the object's; NULL for none: absent, null, or "" as in the reference. */
static int text_parse(const json_t *object, const char *key, const char **ret_text, struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*ret_text = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return err_set(err, -EINVAL, "%s: must be a string", key);
	if (json_string_length(value) > 0)
		*ret_text = json_string_value(value);
	return 0;
}

/* Neither "any", nor a group, nor everybody: what an interface or a router can have. */
static bool is_of_one_host(const struct address *address)
{
	if (address->family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(&address->v6) &&
		       !IN6_IS_ADDR_MULTICAST(&address->v6);
	return address->v4.s_addr != INADDR_ANY && address->v4.s_addr != INADDR_BROADCAST &&
	       !IN_MULTICAST(ntohl(address->v4.s_addr));
}

static int host_address_parse(
	const char *key, const char *text, struct address *ret_address, struct err *err)
{
	struct address address;

	if (address_parse(text, &address) < 0)
		return err_set(err, -EINVAL, "%s: '%.100s' is no IP address", key, text);
	if (!is_of_one_host(&address))
		return err_set(err, -EINVAL, "%s: '%s' is no address of a single host", key, text);
	*ret_address = address;
	return 0;
}

static int optional_address_parse(const json_t *object, const char *key, bool *ret_has,
	struct address *ret_address, struct err *err)
{
	const char *text;
	int r = text_parse(object, key, &text, err);

	*ret_has = r == 0 && text;
	return *ret_has ? host_address_parse(key, text, ret_address, err) : r;
}

static int subnet_parse(const json_t *object, struct cidr *ret_subnet, struct err *err)
{
	const char *text;
	int r = text_parse(object, "subnet_cidr", &text, err);

	if (r < 0)
		return r;
	if (!text)
		return err_set(err, -EINVAL, "subnet_cidr: missing");
	if (cidr_parse(text, ret_subnet) < 0)
		return err_set(err, -EINVAL,
			"subnet_cidr: '%.100s' is no network without bits behind its prefix", text);
	return 0;
}

static int mac_member_parse(const json_t *body, struct mac *ret_mac, struct err *err)
{
	static const struct mac none = {0};
	const json_t *value = json_object_get(body, "mac_address");
	struct mac mac;

	if (!json_is_string(value) || mac_parse(json_string_value(value), &mac) < 0)
		return err_set(err, -EINVAL, "mac_address: must be like \"fa:16:3e:00:00:01\"");
	/* All zeros are loopback's and tunnels', which nobody plugs. */
	if (mac_equal(&mac, &none) || (mac.bytes[0] & 1))
		return err_set(err, -EINVAL,
			"mac_address: '%s' is no address of a single interface",
			json_string_value(value));
	*ret_mac = mac;
	return 0;
}

/* Absent, null and 0: not given. */
static int mtu_parse(const json_t *body, unsigned *ret_mtu_bytes, struct err *err)
{
	const json_t *value = json_object_get(body, "mtu");
	json_int_t mtu = json_integer_value(value);

	if (value && !json_is_null(value) && !json_is_integer(value))
		return err_set(err, -EINVAL, "mtu: must be a number of bytes");
	if (mtu != 0 && (mtu < MTU_MIN || mtu > MTU_MAX))
		return err_set(err, -EINVAL, "mtu: %lld is not from %d to %d", (long long)mtu,
			MTU_MIN, MTU_MAX);
	*ret_mtu_bytes = (unsigned)mtu;
	return 0;
}

static int mtu_check(
	unsigned mtu_bytes, const struct plug_address *addresses, size_t count, struct err *err)
{
	if (mtu_bytes == 0 || mtu_bytes >= MTU_MIN_IPV6)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (addresses[i].address.family == AF_INET6)
			return err_set(err, -EINVAL,
				"mtu: %u is too small for IPv6, which needs %d", mtu_bytes,
				MTU_MIN_IPV6);
	return 0;
}

static int sriov_parse(const json_t *body, bool *ret_is_sriov, struct err *err)
{
	const json_t *value = json_object_get(body, "is_sriov");

	if (value && !json_is_null(value) && !json_is_boolean(value))
		return err_set(err, -EINVAL, "is_sriov: must be true or false");
	*ret_is_sriov = json_is_true(value);
	return 0;
}

/* *ret_list is NULL for none: absent or null. */
static int list_parse(
	const json_t *object, const char *key, size_t max, const json_t **ret_list, struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*ret_list = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_array(value))
		return err_set(err, -EINVAL, "%s: must be a list", key);
	if (json_array_size(value) > max)
		return err_set(err, -EINVAL, "%s: %zu entries are more than %zu", key,
			json_array_size(value), max);
	*ret_list = value;
	return 0;
}

static int host_route_parse(const json_t *item, int family, struct plug_host_route *ret_route)
{
	const char *destination = json_string_value(json_object_get(item, "destination"));
	const char *nexthop = json_string_value(json_object_get(item, "nexthop"));

	if (!destination || cidr_parse(destination, &ret_route->destination) < 0 || !nexthop ||
		host_address_parse("nexthop", nexthop, &ret_route->nexthop, NULL) < 0)
		return -EINVAL;
	if (ret_route->destination.address.family != family || ret_route->nexthop.family != family)
		return -EINVAL;
	return 0;
}

static int host_routes_parse(const json_t *object, struct plug_address *address, struct err *err)
{
	const json_t *list;
	const json_t *item;
	size_t i;
	int r = list_parse(object, "host_routes", PLUG_HOST_ROUTES_MAX, &list, err);

	if (r < 0 || !list)
		return r;
	address->host_routes = xcalloc(json_array_size(list) + 1, sizeof(*address->host_routes));
	json_array_foreach(list, i, item)
	{
		struct plug_host_route *route = &address->host_routes[address->host_route_count];
		cleanup_free char *text = NULL;

		if (host_route_parse(item, address->address.family, route) == 0) {
			address->host_route_count++;
			continue;
		}
		text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
		log_warning("plugging: a host route that cannot be used is left out: %.200s",
			text ? text : "");
	}
	return 0;
}

/* What goes with an address that was parsed already: its subnet, gateway and host routes. */
static int surroundings_parse(const json_t *object, struct plug_address *address, struct err *err)
{
	int family = address->address.family;
	int r = subnet_parse(object, &address->subnet, err);

	if (r == 0)
		r = optional_address_parse(
			object, "gateway", &address->has_gateway, &address->gateway, err);
	if (r < 0)
		return r;
	if (address->subnet.address.family != family)
		return err_set(err, -EINVAL, "subnet_cidr: of another family than the address");
	if (!cidr_contains(&address->subnet, &address->address))
		return err_set(err, -EINVAL, "subnet_cidr: the address is not in it");
	if (address->has_gateway && address->gateway.family != family)
		return err_set(err, -EINVAL, "gateway: of another family than the address");
	return host_routes_parse(object, address, err);
}

static int plug_address_parse(const json_t *object, struct plug_address *address, struct err *err)
{
	const char *text;
	int r = text_parse(object, "ip_address", &text, err);

	if (r < 0)
		return r;
	if (!text)
		return err_set(err, -EINVAL, "ip_address: missing");
	r = host_address_parse("ip_address", text, &address->address, err);
	return r < 0 ? r : surroundings_parse(object, address, err);
}

/* Appends; on failure what is half done is the array's owner's to free. */
static int plug_addresses_parse(const json_t *body, const char *key,
	struct plug_address **addresses, size_t *count, struct err *err)
{
	const json_t *list;
	const json_t *item;
	size_t i;
	int r = list_parse(body, key, PLUG_ADDRESSES_MAX, &list, err);

	if (r < 0 || !list)
		return r;
	*addresses =
		xrealloc_array(*addresses, *count + json_array_size(list) + 1, sizeof(**addresses));
	json_array_foreach(list, i, item)
	{
		struct plug_address *address = &(*addresses)[(*count)++];

		*address = (struct plug_address){0};
		r = plug_address_parse(item, address, err);
		if (r < 0)
			return err_wrap(err, r, "%s[%zu]", key, i);
	}
	return 0;
}

static void plug_addresses_free(struct plug_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(addresses[i].host_routes);
	free(addresses);
}

static int vrrp_ip_parse(const json_t *body, struct plug_vip_request *request, struct err *err)
{
	if (optional_address_parse(body, "vrrp_ip", &request->has_vrrp_ip, &request->vrrp_ip, err) <
		0)
		return err ? (err->code = -EADDRNOTAVAIL) : -EADDRNOTAVAIL;
	return 0;
}

/* The part that plug/vip and vip_net_info have in common. */
static int vips_parse(
	const char *vip, const json_t *body, struct plug_vip_request *request, struct err *err)
{
	int r;

	request->vips = xcalloc(1, sizeof(*request->vips));
	request->vip_count = 1;
	r = host_address_parse("vip", vip, &request->vips[0].address, err);
	if (r == 0)
		r = surroundings_parse(body, &request->vips[0], err);
	if (r == 0)
		r = plug_addresses_parse(
			body, "additional_vips", &request->vips, &request->vip_count, err);
	return r < 0 ? r : vrrp_ip_parse(body, request, err);
}

int plug_vip_request_parse(
	const char *vip, const json_t *body, struct plug_vip_request *ret_request, struct err *err)
{
	static const char *const required[] = {"subnet_cidr", "gateway", "mac_address", NULL};
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	int r = keys_require(body, required, -EBADMSG, err);

	if (r == 0)
		r = mac_member_parse(body, &request.mac, err);
	if (r == 0)
		r = mtu_parse(body, &request.mtu_bytes, err);
	if (r == 0)
		r = sriov_parse(body, &request.is_sriov, err);
	if (r == 0)
		r = vips_parse(vip, body, &request, err);
	if (r == 0)
		r = mtu_check(request.mtu_bytes, request.vips, request.vip_count, err);
	if (r < 0)
		return r;
	*ret_request = request;
	request = (struct plug_vip_request){0};
	return 0;
}

void plug_vip_request_deinit(struct plug_vip_request *request)
{
	plug_addresses_free(request->vips, request->vip_count);
	*request = (struct plug_vip_request){0};
}

static int vip_net_info_parse(
	const json_t *info, struct plug_network_request *request, struct err *err)
{
	static const char *const required[] = {"vip", "subnet_cidr", "gateway", NULL};
	const char *vip;
	int r = keys_require(info, required, -EINVAL, err);

	if (r == 0)
		r = text_parse(info, "vip", &vip, err);
	if (r == 0)
		r = vips_parse(vip ? vip : "", info, &request->vip, err);
	if (r == 0)
		r = mtu_check(request->mtu_bytes, request->vip.vips, request->vip.vip_count, err);
	if (r < 0)
		return err_wrap(err, -EINVAL, "vip_net_info");
	request->has_vip = true;
	request->vip.mac = request->mac;
	request->vip.mtu_bytes = request->mtu_bytes;
	request->vip.is_sriov = request->is_sriov;
	return 0;
}

static int plug_network_request_fill(
	const json_t *body, struct plug_network_request *request, struct err *err)
{
	static const char *const required[] = {"mac_address", NULL};
	const json_t *info = json_object_get(body, "vip_net_info");
	int r = keys_require(body, required, -EBADMSG, err);

	if (r == 0)
		r = mac_member_parse(body, &request->mac, err);
	if (r == 0)
		r = mtu_parse(body, &request->mtu_bytes, err);
	if (r == 0)
		r = sriov_parse(body, &request->is_sriov, err);
	if (r == 0)
		r = plug_addresses_parse(
			body, "fixed_ips", &request->fixed_ips, &request->fixed_ip_count, err);
	if (r == 0)
		r = mtu_check(request->mtu_bytes, request->fixed_ips, request->fixed_ip_count, err);
	if (r == 0 && info && !json_is_null(info))
		r = vip_net_info_parse(info, request, err);
	return r;
}

int plug_network_request_parse(
	const json_t *body, struct plug_network_request *ret_request, struct err *err)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
	int r = plug_network_request_fill(body, &request, err);

	if (r < 0)
		return r;
	*ret_request = request;
	request = (struct plug_network_request){0};
	return 0;
}

void plug_network_request_deinit(struct plug_network_request *request)
{
	plug_addresses_free(request->fixed_ips, request->fixed_ip_count);
	plug_vip_request_deinit(&request->vip);
	*request = (struct plug_network_request){0};
}
