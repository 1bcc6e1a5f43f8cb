/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/network_data.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "captured_log.h"
#include "drive/networkd.h"

#define LINK(id, mac, more)                                                                        \
	"{\"id\": \"" id "\", \"type\": \"ovs\", \"ethernet_mac_address\": \"" mac "\"" more "}"
#define ONE_LINK LINK("tap0", "FA:16:3e:00:00:01", ", \"mtu\": 1442")

static struct captured_log said;

static int setup(void **state)
{
	(void)state;
	captured_log_start(&said);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	captured_log_stop(&said);
	return 0;
}

static int parse(const char *links, const char *networks, struct network_data *ret_network)
{
	cleanup_buf struct buf text = BUF_INIT(256 * KIB);

	buf_append_format(&text, "{\"links\": [%s], \"networks\": [%s]}", links, networks);
	return network_data_parse(buf_text(&text), text.size_bytes, ret_network, NULL);
}

/* The file that this link with these networks leads to. */
static void check_link_file(const char *link, const char *networks, const char *expected)
{
	CLEANUP(network_data_deinit) struct network_data network = {0};
	cleanup_buf struct buf text = BUF_INIT(NETWORKD_FILE_SIZE_MAX);

	assert_int_equal(parse(link, networks, &network), 0);
	assert_int_equal(network.link_count, 1);
	networkd_format_link(&network.links[0], &text);
	assert_string_equal(buf_text(&text), expected);
}

static void check_file(const char *networks, const char *expected)
{
	check_link_file(ONE_LINK, networks, expected);
}

#define MATCH "[Match]\nMACAddress=fa:16:3e:00:00:01\n\n[Link]\nMTUBytes=1442\n\n[Network]\n"

static void a_network_with_dhcp_asks_and_believes_addresses_and_routes_only(void **state)
{
	(void)state;
	check_file("{\"link\": \"tap0\", \"type\": \"ipv4_dhcp\"}",
		MATCH "DHCP=ipv4\nIPv6AcceptRA=no\n\n[DHCPv4]\nClientIdentifier=mac\n"
		      "UseDNS=no\nUseNTP=no\nUseHostname=no\nUseDomains=no\n");
}

static void only_a_link_without_an_mtu_takes_the_one_of_its_server(void **state)
{
	(void)state;
	check_link_file(LINK("tap0", "fa:16:3e:00:00:01", ""),
		"{\"link\": \"tap0\", \"type\": \"ipv4_dhcp\"}",
		"[Match]\nMACAddress=fa:16:3e:00:00:01\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n\n"
		"[DHCPv4]\nClientIdentifier=mac\nUseMTU=yes\n"
		"UseDNS=no\nUseNTP=no\nUseHostname=no\nUseDomains=no\n");
}

static void a_static_network_has_its_address_and_routes(void **state)
{
	(void)state;
	check_file(
		"{\"link\": \"tap0\", \"type\": \"ipv4\", \"ip_address\": \"192.0.2.9\","
		" \"netmask\": \"255.255.255.128\", \"routes\": ["
		"{\"network\": \"0.0.0.0\", \"netmask\": \"0.0.0.0\", \"gateway\": \"192.0.2.1\"},"
		"{\"network\": \"10.1.2.3\", \"netmask\": \"255.0.0.0\", \"gateway\": "
		"\"198.51.100.1\"}]},"
		"{\"link\": \"tap0\", \"type\": \"ipv6\", \"ip_address\": \"2001:DB8::9\","
		" \"netmask\": \"ffff:ffff:ffff:ffff::\", \"routes\": ["
		"{\"network\": \"::\", \"netmask\": \"::\", \"gateway\": \"fe80::1\"}]}",
		MATCH "DHCP=no\nIPv6AcceptRA=no\nAddress=192.0.2.9/25\nAddress=2001:db8::9/64\n\n"
		      "[Route]\nDestination=0.0.0.0/0\nGateway=192.0.2.1\n\n"
		      "[Route]\nDestination=10.0.0.0/8\nGateway=198.51.100.1\nGatewayOnLink=yes\n\n"
		      "[Route]\nDestination=::/0\nGateway=fe80::1\n");
}

