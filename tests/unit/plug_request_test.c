/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plug_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "captured_log.h"

/* A body that is right; tests change a key. */
static const char vip_body[] =
	"{'subnet_cidr': '198.51.100.0/24', 'gateway': '198.51.100.254', 'mac_address': "
	"'FA:16:3E:1B:4C:EA', 'vrrp_ip': '198.51.100.11', 'mtu': 1450, 'host_routes': [{'nexthop': "
	"'198.51.100.253', 'destination': '233.252.0.0/24'}], 'additional_vips': [{'subnet_cidr': "
	"'2001:db8:1::/64', 'ip_address': '2001:db8:1::10', 'gateway': '2001:db8:1::fe', "
	"'host_routes': []}], 'is_sriov': false}";
static const char network_body[] =
	"{'mac_address': 'fa:16:3e:64:af:e3', 'fixed_ips': [{'ip_address': '203.0.113.10', "
	"'subnet_cidr': '203.0.113.0/24', 'host_routes': [], 'gateway': '203.0.113.254'}], 'mtu': "
	"1400, 'is_sriov': true, 'vip_net_info': null}";

static const char vip[] = "198.51.100.10";

/* JSON with ' for ". */
static json_t *json_of(const char *text)
{
	cleanup_free char *copy = xstrdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (!json)
		fail_msg("%s: %s", text, error.text);
	return json;
}

/* The body with one key replaced, or, with value NULL, removed. */
static json_t *body_with(const char *body, const char *key, const char *value)
{
	json_t *json = json_of(body);

	if (value)
		json_object_set_new(json, key, json_of(value));
	else
		json_object_del(json, key);
	return json;
}

static int vip_parse(
	const char *address, json_t *body, struct plug_vip_request *ret_request, struct err *err)
{
	int r = plug_vip_request_parse(address, body, ret_request, err);

	json_decref(body);
	return r;
}

static int network_parse(json_t *body, struct plug_network_request *ret_request, struct err *err)
{
	int r = plug_network_request_parse(body, ret_request, err);

	json_decref(body);
	return r;
}

static void assert_address(const struct address *address, const char *expected)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	assert_string_equal(text, expected);
}

static void a_vip_body_is_parsed_whole(void **state)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	char mac[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(vip_parse(vip, json_of(vip_body), &request, NULL), 0);
	mac_format(&request.mac, mac);
	assert_string_equal(mac, "fa:16:3e:1b:4c:ea");
	assert_int_equal(request.mtu_bytes, 1450);
	assert_false(request.is_sriov);
	assert_true(request.has_vrrp_ip);
	assert_address(&request.vrrp_ip, "198.51.100.11");
	assert_int_equal(request.vip_count, 2);
	assert_address(&request.vips[0].address, vip);
	assert_int_equal(request.vips[0].subnet.prefix_length, 24);
	assert_true(request.vips[0].has_gateway);
	assert_int_equal(request.vips[0].host_route_count, 1);
	assert_address(&request.vips[0].host_routes[0].nexthop, "198.51.100.253");
	assert_address(&request.vips[1].address, "2001:db8:1::10");
	assert_int_equal(request.vips[1].subnet.prefix_length, 64);
	assert_int_equal(request.vips[1].host_route_count, 0);
}

static void only_three_keys_must_be_there_and_unknown_ones_may(void **state)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};

	(void)state;
	assert_int_equal(vip_parse("2001:db8::5",
				 json_of("{'subnet_cidr': '2001:db8::/32', 'gateway': null, "
					 "'mac_address': 'fa:16:3e:1b:4c:ea', 'newer': {'a': 1}}"),
				 &request, NULL),
		0);
	assert_int_equal(request.mtu_bytes, 0);
	assert_false(request.has_vrrp_ip || request.is_sriov || request.vips[0].has_gateway);
	assert_int_equal(request.vip_count, 1);
}

