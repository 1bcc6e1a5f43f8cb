/* SPDX-License-Identifier: Apache-2.0 */
#include "net/description.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "captured_log.h"
#include "temporary_folder.h"

/* As release 16's agent wrote it, in ACTIVE_STANDBY with one VIP. */
static const char vip_json[] =
	"{\"name\": \"eth1\", \"if_type\": \"vip\", \"addresses\": [{\"address\": "
	"\"198.51.100.11\", "
	"\"prefixlen\": 24}, {\"address\": \"198.51.100.10\", \"prefixlen\": 32, "
	"\"octavia_owned\": "
	"false}], \"routes\": [{\"dst\": \"0.0.0.0/0\", \"gateway\": \"198.51.100.254\", "
	"\"flags\": "
	"[\"onlink\"]}, {\"dst\": \"198.51.100.0/24\", \"scope\": \"link\"}, {\"dst\": "
	"\"233.252.0.0/24\", \"gateway\": \"198.51.100.253\", \"flags\": [\"onlink\"], \"table\": "
	"1}], \"rules\": [{\"src\": \"198.51.100.10\", \"src_len\": 32, \"table\": 1}], "
	"\"scripts\": "
	"{\"up\": [{\"command\": \"/usr/local/bin/lvs-masquerade.sh add ipv4 eth1\"}], \"down\": "
	"[]}, \"is_sriov\": true, \"mtu\": 1450}";

static int load(const char *name, const char *json, struct interface_description *ret_description,
	struct err *err)
{
	cleanup_free char *file = xformat("%s.json", name);

