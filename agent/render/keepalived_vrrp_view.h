/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VRRP instance of one amphora of a pair as templates/keepalived-vrrp.conf.mustache sees it:
 * the decisions are made here, the template only says them in keepalived's words, which name the
 * keys. Used by render/ only.
 *
 *	{"check_script", "vrrp_instance", "interface", "virtual_router_id", "priority",
 *	 "advert_int", "authentication": {"auth_type", "auth_pass"}, "unicast_src_ip",
 *	 "unicast_peers": ["198.51.100.16"],
 *	 "virtual_ipaddress": ["198.51.100.13"],
 *	 "virtual_ipaddress_excluded": ["2001:db8::13"],
 *	 "vips": [
 *	   {"address", "host": "198.51.100.13/32", "subnet_cidr", "gateway",
 *	    "host_routes": [{"destination", "nexthop"}]}]}
 *
 * What does not apply is absent.
 */
#pragma once

#include <jansson.h>

#include "render/keepalived_vrrp.h"

/* The caller's to json_decref(). */
json_t *keepalived_vrrp_view(const struct load_balancer *load_balancer,
	const struct amphora *amphora, const struct keepalived_vrrp_options *options);