static void null_means_not_given(void **state)
{
	static const char *const keys[] = {
		"gateway", "mtu", "vrrp_ip", "host_routes", "additional_vips", "is_sriov"};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
		struct err err = ERR_NONE;

		if (vip_parse(vip, body_with(vip_body, keys[i], "null"), &request, &err) < 0)
			fail_msg("%s: %s", keys[i], err.text);
	}
}

static void a_vip_body_without_its_keys_is_told_from_a_bad_one(void **state)
{
	static const char *const keys[] = {"subnet_cidr", "gateway", "mac_address"};
	static const char *const no_objects[] = {"[]", "7", "'text'", "null"};
	struct plug_vip_request request;
	struct err err = ERR_NONE;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(vip_parse(vip, body_with(vip_body, keys[i], NULL), &request, &err),
			-EBADMSG);
		assert_non_null(strstr(err.text, keys[i]));
	}
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(vip_parse(vip, json_of(no_objects[i]), &request, &err), -EBADMSG);
}

static void a_bad_vip_is_refused(void **state)
{
	static const char *const bad[] = {"", "nowhere", "198.51.100", "198.51.100.10/32",
		"0.0.0.0", "255.255.255.255", "224.0.0.18", "ff02::12", "::",
		/* not in the subnet, and of the other family */
		"203.0.113.1", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plug_vip_request request;
		struct err err = ERR_NONE;

		if (vip_parse(bad[i], json_of(vip_body), &request, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_true(err.text[0] != '\0');
	}
}

/* Key, its new value, and the code; the text names the key. */
struct bad_value {
	const char *key;
	const char *value;
	int code;
};

static void bad_values_are_refused_with_key_and_reason(void **state)
{
	static const struct bad_value bad[] = {
		{"subnet_cidr", "7", -EINVAL},
		{"subnet_cidr", "null", -EINVAL},
		{"subnet_cidr", "''", -EINVAL},
		{"subnet_cidr", "'198.51.100.0/33'", -EINVAL},
		{"subnet_cidr", "'198.51.100.1/24'", -EINVAL},
		{"subnet_cidr", "'2001:db8::/64'", -EINVAL},
		{"gateway", "'nowhere'", -EINVAL},
		{"gateway", "true", -EINVAL},
		{"gateway", "'0.0.0.0'", -EINVAL},
		{"gateway", "'2001:db8::1'", -EINVAL},
		{"mac_address", "null", -EINVAL},
		{"mac_address", "'fa:16:3e:1b:4c'", -EINVAL},
		{"mac_address", "'00:00:00:00:00:00'", -EINVAL},
		{"mac_address", "'ff:ff:ff:ff:ff:ff'", -EINVAL},
		{"mac_address", "'01:00:5e:00:00:12'", -EINVAL},
		{"mtu", "67", -EINVAL},
		{"mtu", "65536", -EINVAL},
		{"mtu", "-1", -EINVAL},
		{"mtu", "1450.5", -EINVAL},
		{"mtu", "'1450'", -EINVAL},
		{"mtu", "true", -EINVAL},
		/* too small for the second VIP, which is IPv6 */
		{"mtu", "1279", -EINVAL},
		{"is_sriov", "1", -EINVAL},
		{"is_sriov", "'false'", -EINVAL},
		{"host_routes", "{}", -EINVAL},
		{"host_routes", "'none'", -EINVAL},
		{"additional_vips", "{}", -EINVAL},
		{"additional_vips", "[7]", -EINVAL},
		{"additional_vips", "[{}]", -EINVAL},
		{"additional_vips", "[{'ip_address': '10.0.0.1'}]", -EINVAL},
		{"additional_vips", "[{'ip_address': '10.0.0.1', 'subnet_cidr': '10.1.0.0/24'}]",
			-EINVAL},
		{"additional_vips",
			"[{'ip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.0/24', 'gateway': "
			"'::1'}]",
			-EINVAL},
		{"vrrp_ip", "7", -EADDRNOTAVAIL},
		{"vrrp_ip", "'nowhere'", -EADDRNOTAVAIL},
		{"vrrp_ip", "'224.0.0.18'", -EADDRNOTAVAIL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plug_vip_request request = {.mtu_bytes = 77};
		struct err err = ERR_NONE;
		int r = vip_parse(
			vip, body_with(vip_body, bad[i].key, bad[i].value), &request, &err);

		if (r != bad[i].code)
			fail_msg("%s: %s: %d", bad[i].key, bad[i].value, r);
		if (!strstr(err.text, bad[i].key))
			fail_msg("%s: %s: %s", bad[i].key, bad[i].value, err.text);
		assert_int_equal(request.mtu_bytes, 77);
	}
}

/* As Neutron may list a port's addresses; the reference takes any. */
static void a_vrrp_ip_has_the_prefix_of_the_subnet_that_it_lies_on(void **state)
{
	static const struct {
		const char *vrrp_ip;
		unsigned prefix_length;
	} cases[] = {
		{"'198.51.100.11'", 24},
		{"'2001:db8:1::11'", 64},
		{"'203.0.113.1'", 24},
		{"'2001:db8:2::11'", 64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
		CLEANUP(description_deinit) struct interface_description d = {0};

		assert_int_equal(vip_parse(vip, body_with(vip_body, "vrrp_ip", cases[i].vrrp_ip),
					 &request, NULL),
			0);
		plug_vip_describe(&request, TOPOLOGY_SINGLE, "eth1", &d);
		assert_true(address_equal(&d.addresses[0].address, &request.vrrp_ip));
		assert_int_equal(d.addresses[0].prefix_length, cases[i].prefix_length);
	}
}

static void an_mtu_below_1280_is_fine_without_ipv6(void **state)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};

	(void)state;
	assert_int_equal(network_parse(body_with(network_body, "mtu", "68"), &request, NULL), 0);
	assert_int_equal(request.mtu_bytes, 68);
}

static void an_mtu_of_zero_is_none(void **state)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};

	(void)state;
	assert_int_equal(network_parse(body_with(network_body, "mtu", "0"), &request, NULL), 0);
	assert_int_equal(request.mtu_bytes, 0);
}

