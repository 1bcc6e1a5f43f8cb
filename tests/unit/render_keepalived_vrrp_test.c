/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_vrrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "real_keepalived.h"
#include "rendered_keepalived.h"

/* A pair with three VIPs, of which the first is in use; each test changes what it is about. */
enum { VIPS = 4, AMPHORAE = 2 };
static struct vip vips[VIPS];
static struct amphora amphorae[AMPHORAE];
static struct host_route host_route;
static struct load_balancer load_balancer;
static struct keepalived_vrrp_options options;

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(text, &parsed), 0);
	return parsed;
}

static struct cidr cidr(const char *text)
{
	struct cidr parsed;

	assert_int_equal(cidr_parse(text, &parsed), 0);
	return parsed;
}

static int setup(void **state)
{
	host_route = (struct host_route){cidr("233.252.0.0/24"), address("198.51.100.253")};
	vips[0] = (struct vip){.address = address(VIP),
		.subnet_cidr = cidr("198.51.100.0/24"),
		.gateway = address("198.51.100.254")};
	vips[1] = (struct vip){
		.address = address("2001:db8::13"), .subnet_cidr = cidr("2001:db8::/64")};
	vips[2] = (struct vip){
		.address = address("198.51.100.9"), .subnet_cidr = cidr("198.51.100.0/24")};
	vips[3] = (struct vip){
		.address = address("198.51.100.100"), .subnet_cidr = cidr("198.51.100.0/24")};
	amphorae[0] = (struct amphora){.id = {"amphora-1"},
		.vrrp_ip = address("198.51.100.15"),
		.vrrp_priority = 100,
		.vrrp_interface = (char *)"eth1"};
	amphorae[1] = (struct amphora){.id = {"amphora-2"},
		.vrrp_ip = address("198.51.100.16"),
		.vrrp_priority = 90,
		.vrrp_interface = (char *)"eth1"};
	load_balancer = (struct load_balancer){.id = {"lb-1"},
		.admin_state_up = true,
		.vips = vips,
		.vip_count = 1,
		.topology = TOPOLOGY_ACTIVE_STANDBY,
		.amphorae = amphorae,
		.amphora_count = AMPHORAE,
		.vrrp_group = {.group_name = (char *)"160e170568ed4f7fbcc744176f8d0b8e",
			.virtual_router_id = 1,
			.auth_type = (char *)"PASS",
			.auth_pass = (char *)"b5e00e6",
			.advert_int_s = 1}};
	options = (struct keepalived_vrrp_options){
		.template_dir = "templates", .check_script = "/bin/true"};
	return keepalived_setup(state);
}

