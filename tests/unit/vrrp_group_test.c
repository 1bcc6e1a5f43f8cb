/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define PAIR(amphorae, vrrp)                                                                       \
	"{'vip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.0/24', 'topology': "                   \
	"'ACTIVE_STANDBY', 'amphorae': [" amphorae "], 'vrrp': {" vrrp "}}"
#define FIRST               "{'id': 'a', 'vrrp_ip': '10.0.0.2'}"
#define SECOND              "{'id': 'b', 'vrrp_ip': '10.0.0.3'}"
#define AMPHORAE(amphorae)  PAIR(amphorae, "'auth_pass': 'geheim'")
#define FIRST_AMPHORA(keys) AMPHORAE("{'id': 'a', 'vrrp_ip': '10.0.0.2'" keys "}," SECOND)
#define GROUP(keys)         PAIR(FIRST "," SECOND, keys)
#define AUTH_PASS_FAULT                                                                            \
	"/vrrp/auth_pass: must be 1 to 8 printable characters of ASCII, none of them a space: "    \
	"keepalived takes no more"

static void what_is_absent_is_as_octavia_has_it(void **state)
{
	cleanup_model struct model_case model = model_parse(GROUP("'auth_pass': 'geheim'"));
	const struct load_balancer *load_balancer = model.load_balancer;

	(void)state;
	assert_non_null(load_balancer);
	assert_int_equal(load_balancer->topology, TOPOLOGY_ACTIVE_STANDBY);
	assert_int_equal(load_balancer->amphora_count, 2);
	assert_int_equal(load_balancer->amphorae[0].vrrp_priority, 100);
	assert_int_equal(load_balancer->amphorae[1].vrrp_priority, 90);
	assert_string_equal(load_balancer->amphorae[1].vrrp_interface, "eth1");
	assert_string_equal(load_balancer->vrrp_group.group_name, "lb");
	assert_int_equal(load_balancer->vrrp_group.virtual_router_id, 1);
	assert_string_equal(load_balancer->vrrp_group.auth_type, "PASS");
	assert_string_equal(load_balancer->vrrp_group.auth_pass, "geheim");
	assert_int_equal(load_balancer->vrrp_group.advert_int_s, 1);
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		PAIR("{'id': 'a', 'vrrp_ip': '2001:db8::2', 'vrrp_priority': 255, "
		     "'vrrp_interface': 'eth2.7'}, {'id': 'b', 'vrrp_ip': '2001:db8::3', "
		     "'vrrp_priority': 1}",
			"'group_name': 'g-1', 'virtual_router_id': 255, 'auth_type': 'AH', "
			"'auth_pass': 'a+b/c=12', 'advert_int': 255"));
	const struct load_balancer *load_balancer = model.load_balancer;

	(void)state;
	assert_non_null(load_balancer);
	assert_string_equal(load_balancer->amphorae[0].id.text, "a");
	assert_int_equal(load_balancer->amphorae[0].vrrp_priority, 255);
	assert_string_equal(load_balancer->amphorae[0].vrrp_interface, "eth2.7");
	assert_int_equal(load_balancer->amphorae[1].vrrp_ip.family, AF_INET6);
	assert_int_equal(load_balancer->amphorae[1].vrrp_priority, 1);
	assert_string_equal(load_balancer->vrrp_group.group_name, "g-1");
	assert_string_equal(load_balancer->vrrp_group.auth_type, "AH");
	assert_int_equal(load_balancer->vrrp_group.virtual_router_id, 255);
	assert_int_equal(load_balancer->vrrp_group.advert_int_s, 255);
}

static void a_group_is_called_like_its_load_balancer_without_dashes(void **state)
{
	static const struct id id = {"6d55e1a2-8c7e-4b5b-9a67-6f3f4d1f8a10"};
	cleanup_free char *json = quoted(GROUP("'auth_pass': 'geheim'"));
	cleanup_model struct model_case model = {0};

	(void)state;
	load_balancer_parse(json, strlen(json), &id, &model.faults, &model.load_balancer, NULL);
	assert_string_equal(
		model.load_balancer->vrrp_group.group_name, "6d55e1a28c7e4b5b9a676f3f4d1f8a10");
}

static void a_pair_is_two(void **state)
{
	(void)state;
	assert_faults(AMPHORAE(FIRST), "/amphorae: must be the 2 amphorae of a pair");
	assert_faults(AMPHORAE(FIRST "," SECOND ", {'id': 'c', 'vrrp_ip': '10.0.0.4'}"),
		"/amphorae: must be the 2 amphorae of a pair");
	assert_faults(AMPHORAE("{}, 1"),
		"/amphorae/0/id: is required\n/amphorae/0/vrrp_ip: is required\n"
		"/amphorae/1: must be an object");
}