static void a_host_route_that_cannot_be_used_is_logged_and_left_out(void **state)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	struct captured_log log;
	int r;

	(void)state;
	captured_log_start(&log);
	r = vip_parse(vip,
		body_with(vip_body, "host_routes",
			"[7, {}, {'destination': '10.0.0.0/8'}, {'destination': '10.0.0.1/8', "
			"'nexthop': '198.51.100.1'}, {'destination': '2001:db8::/64', 'nexthop': "
			"'198.51.100.1'}, {'destination': '10.0.0.0/8', 'nexthop': '2001:db8::1'}, "
			"{'destination': 7, 'nexthop': '198.51.100.1'}, {'destination': "
			"'10.0.0.0/8', "
			"'nexthop': '198.51.100.2'}]"),
		&request, NULL);
	assert_int_equal(captured_log_count(&log, "left out"), 7);
	captured_log_stop(&log);
	assert_int_equal(r, 0);
	assert_int_equal(request.vips[0].host_route_count, 1);
	assert_address(&request.vips[0].host_routes[0].nexthop, "198.51.100.2");
}

static json_t *list_of(size_t count, const char *item)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_of(item));
	return list;
}

static void lists_have_a_limit(void **state)
{
	static const char route[] = "{'destination': '10.0.0.0/8', 'nexthop': '198.51.100.2'}";
	static const char fixed_ip[] = "{'ip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.0/8'}";
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request vips = {0};
	CLEANUP(plug_network_request_deinit) struct plug_network_request network = {0};
	json_t *body = json_of(vip_body);

	(void)state;
	json_object_set_new(body, "host_routes", list_of(PLUG_HOST_ROUTES_MAX + 1, route));
	assert_int_equal(vip_parse(vip, body, &vips, NULL), -EINVAL);
	body = json_of(vip_body);
	json_object_set_new(body, "host_routes", list_of(PLUG_HOST_ROUTES_MAX, route));
	assert_int_equal(vip_parse(vip, body, &vips, NULL), 0);
	body = json_of(network_body);
	json_object_set_new(body, "fixed_ips", list_of(PLUG_ADDRESSES_MAX + 1, fixed_ip));
	assert_int_equal(network_parse(body, &network, NULL), -EINVAL);
	body = json_of(network_body);
	json_object_set_new(body, "fixed_ips", list_of(PLUG_ADDRESSES_MAX, fixed_ip));
	assert_int_equal(network_parse(body, &network, NULL), 0);
}