static void advertisements_are_for_networks_that_have_them(void **state)
{
	static const char *const types[] = {"ipv6_slaac", "ipv6_dhcpv6-stateless"};
	static const char *const dhcp_types[] = {"ipv6_dhcp", "ipv6_dhcpv6-stateful"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		cleanup_buf struct buf slaac = BUF_INIT(1000);
		cleanup_buf struct buf dhcp = BUF_INIT(1000);

		buf_append_format(&slaac, "{\"link\": \"tap0\", \"type\": \"%s\"}", types[i]);
		check_file(buf_text(&slaac), MATCH
			"DHCP=no\nIPv6AcceptRA=yes\n\n[IPv6AcceptRA]\nUseDNS=no\nUseDomains=no\n"
			"DHCPv6Client=no\n");
		buf_append_format(&dhcp, "{\"link\": \"tap0\", \"type\": \"%s\"}", dhcp_types[i]);
		check_file(buf_text(&dhcp),
			MATCH "DHCP=ipv6\nIPv6AcceptRA=yes\n\n[DHCPv6]\nUseDNS=no\nUseNTP=no\n"
			      "UseHostname=no\nUseDomains=no\n\n[IPv6AcceptRA]\nUseDNS="
			      "no\nUseDomains=no\n");
	}
}

static void a_mask_is_a_mask_or_its_length(void **state)
{
	static const struct {
		const char *address;
		const char *mask;
		int prefix_length; /* -1: refused */
	} cases[] = {
		{"10.0.0.1", "255.255.255.255", 32}, {"10.0.0.1", "0.0.0.0", 0},
		{"10.0.0.1", "255.255.254.0", 23}, {"10.0.0.1", "24", 24}, {"10.0.0.1/20", "", 20},
		{"10.0.0.1", "255.0.255.0", -1}, {"10.0.0.1", "0.0.0.1", -1},
		{"10.0.0.1", "33", -1}, {"10.0.0.1", "ffff::", -1}, {"10.0.0.1", "", -1},
		{"10.0.0.1/", "", -1}, {"/24", "", -1}, {"10.0.0.256", "24", -1},
		{"fd00::1", "64", -1}, /* its type says ipv4 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(network_data_deinit) struct network_data network = {0};
		cleanup_buf struct buf text = BUF_INIT(1000);

		buf_append_format(&text,
			"{\"link\": \"tap0\", \"type\": \"ipv4\", \"ip_address\": \"%s\","
			" \"netmask\": \"%s\"}",
			cases[i].address, cases[i].mask);
		assert_int_equal(parse(ONE_LINK, buf_text(&text), &network), 0);
		assert_int_equal(network.link_count, cases[i].prefix_length >= 0);
		if (network.link_count > 0)
			assert_int_equal(network.links[0].addresses[0].prefix_length,
				cases[i].prefix_length);
	}
}

static void what_cannot_be_used_is_named_and_left_out(void **state)
{
	CLEANUP(network_data_deinit) struct network_data network = {0};

	(void)state;
	assert_int_equal(
		parse(ONE_LINK "," LINK("tap1", "no mac", "") "," LINK("tap2", "fa:16:3e:00:00:02",
			      "") ", {\"id\": \"bond\", \"type\": \"bond\"}, 5",
			"{\"link\": \"tap0\", \"type\": \"ipv5\"}, {\"link\": \"tap0\"}, 7,"
			"{\"link\": \"tap0\", \"type\": \"ipv4_dhcp\"}, {\"link\": \"tap9\"}",
			&network),
		0);
	assert_int_equal(network.link_count, 1);
	assert_true(network.links[0].wants_dhcp4);
	assert_int_equal(captured_log_count(&said, "left out"), 6);
	assert_int_equal(captured_log_count(&said, "'ipv5' is not known"), 1);
}

static void a_route_that_cannot_be_used_leaves_the_address(void **state)
{
	CLEANUP(network_data_deinit) struct network_data network = {0};

	(void)state;
	assert_int_equal(
		parse(ONE_LINK,
			"{\"link\": \"tap0\", \"type\": \"ipv4\", \"ip_address\": \"10.0.0.1/8\","
			" \"routes\": [5, {\"network\": \"::\", \"netmask\": \"::\", \"gateway\": "
			"\"fe80::1\"},"
			" {\"network\": \"0.0.0.0\", \"netmask\": \"0.0.0.0\", \"gateway\": "
			"\"x\\nGateway=y\"}]}",
			&network),
		0);
	assert_int_equal(network.links[0].address_count, 1);
	assert_int_equal(network.links[0].route_count, 0);
	assert_int_equal(captured_log_count(&said, "route"), 3);
}

static void a_strange_mtu_is_left_out(void **state)
{
	static const char *const mtus[] = {"67", "65536", "-1", "\"1500\"", "1e3"};

	(void)state;
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		CLEANUP(network_data_deinit) struct network_data network = {0};
		cleanup_buf struct buf link = BUF_INIT(1000);

		buf_append_format(&link,
			"{\"id\": \"a\", \"ethernet_mac_address\": "
			"\"fa:16:3e:00:00:01\", \"mtu\": %s}",
			mtus[i]);
		assert_int_equal(parse(buf_text(&link),
					 "{\"link\": \"a\", \"type\": \"ipv4_dhcp\"}", &network),
			0);
		assert_int_equal(network.links[0].mtu_bytes, 0);
	}
	assert_int_equal(captured_log_count(&said, "mtu"), 5);
}

static void links_addresses_and_routes_are_bounded(void **state)
{
	CLEANUP(network_data_deinit) struct network_data network = {0};
	cleanup_buf struct buf links = BUF_INIT(64 * KIB);
	cleanup_buf struct buf networks = BUF_INIT(64 * KIB);

	(void)state;
	buf_append_text(&links, ONE_LINK);
	buf_append_text(&networks, "{}");
	for (int i = 0; i < 40; i++) {
		buf_append_format(&links,
			", {\"id\": \"%d\", \"ethernet_mac_address\": "
			"\"fa:16:3e:00:01:%02x\"}",
			i, i);
		buf_append_format(&networks, ", {\"link\": \"%d\", \"type\": \"ipv4_dhcp\"}", i);
		buf_append_format(&networks,
			", {\"link\": \"tap0\", \"type\": \"ipv4\", \"ip_address\": "
			"\"10.0.0.%d/24\", \"routes\": [",
			i);
		for (int route = 0; route < 9; route++)
			buf_append_format(&networks,
				"%s{\"network\": \"10.%d.%d.0/24\", \"gateway\": "
				"\"10.0.0.1\"}",
				route ? "," : "", i, route);
		buf_append_text(&networks, "]}");
	}
	assert_int_equal(parse(buf_text(&links), buf_text(&networks), &network), 0);
	assert_int_equal(network.link_count, NETWORK_LINKS_MAX);
	assert_int_equal(network.links[0].address_count, NETWORK_ADDRESSES_MAX);
	assert_int_equal(network.links[0].route_count, NETWORK_ROUTES_MAX);
}

static void what_is_no_network_data_is_refused(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "5", "{\"links\": []}",
		"{\"networks\": []}", "{\"links\": {}, \"networks\": []}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct network_data network = {.link_count = 77};
		struct err err = ERR_NONE;

		assert_int_equal(
			network_data_parse(texts[i], strlen(texts[i]), &network, &err), -EINVAL);
		assert_string_not_equal(err.text, "");
		assert_int_equal(network.link_count, 77);
	}
}

#define with_log(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_log(a_network_with_dhcp_asks_and_believes_addresses_and_routes_only),
		with_log(only_a_link_without_an_mtu_takes_the_one_of_its_server),
		with_log(a_static_network_has_its_address_and_routes),
		with_log(advertisements_are_for_networks_that_have_them),
		with_log(a_mask_is_a_mask_or_its_length),
		with_log(what_cannot_be_used_is_named_and_left_out),
		with_log(a_route_that_cannot_be_used_leaves_the_address),
		with_log(a_strange_mtu_is_left_out),
		with_log(links_addresses_and_routes_are_bounded),
		with_log(what_is_no_network_data_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