static void the_two_differ(void **state)
{
	(void)state;
	assert_faults(AMPHORAE(FIRST "," FIRST),
		"/amphorae/1/id: is the id of the other amphora already\n"
		"/amphorae/1/vrrp_ip: is the other amphora's already");
	assert_faults(AMPHORAE(FIRST ", {'id': 'b', 'vrrp_ip': '2001:db8::1'}"),
		"/amphorae/1/vrrp_ip: must be of the same family as the other amphora's: they "
		"speak to each other");
}

static void an_amphora_does_not_speak_from_a_vip(void **state)
{
	(void)state;
	assert_faults(AMPHORAE("{'id': 'a', 'vrrp_ip': '10.0.0.1'}," SECOND),
		"/amphorae/0/vrrp_ip: is a VIP: an amphora needs an address of its own");
}

static void ranges_are_those_of_vrrp(void **state)
{
	(void)state;
	assert_faults(FIRST_AMPHORA(", 'vrrp_priority': 0"),
		"/amphorae/0/vrrp_priority: must be at least 1");
	assert_faults(FIRST_AMPHORA(", 'vrrp_priority': 256"),
		"/amphorae/0/vrrp_priority: must be at most 255");
	assert_faults(GROUP("'auth_pass': 'x', 'virtual_router_id': 0, 'advert_int': 0"),
		"/vrrp/virtual_router_id: must be at least 1\n"
		"/vrrp/advert_int: must be at least 1");
	assert_faults(GROUP("'auth_pass': 'x', 'virtual_router_id': 256, 'advert_int': 256, "
			    "'auth_type': 'MD5'"),
		"/vrrp/auth_type: must be one of PASS, AH\n"
		"/vrrp/virtual_router_id: must be at most 255\n"
		"/vrrp/advert_int: must be at most 255");
}

static void an_interface_is_named_as_the_kernel_takes_it(void **state)
{
	static const char fault[] = "/amphorae/0/vrrp_interface: must be the name of an "
				    "interface: 1 to 15 letters, digits, '_', '.' and '-'";

	(void)state;
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': 'a23456789012345'"), "");
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': 'a234567890123456'"), fault);
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': ''"), fault);
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': '..'"), fault);
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': 'eth1 {'"), fault);
	assert_faults(FIRST_AMPHORA(", 'vrrp_interface': '../eth1'"), fault);
}

static void names_and_secrets_are_single_words(void **state)
{
	(void)state;
	assert_faults(GROUP("'auth_pass': 'x', 'group_name': 'a b'"),
		"/vrrp/group_name: must be letters, digits, '_', '.' and '-'");
	assert_faults(GROUP("'auth_pass': 'x', 'group_name': ''"),
		"/vrrp/group_name: must be letters, digits, '_', '.' and '-'");
	assert_faults(GROUP("'auth_pass': '12345678'"), "");
	assert_faults(GROUP("'auth_pass': '123456789'"), AUTH_PASS_FAULT);
	assert_faults(GROUP("'auth_pass': ''"), AUTH_PASS_FAULT);
	assert_faults(GROUP("'auth_pass': 'a b'"), AUTH_PASS_FAULT);
	assert_faults(GROUP("'auth_pass': 'ä'"), AUTH_PASS_FAULT);
	assert_faults(GROUP("'auth_pass': 'p}#!@%$1'"), "");
	assert_faults(GROUP("'auth_pass': 'a\\\\'"),
		"/vrrp/auth_pass: must not end in a backslash, for which keepalived has no escape");
	assert_faults(GROUP("'group_name': 'x'"), "/vrrp/auth_pass: is required");
}

static void no_fault_quotes_the_secret(void **state)
{
	static const char *const texts[] = {
		GROUP("'auth_pass': 'verborgenverborgen'"),
		GROUP("'auth_pass': ['verborgen']"),
		GROUP("'auth_pass': 'verborgen\\n'"),
		GROUP("'auth_pass': 'x' 'verborgen'"),
		GROUP("'auth_pass': verborgen"),
		GROUP("'auth_pass': 'verborgen"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cleanup_model struct model_case model = model_parse(texts[i]);
		cleanup_free char *lines = fault_lines(&model.faults.errors);

		assert_null(model.load_balancer);
		assert_null(strstr(lines, "verborgen"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_absent_is_as_octavia_has_it),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(a_group_is_called_like_its_load_balancer_without_dashes),
		cmocka_unit_test(a_pair_is_two),
		cmocka_unit_test(the_two_differ),
		cmocka_unit_test(an_amphora_does_not_speak_from_a_vip),
		cmocka_unit_test(ranges_are_those_of_vrrp),
		cmocka_unit_test(an_interface_is_named_as_the_kernel_takes_it),
		cmocka_unit_test(names_and_secrets_are_single_words),
		cmocka_unit_test(no_fault_quotes_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