static void a_network_body_is_parsed_whole(void **state)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};

	(void)state;
	assert_int_equal(network_parse(json_of(network_body), &request, NULL), 0);
	assert_int_equal(request.mtu_bytes, 1400);
	assert_true(request.is_sriov);
	assert_false(request.has_vip);
	assert_int_equal(request.fixed_ip_count, 1);
	assert_address(&request.fixed_ips[0].address, "203.0.113.10");
}

static void a_network_body_needs_a_mac_alone(void **state)
{
	static const char *const bodies[] = {"{'mac_address': 'fa:16:3e:64:af:e3'}",
		"{'mac_address': 'fa:16:3e:64:af:e3', 'fixed_ips': null, 'mtu': null, 'is_sriov': "
		"null}",
		"{'mac_address': 'fa:16:3e:64:af:e3', 'fixed_ips': []}"};
	struct plug_network_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(network_parse(json_of(bodies[i]), &request, NULL), 0);
		assert_int_equal(request.fixed_ip_count, 0);
		plug_network_request_deinit(&request);
	}
	assert_int_equal(network_parse(json_of("{}"), &request, NULL), -EBADMSG);
	assert_int_equal(network_parse(json_of("[]"), &request, NULL), -EBADMSG);
}

static void bad_fixed_ips_are_refused_with_number_key_and_reason(void **state)
{
	static const char *const bad[][2] = {
		{"7", "must be a list"},
		{"[{'ip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.0/8'}, 7]", "fixed_ips[1]"},
		{"[{'subnet_cidr': '10.0.0.0/8'}]", "fixed_ips[0]: ip_address"},
		{"[{'ip_address': 7, 'subnet_cidr': '10.0.0.0/8'}]", "fixed_ips[0]: ip_address"},
		{"[{'ip_address': '10.0.0.1'}]", "fixed_ips[0]: subnet_cidr"},
		{"[{'ip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.1/8'}]", "subnet_cidr"},
		{"[{'ip_address': '10.0.0.1', 'subnet_cidr': '11.0.0.0/8'}]", "subnet_cidr"},
		{"[{'ip_address': '10.0.0.1', 'subnet_cidr': '10.0.0.0/8', 'gateway': '::1'}]",
			"gateway"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plug_network_request request;
		struct err err = ERR_NONE;

		assert_int_equal(network_parse(body_with(network_body, "fixed_ips", bad[i][0]),
					 &request, &err),
			-EINVAL);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.text);
	}
}

static const char vip_net_info[] =
	"{'subnet_cidr': '198.51.100.0/24', 'gateway': '198.51.100.254', 'mac_address': "
	"'00:00:00:00:00:00', 'vrrp_ip': '198.51.100.11', 'mtu': 9000, 'host_routes': [], "
	"'additional_vips': [], 'is_sriov': false, 'vip': '198.51.100.10'}";

