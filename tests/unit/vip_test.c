/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define VIP(keys)  "{'vip_address': '10.0.0.1'" keys "}"
#define CIDR_FAULT "must be a network such as \"10.0.0.0/24\", with no bit set behind its prefix"

static void a_vip_needs_nothing_but_its_address(void **state)
{
	cleanup_model struct model_case model = model_parse(VIP(""));
	const struct vip *vip;

	(void)state;
	assert_non_null(model.load_balancer);
	vip = &model.load_balancer->vips[0];
	assert_int_equal(vip->subnet_cidr.address.family, 0);
	assert_int_equal(vip->gateway.family, 0);
	assert_int_equal(vip->host_route_count, 0);
	assert_faults("{}", "/vip_address: is required");
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		VIP(", 'subnet_cidr': '10.0.0.0/24', 'gateway': '10.0.0.254', "
		    "'host_routes': [{'destination': '10.9.0.0/16', 'nexthop': "
		    "'10.0.0.7'}, {'destination': '0.0.0.0/0', 'nexthop': '10.0.0.8'}]"));
	const struct vip *vip;
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_non_null(model.load_balancer);
	vip = &model.load_balancer->vips[0];
	cidr_format(&vip->subnet_cidr, text);
	assert_string_equal(text, "10.0.0.0/24");
	address_format(&vip->gateway, text);
	assert_string_equal(text, "10.0.0.254");
	assert_int_equal(vip->host_route_count, 2);
	cidr_format(&vip->host_routes[0].destination, text);
	assert_string_equal(text, "10.9.0.0/16");
	address_format(&vip->host_routes[1].nexthop, text);
	assert_string_equal(text, "10.0.0.8");
}

static void a_subnet_is_a_network_that_holds_the_vip(void **state)
{
	(void)state;
	assert_faults(VIP(", 'subnet_cidr': '10.0.0.0/33'"), "/subnet_cidr: " CIDR_FAULT);
	assert_faults(VIP(", 'subnet_cidr': '10.0.0.1/24'"), "/subnet_cidr: " CIDR_FAULT);
	assert_faults(VIP(", 'subnet_cidr': ''"), "/subnet_cidr: " CIDR_FAULT);
	assert_faults(VIP(", 'subnet_cidr': '10.0.1.0/24'"),
		"/subnet_cidr: must be the subnet that the VIP lies in");
	assert_faults(VIP(", 'subnet_cidr': '::/0'"),
		"/subnet_cidr: must be the subnet that the VIP lies in");
}

static void what_is_reached_from_a_vip_has_its_family(void **state)
{
	(void)state;
	assert_faults(VIP(", 'gateway': '2001:db8::1', 'host_routes': [{'destination': "
			  "'2001:db8::/64', 'nexthop': '2001:db8::2'}]"),
		"/gateway: must be an IPv4 address, as the VIP is\n"
		"/host_routes/0/destination: must be an IPv4 address, as the VIP is\n"
		"/host_routes/0/nexthop: must be an IPv4 address, as the VIP is");
	assert_faults("{'vip_address': '2001:db8::9', 'gateway': '10.0.0.1'}",
		"/gateway: must be an IPv6 address, as the VIP is");
}

static void a_route_has_both_ends_and_nothing_else(void **state)
{
	(void)state;
	assert_faults(VIP(", 'host_routes': [{'via': 'x'}]"),
		"/host_routes/0/destination: is required\n/host_routes/0/nexthop: is required\n"
		"/host_routes/0/via: is no key of this object");
	assert_faults(VIP(", 'host_routes': {}"), "/host_routes: must be a list");
}

/* Of the address nothing is known, and so nothing is said of what should fit it. */
static void a_bad_address_is_the_only_fault(void **state)
{
	(void)state;
	assert_faults("{'vip_address': 'x', 'subnet_cidr': '10.0.0.0/24', 'gateway': "
		      "'2001:db8::1', 'host_routes': [{'destination': '10.9.0.0/16', 'nexthop': "
		      "'10.0.0.7'}]}",
		"/vip_address: must be an IPv4 or IPv6 address");
}

static void each_additional_vip_has_a_subnet_of_its_own(void **state)
{
	cleanup_model struct model_case model =
		model_parse(VIP(", 'additional_vips': [{'ip_address': '2001:db8::1', "
				"'subnet_cidr': '2001:db8::/64', 'gateway': 'fe80::1'}]"));
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_non_null(model.load_balancer);
	cidr_format(&model.load_balancer->vips[1].subnet_cidr, text);
	assert_string_equal(text, "2001:db8::/64");
	assert_int_equal(model.load_balancer->vips[0].subnet_cidr.address.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vip_needs_nothing_but_its_address),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(a_subnet_is_a_network_that_holds_the_vip),
		cmocka_unit_test(what_is_reached_from_a_vip_has_its_family),
		cmocka_unit_test(a_route_has_both_ends_and_nothing_else),
		cmocka_unit_test(a_bad_address_is_the_only_fault),
		cmocka_unit_test(each_additional_vip_has_a_subnet_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