/* The text for one of the two, which keepalived takes; the caller frees. */
static char *render(const struct amphora *amphora)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct err err = ERR_NONE;

	if (render_keepalived_vrrp(&load_balancer, amphora, &options, &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_keepalived_takes(buf_text(&text));
	return buf_take_text(&text);
}

static void assert_rendered(const char *part)
{
	cleanup_free char *text = render(&amphorae[0]);

	assert_holds(text, part);
}

static void an_amphora_of_a_pair_is_a_vrrp_instance(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	text = render(&amphorae[0]);
	assert_string_equal(text,
		"vrrp_script check_script {\n"
		"    script /bin/true\n"
		"    interval 5\n"
		"    fall 2\n"
		"    rise 2\n"
		"}\n"
		"\n"
		"vrrp_instance 160e170568ed4f7fbcc744176f8d0b8e {\n"
		"    interface eth1\n"
		"    virtual_router_id 1\n"
		"    priority 100\n"
		"    nopreempt\n"
		"    accept\n"
		"    garp_master_refresh 5\n"
		"    garp_master_refresh_repeat 2\n"
		"    advert_int 1\n"
		"    authentication {\n"
		"        auth_type PASS\n"
		"        auth_pass b5e00e6\n"
		"    }\n"
		"\n"
		"    unicast_src_ip 198.51.100.15\n"
		"    unicast_peer {\n"
		"        198.51.100.16\n"
		"    }\n"
		"\n"
		"    virtual_ipaddress {\n"
		"        198.51.100.13\n"
		"    }\n"
		"\n"
		"    virtual_ipaddress_excluded {\n"
		"    }\n"
		"\n"
		"    virtual_routes {\n"
		"        198.51.100.0/24 dev eth1 src 198.51.100.13 scope link table 1\n"
		"        default via 198.51.100.254 dev eth1 onlink table 1\n"
		"    }\n"
		"\n"
		"    virtual_rules {\n"
		"        from 198.51.100.13/32 table 1 priority 100\n"
		"    }\n"
		"\n"
		"    track_script {\n"
		"        check_script\n"
		"    }\n"
		"}\n");
}

static void the_other_amphora_has_its_own_priority_and_peer(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	text = render(&amphorae[1]);
	assert_holds(text, "    priority 90\n");
	assert_holds(text, "    unicast_src_ip 198.51.100.16\n"
			   "    unicast_peer {\n"
			   "        198.51.100.15\n"
			   "    }\n");
}

static void host_routes_lead_where_they_say(void **state)
{
	(void)state;
	vips[0].host_routes = &host_route;
	vips[0].host_route_count = 1;
	assert_rendered("        default via 198.51.100.254 dev eth1 onlink table 1\n"
			"        233.252.0.0/24 dev eth1 via 198.51.100.253 onlink table 1\n"
			"    }\n");
}

static void a_vip_without_a_gateway_has_no_default_route(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	vips[0].gateway.family = 0;
	text = render(&amphorae[0]);
	assert_lacks(text, "default");
}

/* As texts: 100 comes before 9. */
static void additional_vips_are_sorted_behind_the_first(void **state)
{
	(void)state;
	load_balancer.vip_count = VIPS;
	assert_rendered("    virtual_ipaddress {\n"
			"        198.51.100.13\n"
			"        198.51.100.100\n"
			"        198.51.100.9\n"
			"    }\n"
			"\n"
			"    virtual_ipaddress_excluded {\n"
			"        2001:db8::13\n"
			"    }\n");
	assert_rendered("    virtual_rules {\n"
			"        from 198.51.100.13/32 table 1 priority 100\n"
			"        from 198.51.100.100/32 table 1 priority 100\n"
			"        from 198.51.100.9/32 table 1 priority 100\n"
			"        from 2001:db8::13/128 table 1 priority 100\n"
			"    }\n");
	assert_rendered("        198.51.100.0/24 dev eth1 src 198.51.100.9 scope link table 1\n"
			"        2001:db8::/64 dev eth1 src 2001:db8::13 scope link table 1\n"
			"    }\n");
}

static void the_family_that_vrrp_does_not_speak_is_excluded(void **state)
{
	(void)state;
	load_balancer.vip_count = 2;
	amphorae[0].vrrp_ip = address("2001:db8::15");
	amphorae[1].vrrp_ip = address("2001:db8::16");
	assert_rendered("    virtual_ipaddress {\n"
			"        2001:db8::13\n"
			"    }\n"
			"\n"
			"    virtual_ipaddress_excluded {\n"
			"        198.51.100.13\n"
			"    }\n");
}

/* VRRP's version 3 has none. */
static void ipv6_has_no_password(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	vips[0] = vips[1];
	amphorae[0].vrrp_ip = address("2001:db8::15");
	amphorae[1].vrrp_ip = address("2001:db8::16");
	text = render(&amphorae[0]);
	assert_lacks(text, "auth");
}

static void a_controllers_config_is_rendered_again(void **state)
{
	cleanup_free char *controllers = config_with("gateway 198", "via 198");
	cleanup_free char *text = NULL;

	(void)state;
	amphorae[0].vrrp_priority = 200;
	vips[0].host_routes = &host_route;
	vips[0].host_route_count = 1;
	text = render(&amphorae[0]);
	assert_string_equal(text, controllers);
}

static void a_password_is_one_word_whatever_is_in_it(void **state)
{
	(void)state;
	load_balancer.vrrp_group.auth_pass = (char *)"a #!{}$'";
	assert_rendered("        auth_pass \"a #!{}$'\"\n");
	load_balancer.vrrp_group.auth_pass = (char *)"@~*&;<>";
	assert_rendered("        auth_pass \"@~*&;<>\"\n");
}

static void a_check_script_with_an_unusual_name_is_found(void **state)
{
	cleanup_free char *script = in_temporary_folder("a check#1 {!}");
	cleanup_free char *expected = xformat("    script \"'%s'\"\n    interval 5\n", script);

	(void)state;
	assert_int_equal(file_replace(script, "#!/bin/sh\n", 10, 0755, NULL), 0);
	options.check_script = script;
	assert_rendered(expected);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(100);

	(void)state;
	assert_int_equal(
		render_keepalived_vrrp(&load_balancer, &amphorae[0], &options, &text, NULL),
		-EMSGSIZE);
}

#define with_model(test) cmocka_unit_test_setup_teardown(test, setup, keepalived_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_model(an_amphora_of_a_pair_is_a_vrrp_instance),
		with_model(the_other_amphora_has_its_own_priority_and_peer),
		with_model(host_routes_lead_where_they_say),
		with_model(a_vip_without_a_gateway_has_no_default_route),
		with_model(additional_vips_are_sorted_behind_the_first),
		with_model(the_family_that_vrrp_does_not_speak_is_excluded),
		with_model(ipv6_has_no_password),
		with_model(a_controllers_config_is_rendered_again),
		with_model(a_password_is_one_word_whatever_is_in_it),
		with_model(a_check_script_with_an_unusual_name_is_found),
		with_model(a_text_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("render_keepalived_vrrp", tests, NULL, NULL);
}