static void of_vip_net_info_the_outer_mac_mtu_and_is_sriov_count(void **state)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};

	(void)state;
	assert_int_equal(network_parse(body_with(network_body, "vip_net_info", vip_net_info),
				 &request, NULL),
		0);
	assert_true(request.has_vip);
	assert_true(mac_equal(&request.vip.mac, &request.mac));
	assert_int_equal(request.vip.mtu_bytes, 1400);
	assert_true(request.vip.is_sriov);
	assert_address(&request.vip.vips[0].address, "198.51.100.10");
	assert_address(&request.vip.vrrp_ip, "198.51.100.11");
}

static void a_bad_vip_net_info_is_refused(void **state)
{
	static const char *const bad[] = {"7", "[]", "{}",
		"{'subnet_cidr': '10.0.0.0/8', 'gateway': null}",
		"{'vip': '10.0.0.1', 'gateway': null}",
		"{'vip': 7, 'subnet_cidr': '10.0.0.0/8', 'gateway': null}",
		"{'vip': '11.0.0.1', 'subnet_cidr': '10.0.0.0/8', 'gateway': null}",
		"{'vip': '10.0.0.1', 'subnet_cidr': '10.0.0.0/8', 'gateway': null, 'vrrp_ip': "
		"'nowhere'}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plug_network_request request;
		struct err err = ERR_NONE;

		if (network_parse(body_with(network_body, "vip_net_info", bad[i]), &request,
			    &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(err.text, "vip_net_info"));
	}
}

/* Descriptions: against the reference's in tests/interop; here what it does not do. */

static bool has_address(const struct interface_description *d, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	for (size_t i = 0; i < d->address_count; i++)
		if (address_equal(&d->addresses[i].address, &address))
			return true;
	return false;
}

static bool has_route(const struct interface_description *d, const char *destination,
	const char *gateway, unsigned table)
{
	struct cidr network;
	struct address router;

	assert_int_equal(cidr_parse(destination, &network), 0);
	if (gateway)
		assert_int_equal(address_parse(gateway, &router), 0);
	for (size_t i = 0; i < d->route_count; i++)
		if (cidr_equal(&d->routes[i].destination, &network) &&
			d->routes[i].table == table &&
			d->routes[i].has_gateway == (gateway != NULL) &&
			(!gateway || address_equal(&d->routes[i].gateway, &router)))
			return true;
	return false;
}

static void describe_vip_port(enum topology topology, const char *net_info,
	struct interface_description *ret_stored, struct interface_description *ret_description)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request first = {0};
	CLEANUP(plug_network_request_deinit) struct plug_network_request second = {0};

	assert_int_equal(vip_parse(vip, json_of(vip_body), &first, NULL), 0);
	plug_vip_describe(&first, topology, "eth1", ret_stored);
	assert_int_equal(
		network_parse(body_with(network_body, "vip_net_info", net_info), &second, NULL), 0);
	plug_network_describe(&second, topology, "eth1", ret_stored, ret_description);
}

static void a_vips_port_that_is_plugged_again_keeps_the_additional_vips(void **state)
{
	static const enum topology topologies[] = {TOPOLOGY_SINGLE, TOPOLOGY_ACTIVE_STANDBY};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bool is_single = topologies[i] == TOPOLOGY_SINGLE;
		CLEANUP(description_deinit) struct interface_description stored = {0};
		CLEANUP(description_deinit) struct interface_description d = {0};

		describe_vip_port(topologies[i], vip_net_info, &stored, &d);
		assert_int_equal(d.type, INTERFACE_VIP);
		assert_int_equal(d.mtu_bytes, 1400);
		assert_true(d.is_sriov);
		assert_int_equal(d.address_count, 4);
		assert_true(has_address(&d, "198.51.100.11"));
		assert_true(has_address(&d, "198.51.100.10"));
		assert_true(has_address(&d, "2001:db8:1::10"));
		assert_true(has_address(&d, "203.0.113.10"));
		assert_true(has_route(&d, "::/0", "2001:db8:1::fe", ROUTE_TABLE_MAIN));
		assert_true(has_route(&d, "2001:db8:1::/64", NULL, ROUTE_TABLE_MAIN));
		assert_int_equal(
			has_route(&d, "::/0", "2001:db8:1::fe", ROUTE_TABLE_VIP), is_single);
		assert_int_equal(d.rule_count, is_single ? 2 : 0);
	}
}