	temporary_file(file, json);
	return description_load(temporary_folder, name, ret_description, err);
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static void what_the_python_agent_wrote_is_read(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {0};
	struct address vip = address_of("198.51.100.10");
	struct address gateway = address_of("198.51.100.254");

	(void)state;
	assert_int_equal(load("eth1", vip_json, &d, NULL), 0);
	assert_string_equal(d.name, "eth1");
	assert_int_equal(d.type, INTERFACE_VIP);
	assert_int_equal(d.mtu_bytes, 1450);
	assert_true(d.is_sriov);
	assert_false(d.wants_dhcp || d.wants_slaac);
	assert_int_equal(d.address_count, 2);
	assert_int_equal(d.addresses[0].prefix_length, 24);
	assert_true(d.addresses[0].is_ours);
	assert_true(address_equal(&d.addresses[1].address, &vip));
	assert_false(d.addresses[1].is_ours);
	assert_int_equal(d.route_count, 3);
	assert_int_equal(d.routes[0].destination.prefix_length, 0);
	assert_true(d.routes[0].has_gateway && address_equal(&d.routes[0].gateway, &gateway));
	assert_int_equal(d.routes[0].table, ROUTE_TABLE_MAIN);
	assert_true(d.routes[1].is_link_scope && !d.routes[1].has_gateway);
	assert_int_equal(d.routes[2].table, ROUTE_TABLE_VIP);
	assert_int_equal(d.rule_count, 1);
	assert_int_equal(d.rules[0].source.prefix_length, 32);
	assert_int_equal(d.rules[0].table, 1);
}

static void what_is_stored_is_loaded_again(void **state)
{
	static const char *const texts[][2] = {
		{"eth1", vip_json},
		{"eth2", "{\"name\":\"eth2\",\"if_type\":\"backend\",\"addresses\":[{\"dhcp\":true,"
			 "\"ipv6auto\":true}]}"},
		{"eth3",
			"{\"name\":\"eth3\",\"if_type\":\"vip\",\"addresses\":[{\"ipv6auto\":true},"
			"{\"address\":\"2001:0db8::10\",\"prefixlen\":128,\"octavia_owned\":true}],"
			"\"routes\":[{\"dst\":\"2001:db8::/64\",\"prefsrc\":\"2001:db8::10\","
			"\"scope\":\"link\",\"table\":1}]}"},
		{"lo", "{\"name\":\"lo\",\"if_type\":\"lo\",\"addresses\":[{\"address\":"
		       "\"127.0.0.1\",\"prefixlen\":8}]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CLEANUP(description_deinit) struct interface_description first = {0};
		CLEANUP(description_deinit) struct interface_description second = {0};
		struct err err = ERR_NONE;

		if (load(texts[i][0], texts[i][1], &first, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(description_store(temporary_folder, &first, &err), 0);
		assert_int_equal(description_load(temporary_folder, texts[i][0], &second, &err), 0);
		assert_true(description_equal(&first, &second));
	}
}

static void the_folder_is_made_and_the_file_is_for_everybody_to_read(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {.name = "eth2"};
	cleanup_free char *folder = in_temporary_folder("a/b");
	cleanup_free char *path = in_temporary_folder("a/b/eth2.json");
	struct stat status;

	(void)state;
	assert_int_equal(description_store(folder, &d, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
}

static void no_file_is_told_from_a_bad_one(void **state)
{
	struct interface_description d = {.mtu_bytes = 77};
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(description_load(temporary_folder, "eth1", &d, &err), -ENOENT);
	assert_int_equal(load("eth1", "{", &d, &err), -EINVAL);
	assert_int_equal(d.mtu_bytes, 77);
}

static void a_bad_file_is_refused_with_file_key_and_reason(void **state)
{
	static const char *const bad[][2] = {
		{"[]", "object"},
		{"{\"name\":\"eth1\",\"if_type\":\"bond\"}", "if_type"},
		{"{\"name\":\"eth1\",\"if_type\":7}", "if_type"},
		{"{\"name\":\"eth2\"}", "name"},
		{"{\"name\":7}", "name"},
		{"{}", "name"},
		{"{\"name\":\"eth1\",\"mtu\":\"big\"}", "mtu"},
		{"{\"name\":\"eth1\",\"mtu\":-1}", "mtu"},
		{"{\"name\":\"eth1\",\"mtu\":65536}", "mtu"},
		{"{\"name\":\"eth1\",\"is_sriov\":1}", "is_sriov"},
		{"{\"name\":\"eth1\",\"addresses\":{}}", "addresses"},
		{"{\"name\":\"eth1\",\"addresses\":[7]}", "addresses: entry 1"},
		{"{\"name\":\"eth1\",\"addresses\":[{}]}", "addresses: entry 1"},
		{"{\"name\":\"eth1\",\"addresses\":[{\"dhcp\":\"yes\"}]}", "addresses: entry 1"},
		{"{\"name\":\"eth1\",\"addresses\":[{\"address\":\"10.0.0.1\",\"prefixlen\":33}]}",
			"addresses: entry 1"},
		{"{\"name\":\"eth1\",\"addresses\":[{\"address\":\"ten\",\"prefixlen\":3}]}",
			"addresses: entry 1"},
		{"{\"name\":\"eth1\",\"rules\":[{\"src_len\":32,\"table\":1}]}", "rules: entry 1"},
		{"{\"name\":\"eth1\",\"rules\":[{\"src\":\"10.0.0.1\",\"src_len\":33}]}",
			"rules: entry 1"},
		{"{\"name\":\"eth1\",\"routes\":7}", "routes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CLEANUP(description_deinit) struct interface_description d = {0};
		struct err err = ERR_NONE;

		if (load("eth1", bad[i][0], &d, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i][0]);
		assert_non_null(strstr(err.text, "/eth1.json"));
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.text);
	}
}

static void a_route_that_cannot_be_read_is_logged_and_left_out(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {0};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	assert_int_equal(
		load("eth2",
			"{\"name\":\"eth2\",\"routes\":[7,{},{\"dst\":\"10.0.0.0/8\","
			"\"gateway\":\"2001:db8::1\"},{\"dst\":\"nowhere\"},{\"dst\":\"10.9.0.0/"
			"16\","
			"\"gateway\":\"10.0.0.1\"},{\"dst\":\"10.8.0.0/16\",\"table\":-1}]}",
			&d, NULL),
		0);
	assert_int_equal(captured_log_count(&log, "left out"), 5);
	captured_log_stop(&log);
	assert_int_equal(d.route_count, 1);
}

static void a_file_of_an_earlier_release_takes_its_type_from_the_name(void **state)
{
	CLEANUP(description_deinit) struct interface_description vip = {0};
	CLEANUP(description_deinit) struct interface_description port = {0};
	CLEANUP(description_deinit) struct interface_description lo = {0};

	(void)state;
	assert_int_equal(load("eth1", "{\"name\":\"eth1\"}", &vip, NULL), 0);
	assert_int_equal(load("eth2", "{\"name\":\"eth2\"}", &port, NULL), 0);
	assert_int_equal(load("lo", "{\"name\":\"lo\"}", &lo, NULL), 0);
	assert_int_equal(vip.type, INTERFACE_VIP);
	assert_int_equal(port.type, INTERFACE_BACKEND);
	assert_int_equal(lo.type, INTERFACE_LO);
}

static void bits_behind_a_routes_prefix_are_dropped(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {0};
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_int_equal(
		load("eth2",
			"{\"name\":\"eth2\",\"routes\":[{\"dst\":\"10.1.2.3/8\",\"gateway\":"
			"\"10.0.0.1\"}]}",
			&d, NULL),
		0);
	cidr_format(&d.routes[0].destination, text);
	assert_string_equal(text, "10.0.0.0/8");
}

static void a_name_that_leaves_the_folder_is_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "../eth1", "eth 1", "eth1\n", "eth1:0", "sixteen-letters-"};
	struct interface_description d = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(description_name_is_valid(bad[i]));
		assert_int_equal(description_load(temporary_folder, bad[i], &d, NULL), -EINVAL);
	}
	assert_true(description_name_is_valid("eth1"));
	assert_true(description_name_is_valid("fifteen-letters"));
}

static void nothing_is_added_twice(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {0};
	struct described_address address = {address_of("10.0.0.1"), 24, true};
	struct described_rule rule = {{address_of("10.0.0.1"), 32}, 1};
	struct described_route route = {.destination = {address_of("0.0.0.0"), 0},
		.has_gateway = true,
		.gateway = address_of("10.0.0.254"),
		.table = ROUTE_TABLE_MAIN};

	(void)state;
	for (int i = 0; i < 2; i++) {
		description_add_address(&d, &address);
		description_add_rule(&d, &rule);
		description_add_route(&d, &route);
	}
	assert_int_equal(d.address_count, 1);
	assert_int_equal(d.rule_count, 1);
	assert_int_equal(d.route_count, 1);
	address.prefix_length = 32;
	description_add_address(&d, &address);
	rule.table = 2;
	description_add_rule(&d, &rule);
	route.table = ROUTE_TABLE_VIP;
	description_add_route(&d, &route);
	assert_int_equal(d.address_count, 2);
	assert_int_equal(d.rule_count, 2);
	assert_int_equal(d.route_count, 2);
}

static void of_two_gateways_the_first_wins(void **state)
{
	CLEANUP(description_deinit) struct interface_description d = {0};
	struct address first = address_of("10.0.0.254");
	struct described_route route = {.destination = {address_of("0.0.0.0"), 0},
		.has_gateway = true,
		.gateway = first,
		.table = ROUTE_TABLE_MAIN};

	(void)state;
	description_add_route(&d, &route);
	route.gateway = address_of("10.0.0.253");
	description_add_route(&d, &route);
	assert_int_equal(d.route_count, 1);
	assert_true(address_equal(&d.routes[0].gateway, &first));
}

static void a_family_is_one_of_an_address_or_of_what_will_be_asked_for(void **state)
{
	struct described_address address = {address_of("2001:db8::1"), 64, true};
	struct interface_description d = {.wants_dhcp = true};

	(void)state;
	assert_true(description_has_family(&d, AF_INET));
	assert_false(description_has_family(&d, AF_INET6));
	d.wants_dhcp = false;
	d.wants_slaac = true;
	assert_false(description_has_family(&d, AF_INET));
	assert_true(description_has_family(&d, AF_INET6));
	d.wants_slaac = false;
	description_add_address(&d, &address);
	assert_true(description_has_family(&d, AF_INET6));
	assert_false(description_has_family(&d, AF_INET));
	description_deinit(&d);
}

static void descriptions_differ_in_any_one_thing(void **state)
{
	CLEANUP(description_deinit) struct interface_description a = {0};
	CLEANUP(description_deinit) struct interface_description b = {0};

	(void)state;
	assert_int_equal(load("eth1", vip_json, &a, NULL), 0);
	assert_int_equal(load("eth1", vip_json, &b, NULL), 0);
	assert_true(description_equal(&a, &b));
	b.addresses[1].is_ours = true;
	assert_false(description_equal(&a, &b));
	b.addresses[1].is_ours = false;
	b.routes[0].gateway = address_of("198.51.100.253");
	assert_false(description_equal(&a, &b));
	b.routes[0].gateway = a.routes[0].gateway;
	b.rules[0].table = 2;
	assert_false(description_equal(&a, &b));
	b.rules[0].table = 1;
	b.mtu_bytes = 0;
	assert_false(description_equal(&a, &b));
}

static void names_are_those_of_the_files_lo_first(void **state)
{
	cleanup_free struct interface_name *names = NULL;
	size_t count;

	(void)state;
	temporary_file("eth10.json", "{}");
	temporary_file("eth2.json", "{}");
	temporary_file("lo.json", "{}");
	temporary_file("eth1.json", "{}");
	temporary_file("eth1.json.bak", "{}");
	temporary_file("a name.json", "{}");
	temporary_file("a-name-that-is-far-too-long.json", "{}");
	temporary_file(".json", "{}");
	assert_int_equal(description_names(temporary_folder, &names, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_string_equal(names[0].text, "lo");
	assert_string_equal(names[1].text, "eth1");
	assert_string_equal(names[2].text, "eth2");
	assert_string_equal(names[3].text, "eth10");
}

static void a_folder_that_is_not_there_has_no_names(void **state)
{
	cleanup_free char *folder = in_temporary_folder("none");
	cleanup_free struct interface_name *names = NULL;
	size_t count = 77;

	(void)state;
	assert_int_equal(description_names(folder, &names, &count, NULL), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(what_the_python_agent_wrote_is_read),
		with_temporary_folder(what_is_stored_is_loaded_again),
		with_temporary_folder(the_folder_is_made_and_the_file_is_for_everybody_to_read),
		with_temporary_folder(no_file_is_told_from_a_bad_one),
		with_temporary_folder(a_bad_file_is_refused_with_file_key_and_reason),
		with_temporary_folder(a_route_that_cannot_be_read_is_logged_and_left_out),
		with_temporary_folder(a_file_of_an_earlier_release_takes_its_type_from_the_name),
		with_temporary_folder(bits_behind_a_routes_prefix_are_dropped),
		with_temporary_folder(a_name_that_leaves_the_folder_is_refused),
		cmocka_unit_test(nothing_is_added_twice),
		cmocka_unit_test(of_two_gateways_the_first_wins),
		cmocka_unit_test(a_family_is_one_of_an_address_or_of_what_will_be_asked_for),
		with_temporary_folder(descriptions_differ_in_any_one_thing),
		with_temporary_folder(names_are_those_of_the_files_lo_first),
		with_temporary_folder(a_folder_that_is_not_there_has_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
