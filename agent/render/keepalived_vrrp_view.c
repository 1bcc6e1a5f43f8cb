/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_vrrp_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "render/escape_keepalived.h"
#include "render/view.h"

static void set_cidr(json_t *object, const char *key, const struct cidr *cidr)
{
	char text[CIDR_TEXT_MAX];

	cidr_format(cidr, text);
	view_set_text(object, key, text);
}

static int vip_compare(const void *a, const void *b)
{
	const struct vip *const *one = a;
	const struct vip *const *other = b;
	char one_text[ADDRESS_TEXT_MAX];
	char other_text[ADDRESS_TEXT_MAX];

	address_format(&(*one)->address, one_text);
	address_format(&(*other)->address, other_text);
	return strcmp(one_text, other_text);
}

/* The first VIP, then the additional ones, sorted as texts as Octavia does; the caller frees. */
static const struct vip **vips_in_order(const struct load_balancer *load_balancer)
{
	const struct vip **vips = xcalloc(load_balancer->vip_count, sizeof(*vips));

	for (size_t i = 0; i < load_balancer->vip_count; i++)
		vips[i] = &load_balancer->vips[i];
	qsort(vips + 1, load_balancer->vip_count - 1, sizeof(*vips), vip_compare);
	return vips;
}

static json_t *view_host_routes(const struct vip *vip)
{
	json_t *routes = json_array();

	for (size_t i = 0; i < vip->host_route_count; i++) {
		json_t *route = json_object();

		set_cidr(route, "destination", &vip->host_routes[i].destination);
		view_set_address(route, "nexthop", &vip->host_routes[i].nexthop);
		view_append(routes, route);
	}
	return routes;
}

static json_t *view_vip(const struct vip *vip)
{
	const struct cidr host = cidr_host(&vip->address);
	json_t *view = json_object();

	view_set_address(view, "address", &vip->address);
	set_cidr(view, "host", &host);
	set_cidr(view, "subnet_cidr", &vip->subnet_cidr);
	view_set_address(view, "gateway", &vip->gateway);
	view_set(view, "host_routes", view_host_routes(vip));
	return view;
}

/* Those of the family that VRRP speaks are announced in it; the rest come and go with them. */
static void set_vips(
	json_t *view, const struct load_balancer *load_balancer, const struct amphora *amphora)
{
	cleanup_free const struct vip **in_order = vips_in_order(load_balancer);
	json_t *vips = json_array();
	json_t *announced = json_array();
	json_t *excluded = json_array();

	for (size_t i = 0; i < load_balancer->vip_count; i++) {
		const struct address *address = &in_order[i]->address;

		view_append(vips, view_vip(in_order[i]));
		view_append_address(
			address->family == amphora->vrrp_ip.family ? announced : excluded, address);
	}
	view_set(view, "vips", vips);
	view_set(view, "virtual_ipaddress", announced);
	view_set(view, "virtual_ipaddress_excluded", excluded);
}

static json_t *view_peers(const struct load_balancer *load_balancer, const struct amphora *amphora)
{
	json_t *peers = json_array();

	for (size_t i = 0; i < load_balancer->amphora_count; i++) {
		const struct address *vrrp_ip = &load_balancer->amphorae[i].vrrp_ip;

		if (!address_equal(vrrp_ip, &amphora->vrrp_ip))
			view_append_address(peers, vrrp_ip);
	}
	return peers;
}

/* keepalived speaks version 3 of VRRP over IPv6, which knows no passwords. */
static void set_authentication(
	json_t *view, const struct vrrp_group *group, const struct amphora *amphora)
{
	json_t *authentication;

	if (amphora->vrrp_ip.family == AF_INET6)
		return;
	authentication = json_object();
	view_set_text(authentication, "auth_type", group->auth_type);
	view_set_text(authentication, "auth_pass", group->auth_pass);
	view_set(view, "authentication", authentication);
}

json_t *keepalived_vrrp_view(const struct load_balancer *load_balancer,
	const struct amphora *amphora, const struct keepalived_vrrp_options *options)
{
	const struct vrrp_group *group = &load_balancer->vrrp_group;
	cleanup_buf struct buf script = BUF_INIT(64 * KIB);
	json_t *view = json_object();

	escape_keepalived_argument(options->check_script, strlen(options->check_script), &script);
	view_set_text(view, "check_script", buf_text(&script));
	view_set_text(view, "vrrp_instance", group->group_name);
	view_set_text(view, "interface", amphora->vrrp_interface);
	view_set_number(view, "virtual_router_id", group->virtual_router_id);
	view_set_number(view, "priority", amphora->vrrp_priority);
	view_set_number(view, "advert_int", group->advert_int_s);
	set_authentication(view, group, amphora);
	view_set_address(view, "unicast_src_ip", &amphora->vrrp_ip);
	view_set(view, "unicast_peers", view_peers(load_balancer, amphora));
	set_vips(view, load_balancer, amphora);
	return view;
}