static void host_routes_that_the_vips_subnet_no_longer_has_go(void **state)
{
	CLEANUP(description_deinit) struct interface_description stored = {0};
	CLEANUP(description_deinit) struct interface_description d = {0};

	(void)state;
	describe_vip_port(TOPOLOGY_SINGLE, vip_net_info, &stored, &d);
	assert_true(has_route(&stored, "233.252.0.0/24", "198.51.100.253", ROUTE_TABLE_VIP));
	assert_false(has_route(&d, "233.252.0.0/24", "198.51.100.253", ROUTE_TABLE_VIP));
	assert_false(has_route(&d, "233.252.0.0/24", "198.51.100.253", ROUTE_TABLE_MAIN));
}

/* As a controller's repeated plug/network: from what it led to the first time. */
static void describing_again_changes_nothing(void **state)
{
	static const enum topology topologies[] = {TOPOLOGY_SINGLE, TOPOLOGY_ACTIVE_STANDBY};
	static const char with_host_routes[] =
		"{'subnet_cidr': '198.51.100.0/24', 'gateway': '198.51.100.254', 'vrrp_ip': "
		"'198.51.100.11', 'host_routes': [{'nexthop': '198.51.100.253', 'destination': "
		"'233.252.0.0/24'}], 'vip': '198.51.100.10'}";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
		CLEANUP(description_deinit) struct interface_description stored = {0};
		CLEANUP(description_deinit) struct interface_description first = {0};
		CLEANUP(description_deinit) struct interface_description second = {0};

		describe_vip_port(topologies[i], with_host_routes, &stored, &first);
		assert_int_equal(
			network_parse(body_with(network_body, "vip_net_info", with_host_routes),
				&request, NULL),
			0);
		plug_network_describe(&request, topologies[i], "eth1", &first, &second);
		assert_true(description_equal(&first, &second));
	}
}

static void an_additional_vip_keeps_its_host_routes_and_a_link_local_router(void **state)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request first = {0};
	CLEANUP(plug_network_request_deinit) struct plug_network_request second = {0};
	CLEANUP(description_deinit) struct interface_description stored = {0};
	CLEANUP(description_deinit) struct interface_description d = {0};

	(void)state;
	assert_int_equal(
		vip_parse(vip,
			body_with(vip_body, "additional_vips",
				"[{'subnet_cidr': '2001:db8:1::/64', 'ip_address': "
				"'2001:db8:1::10', 'gateway': 'fe80::1', 'host_routes': "
				"[{'destination': '2001:db8:9::/64', 'nexthop': "
				"'2001:db8:1::9'}]}, {'subnet_cidr': '192.0.2.0/24', 'ip_address': "
				"'192.0.2.10', 'gateway': '192.0.2.1'}]"),
			&first, NULL),
		0);
	plug_vip_describe(&first, TOPOLOGY_ACTIVE_STANDBY, "eth1", &stored);
	assert_int_equal(
		network_parse(body_with(network_body, "vip_net_info", vip_net_info), &second, NULL),
		0);
	plug_network_describe(&second, TOPOLOGY_ACTIVE_STANDBY, "eth1", &stored, &d);
	assert_true(has_route(&d, "::/0", "fe80::1", ROUTE_TABLE_MAIN));
	assert_true(has_route(&d, "2001:db8:9::/64", "2001:db8:1::9", ROUTE_TABLE_MAIN));
	assert_true(has_route(&d, "2001:db8:9::/64", "2001:db8:1::9", ROUTE_TABLE_VIP));
	assert_true(has_address(&d, "192.0.2.10"));
	assert_true(has_route(&d, "192.0.2.0/24", NULL, ROUTE_TABLE_MAIN));
	/* The first gateway of a family wins. */
	assert_true(has_route(&d, "0.0.0.0/0", "198.51.100.254", ROUTE_TABLE_MAIN));
}

static void additional_vips_that_are_named_replace_the_stored_ones(void **state)
{
	static const char net_info[] =
		"{'subnet_cidr': '198.51.100.0/24', 'gateway': null, 'vrrp_ip': '198.51.100.11', "
		"'vip': '198.51.100.10', 'additional_vips': [{'ip_address': '192.0.2.10', "
		"'subnet_cidr': '192.0.2.0/24'}]}";
	CLEANUP(description_deinit) struct interface_description stored = {0};
	CLEANUP(description_deinit) struct interface_description d = {0};

	(void)state;
	describe_vip_port(TOPOLOGY_SINGLE, net_info, &stored, &d);
	assert_true(has_address(&d, "192.0.2.10"));
	assert_false(has_address(&d, "2001:db8:1::10"));
}

static void what_was_asked_of_dhcp_and_routers_is_asked_again(void **state)
{
	static const char net_info[] =
		"{'subnet_cidr': '198.51.100.0/24', 'gateway': null, 'vip': '198.51.100.10'}";
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request first = {0};
	CLEANUP(plug_network_request_deinit) struct plug_network_request second = {0};
	CLEANUP(description_deinit) struct interface_description stored = {0};
	CLEANUP(description_deinit) struct interface_description d = {0};

	(void)state;
	assert_int_equal(vip_parse(vip, body_with(vip_body, "vrrp_ip", NULL), &first, NULL), 0);
	plug_vip_describe(&first, TOPOLOGY_SINGLE, "eth1", &stored);
	assert_true(stored.wants_dhcp && stored.wants_slaac);
	assert_int_equal(
		network_parse(body_with(network_body, "vip_net_info", net_info), &second, NULL), 0);
	plug_network_describe(&second, TOPOLOGY_SINGLE, "eth1", &stored, &d);
	assert_true(d.wants_dhcp && d.wants_slaac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vip_body_is_parsed_whole),
		cmocka_unit_test(only_three_keys_must_be_there_and_unknown_ones_may),
		cmocka_unit_test(null_means_not_given),
		cmocka_unit_test(a_vip_body_without_its_keys_is_told_from_a_bad_one),
		cmocka_unit_test(a_bad_vip_is_refused),
		cmocka_unit_test(bad_values_are_refused_with_key_and_reason),
		cmocka_unit_test(a_vrrp_ip_has_the_prefix_of_the_subnet_that_it_lies_on),
		cmocka_unit_test(an_mtu_below_1280_is_fine_without_ipv6),
		cmocka_unit_test(an_mtu_of_zero_is_none),
		cmocka_unit_test(a_host_route_that_cannot_be_used_is_logged_and_left_out),
		cmocka_unit_test(lists_have_a_limit),
		cmocka_unit_test(a_network_body_is_parsed_whole),
		cmocka_unit_test(a_network_body_needs_a_mac_alone),
		cmocka_unit_test(bad_fixed_ips_are_refused_with_number_key_and_reason),
		cmocka_unit_test(of_vip_net_info_the_outer_mac_mtu_and_is_sriov_count),
		cmocka_unit_test(a_bad_vip_net_info_is_refused),
		cmocka_unit_test(a_vips_port_that_is_plugged_again_keeps_the_additional_vips),
		cmocka_unit_test(host_routes_that_the_vips_subnet_no_longer_has_go),
		cmocka_unit_test(describing_again_changes_nothing),
		cmocka_unit_test(an_additional_vip_keeps_its_host_routes_and_a_link_local_router),
		cmocka_unit_test(additional_vips_that_are_named_replace_the_stored_ones),
		cmocka_unit_test(what_was_asked_of_dhcp_and_routers_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
