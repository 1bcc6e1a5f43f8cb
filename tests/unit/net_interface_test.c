/* SPDX-License-Identifier: Apache-2.0 */
#include "net/interface.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "captured_log.h"
#include "sys/netlink.h"
#include "throw_away_network.h"

/* What takes IN_TIME_MS is tried so often: others may have had the processor in all but one. */
enum { DESCRIBED_MAX = 8, IN_TIME_MS = 50, TRIES = 5 };

/* A description with room of its own. */
struct described {
	struct interface_description description;
	struct described_address addresses[DESCRIBED_MAX];
	struct described_route routes[DESCRIBED_MAX];
	struct described_rule rules[DESCRIBED_MAX];
};

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

static void describe(struct described *described, enum interface_type type)
{
	*described = (struct described){.description = {.name = "eth1", .type = type}};
	described->description.addresses = described->addresses;
	described->description.routes = described->routes;
	described->description.rules = described->rules;
}

static void describe_address(struct described *described, const char *text, unsigned prefix_length)
{
	described->addresses[described->description.address_count++] = (struct described_address){
		.address = address_of(text), .prefix_length = prefix_length, .is_ours = true};
}

static void describe_keepaliveds(
	struct described *described, const char *text, unsigned prefix_length)
{
	describe_address(described, text, prefix_length);
	described->addresses[described->description.address_count - 1].is_ours = false;
}

static void describe_route(
	struct described *described, const char *destination, const char *gateway, unsigned table)
{
	described->routes[described->description.route_count++] = (struct described_route){
		.destination = cidr_of(destination),
		.has_gateway = true,
		.gateway = address_of(gateway),
		.table = table,
	};
}

static void describe_subnet(
	struct described *described, const char *subnet, const char *source, unsigned table)
{
	described->routes[described->description.route_count++] = (struct described_route){
		.destination = cidr_of(subnet),
		.has_source = source,
		.source = address_of(source ? source : "0.0.0.0"),
		.is_link_scope = true,
		.table = table,
	};
}

static void describe_rule(struct described *described, const char *source, unsigned table)
{
	described->rules[described->description.rule_count++] =
		(struct described_rule){.source = cidr_of(source), .table = table};
}

/* What plug/vip describes in SINGLE. */
static void describe_ipv4_vip(struct described *described)
{
	describe(described, INTERFACE_VIP);
	describe_address(described, "10.0.0.5", 24);
	describe_address(described, "10.0.0.9", 32);
	describe_route(described, "0.0.0.0/0", "10.0.0.1", ROUTE_TABLE_MAIN);
	describe_route(described, "0.0.0.0/0", "10.0.0.1", ROUTE_TABLE_VIP);
	describe_subnet(described, "10.0.0.0/24", NULL, ROUTE_TABLE_MAIN);
	describe_subnet(described, "10.0.0.0/24", "10.0.0.9", ROUTE_TABLE_VIP);
	describe_route(described, "10.8.0.0/16", "10.0.0.3", ROUTE_TABLE_MAIN);
	describe_rule(described, "10.0.0.9/32", ROUTE_TABLE_VIP);
}

static void describe_ipv6_vip(struct described *described)
{
	describe(described, INTERFACE_VIP);
	describe_address(described, "2001:db8::5", 64);
	describe_address(described, "2001:db8::9", 128);
	describe_route(described, "::/0", "2001:db8::1", ROUTE_TABLE_MAIN);
	describe_route(described, "::/0", "2001:db8::1", ROUTE_TABLE_VIP);
	describe_subnet(described, "2001:db8::/64", NULL, ROUTE_TABLE_MAIN);
	describe_subnet(described, "2001:db8::/64", "2001:db8::9", ROUTE_TABLE_VIP);
	describe_route(described, "2001:db8:8::/48", "2001:db8::3", ROUTE_TABLE_MAIN);
	describe_rule(described, "2001:db8::9/128", ROUTE_TABLE_VIP);
}

/* A pair eth1 - far; eth1 is down, as it is when it has just been moved. */
static void pair_make(void)
{
	skip_without_namespaces();
	ip("link set lo up");
	ip("link add eth1 address fa:16:3e:00:00:01 type veth peer name far");
	ip("link set far up");
}

/* Brings it up, and tells whether something had to be done. */
static bool up(const struct described *described)
{
	struct err err = ERR_NONE;
	bool changed;

	if (interface_up(&described->description, &changed, &err) < 0)
		fail_msg("%s", err.text);
	return changed;
}

static void down(const struct described *described)
{
	struct err err = ERR_NONE;

	if (interface_down(&described->description, &err) < 0)
		fail_msg("%s", err.text);
}

static void an_ipv4_vip_gets_all_that_is_described(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	assert_true(up(&vip));
	assert_true(ip_shows("addr show dev eth1", "inet 10.0.0.5/24"));
	assert_true(ip_shows("addr show dev eth1", "inet 10.0.0.9/32"));
	assert_true(ip_shows("route show", "default via 10.0.0.1 dev eth1 proto static onlink"));
	assert_true(ip_shows(
		"route show table 1", "default via 10.0.0.1 dev eth1 proto static onlink"));
	assert_true(ip_shows(
		"route show table 1", "10.0.0.0/24 dev eth1 proto static scope link src 10.0.0.9"));
	assert_true(ip_shows("route show", "10.8.0.0/16 via 10.0.0.3 dev eth1"));
	assert_true(ip_shows("rule show", "from 10.0.0.9 lookup 1 proto static"));
}

static void an_ipv6_vip_is_usable_and_has_its_routes(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv6_vip(&vip);
	assert_true(up(&vip));
	assert_true(ip_shows("-6 addr show dev eth1 -tentative", "inet6 2001:db8::5/64"));
	assert_true(ip_shows("-6 addr show dev eth1 -tentative", "inet6 2001:db8::9/128"));
	assert_true(ip_shows("-6 route show", "default via 2001:db8::1 dev eth1 proto static"));
	assert_true(ip_shows("-6 route show table 1", "default via 2001:db8::1 dev eth1"));
	assert_true(ip_shows(
		"-6 route show table 1", "2001:db8::/64 dev eth1 proto static src 2001:db8::9"));
	assert_true(ip_shows("-6 route show", "2001:db8:8::/48 via 2001:db8::3 dev eth1"));
	assert_true(ip_shows("-6 rule show", "from 2001:db8::9 lookup 1 proto static"));
}

static void the_second_time_changes_nothing(void **state)
{
	static void (*const describe_vip[])(struct described *) = {
		describe_ipv4_vip, describe_ipv6_vip};
	struct described vip;

	for (size_t i = 0; i < 2; i++) {
		throw_away_network_setup(state);
		pair_make();
		describe_vip[i](&vip);
		assert_true(up(&vip));
		assert_false(up(&vip));
		assert_false(up(&vip));
	}
}

/* As after a SIGKILL between any two of its changes. */
static void what_is_half_done_is_completed(void **state)
{
	static const char *const undo[] = {
		"link set eth1 down",
		"addr del 10.0.0.9/32 dev eth1",
		"addr del 10.0.0.5/24 dev eth1",
		"route del default table 1",
		"route del default",
		"route del 10.8.0.0/16",
		"rule del from 10.0.0.9",
	};
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	up(&vip);
	for (size_t i = 0; i < sizeof(undo) / sizeof(undo[0]); i++) {
		ip("%s", undo[i]);
		assert_true(up(&vip));
		assert_false(up(&vip));
		assert_true(ip_shows("route show table 1", "src 10.0.0.9"));
		assert_true(ip_shows("route show", "default via 10.0.0.1"));
		assert_true(ip_shows("rule show", "from 10.0.0.9 lookup 1"));
	}
}

/* Something has to be done. */
static int up_takes_ms(const struct described *described)
{
	int64_t start_ms = clock_now_ms();

	assert_true(up(described));
	return (int)(clock_now_ms() - start_ms);
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static void an_ipv4_vip_is_up_in_time(void **state)
{
	struct described vip;
	int best_ms = INT_MAX;

	describe_ipv4_vip(&vip);
	for (int i = 0; i < TRIES; i++) {
		throw_away_network_setup(state);
		pair_make();
		best_ms = min_int(best_ms, up_takes_ms(&vip));
	}
	print_message("         (%d ms)\n", best_ms);
	assert_in_range(best_ms, 0, IN_TIME_MS);
}

static bool none_is_tentative(
	const struct netlink_address *addresses, size_t count, const void *context)
{
	(void)context;
	for (size_t i = 0; i < count; i++)
		if (addresses[i].is_tentative)
			return false;
	return true;
}

/* What duplicate address detection takes by itself: the kernel waits a random time before it. */
static void an_ipv6_vip_is_up_soon_after_its_addresses_are_usable(void **state)
{
	cleanup_netlink struct netlink *netlink = NULL;
	struct netlink_link link;
	struct described vip;
	int best_ms = INT_MAX;

	(void)state;
	pair_make();
	describe_ipv6_vip(&vip);
	up(&vip);
	assert_int_equal(netlink_open(&netlink, NULL), 0);
	assert_int_equal(netlink_find_name(netlink, "eth1", &link, NULL), 0);
	assert_int_equal(
		netlink_await_addresses(netlink, link.index, none_is_tentative, NULL, 10000, NULL),
		0);
	for (int i = 0; i < TRIES; i++) {
		for (size_t j = 0; j < vip.description.route_count; j++)
			vip.routes[j].table += 10;
		best_ms = min_int(best_ms, up_takes_ms(&vip));
	}
	print_message("         (%d ms)\n", best_ms);
	assert_in_range(best_ms, 0, IN_TIME_MS);
}

static void the_mtu_is_set_when_it_comes_up_and_when_it_is_another(void **state)
{
	struct described backend;

	(void)state;
	pair_make();
	describe(&backend, INTERFACE_BACKEND);
	backend.description.mtu_bytes = 1450;
	assert_true(up(&backend));
	assert_true(ip_shows("link show dev eth1", "mtu 1450"));
	assert_false(up(&backend));
	backend.description.mtu_bytes = 1400;
	assert_true(up(&backend));
	assert_true(ip_shows("link show dev eth1", "mtu 1400"));
	backend.description.mtu_bytes = 0;
	assert_false(up(&backend));
	assert_true(ip_shows("link show dev eth1", "mtu 1400"));
}

static void lo_gets_its_address_and_keeps_the_kernels(void **state)
{
	struct described lo;

	(void)state;
	skip_without_namespaces();
	describe(&lo, INTERFACE_LO);
	snprintf(lo.description.name, sizeof(lo.description.name), "lo");
	describe_address(&lo, "127.0.0.1", 8);
	assert_true(up(&lo));
	assert_false(up(&lo));
	assert_true(ip_shows("addr show dev lo", "inet 127.0.0.1/8 scope host lo"));
	assert_true(ip_shows("addr show dev lo", "inet6 ::1/128"));
}

static void an_address_that_is_no_longer_described_goes(void **state)
{
	struct described backend;

	(void)state;
	pair_make();
	describe(&backend, INTERFACE_BACKEND);
	describe_address(&backend, "10.0.0.5", 24);
	describe_address(&backend, "10.1.0.5", 24);
	up(&backend);
	backend.description.address_count = 1;
	assert_true(up(&backend));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.5/24"));
	assert_false(ip_shows("addr show dev eth1", "10.1.0.5"));
	assert_false(up(&backend));
}

/* With the first address of a subnet the kernel removes the others of it. */
static void an_address_survives_the_one_before_it_on_the_subnet(void **state)
{
	struct described backend;

	(void)state;
	pair_make();
	describe(&backend, INTERFACE_BACKEND);
	describe_address(&backend, "10.0.0.5", 24);
	describe_address(&backend, "10.0.0.6", 24);
	describe_address(&backend, "10.0.0.7", 24);
	up(&backend);
	backend.addresses[0] = backend.addresses[1];
	backend.description.address_count = 1;
	assert_true(up(&backend));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.6/24"));
	assert_false(ip_shows("addr show dev eth1", "10.0.0.5"));
	assert_false(ip_shows("addr show dev eth1", "10.0.0.7"));
	assert_false(up(&backend));
}

static void an_address_changes_its_prefix_length(void **state)
{
	struct described backend;

	(void)state;
	pair_make();
	describe(&backend, INTERFACE_BACKEND);
	describe_address(&backend, "10.0.0.5", 24);
	describe_address(&backend, "2001:db8::5", 64);
	up(&backend);
	backend.addresses[0].prefix_length = 25;
	backend.addresses[1].prefix_length = 72;
	assert_true(up(&backend));
	assert_false(up(&backend));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.5/25"));
	assert_false(ip_shows("addr show dev eth1", "10.0.0.5/24"));
	assert_true(ip_shows("addr show dev eth1", "2001:db8::5/72"));
}

static void what_others_added_is_left_alone(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	up(&vip);
	/* An operator's, a lease, a VIP that keepalived knows of and we do not. */
	ip("addr add 10.7.0.1/24 dev eth1");
	ip("addr add 10.7.1.1/24 dev eth1 valid_lft 600 preferred_lft 600");
	ip("addr add 2001:db8:7::1/64 dev eth1");
	ip("route add 10.70.0.0/16 dev eth1 proto ra");
	ip("route add 10.71.0.0/16 dev eth1 proto dhcp");
	ip("route add 10.72.0.0/16 dev eth1 proto keepalived");
	ip("route add 10.73.0.0/16 dev far proto static");
	ip("rule add from 10.0.0.77 table 1 protocol keepalived");
	ip("rule add from 10.0.0.78 table 1 protocol kernel");
	assert_false(up(&vip));
	assert_true(ip_shows("addr show dev eth1", "10.7.0.1/24"));
	assert_true(ip_shows("addr show dev eth1", "10.7.1.1/24"));
	assert_true(ip_shows("addr show dev eth1", "2001:db8:7::1/64"));
	assert_true(ip_shows("addr show dev eth1", "inet6 fe80::"));
	assert_true(ip_shows("route show", "10.70.0.0/16"));
	assert_true(ip_shows("route show", "10.71.0.0/16"));
	assert_true(ip_shows("route show", "10.72.0.0/16"));
	assert_true(ip_shows("route show", "10.73.0.0/16"));
	assert_true(ip_shows("rule show", "from 10.0.0.77"));
	assert_true(ip_shows("rule show", "from 10.0.0.78"));
	/* The kernel's own route of the subnet. */
	assert_true(ip_shows("route show", "10.0.0.0/24 dev eth1 proto kernel"));
}

/* As on a kernel before 5.18: not even the kernel's own addresses are marked. */
static void without_marks_only_what_is_described_stays(void **state)
{
	struct described vip;

	(void)state;
	skip_without_namespaces();
	ip("link add eth1 type veth peer name far");
	ip("link set eth1 addrgenmode none");
	ip("addr add 10.7.0.1/24 dev eth1");
	ip("addr add 10.7.1.1/24 dev eth1 valid_lft 600 preferred_lft 600");
	ip("addr add 10.0.0.9/32 dev eth1");
	describe(&vip, INTERFACE_VIP);
	describe_keepaliveds(&vip, "10.0.0.9", 32);
	up(&vip);
	assert_false(ip_shows("addr show dev eth1", "10.7.0.1/24"));
	assert_true(ip_shows("addr show dev eth1", "10.7.1.1/24"));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.9/32"));
}

static void keepaliveds_address_is_neither_put_on_nor_taken_off(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe(&vip, INTERFACE_VIP);
	describe_address(&vip, "10.0.0.5", 24);
	describe_keepaliveds(&vip, "10.0.0.9", 32);
	up(&vip);
	assert_false(ip_shows("addr show dev eth1", "10.0.0.9"));
	ip("addr add 10.0.0.9/32 dev eth1");
	assert_false(up(&vip));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.9/32"));
	down(&vip);
	assert_true(ip_shows("addr show dev eth1", "10.0.0.9/32"));
	assert_false(ip_shows("addr show dev eth1", "10.0.0.5"));
}

static void routes_that_are_no_longer_described_go(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	up(&vip);
	vip.description.route_count = 1;
	assert_true(up(&vip));
	assert_true(ip_shows("route show", "default via 10.0.0.1"));
	assert_false(ip_shows("route show", "10.8.0.0/16"));
	assert_false(ip_shows("route show table 1", "10.0.0."));
	assert_false(up(&vip));
}

static void a_gateway_is_replaced_in_one_go(void **state)
{
	static const char *const families[][3] = {
		{"0.0.0.0/0", "10.0.0.1", "10.0.0.2"}, {"::/0", "2001:db8::1", "2001:db8::2"}};
	struct described backend;

	for (size_t i = 0; i < 2; i++) {
		throw_away_network_setup(state);
		pair_make();
		describe(&backend, INTERFACE_BACKEND);
		describe_route(&backend, families[i][0], families[i][1], ROUTE_TABLE_MAIN);
		up(&backend);
		backend.routes[0].gateway = address_of(families[i][2]);
		assert_true(up(&backend));
		assert_true(ip_shows(i ? "-6 route show" : "route show", families[i][2]));
		assert_false(ip_shows(i ? "-6 route show" : "route show", families[i][1]));
		assert_false(up(&backend));
	}
}

static void of_two_gateways_the_first_wins(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe(&vip, INTERFACE_VIP);
	describe_route(&vip, "0.0.0.0/0", "10.0.0.1", ROUTE_TABLE_MAIN);
	describe_route(&vip, "0.0.0.0/0", "10.0.0.2", ROUTE_TABLE_MAIN);
	describe_route(&vip, "::/0", "2001:db8::1", ROUTE_TABLE_MAIN);
	describe_route(&vip, "::/0", "2001:db8::2", ROUTE_TABLE_MAIN);
	up(&vip);
	assert_true(ip_shows("route show", "default via 10.0.0.1"));
	assert_false(ip_shows("route show", "10.0.0.2"));
	assert_true(ip_shows("-6 route show", "default via 2001:db8::1"));
	assert_false(ip_shows("-6 route show", "2001:db8::2"));
	assert_false(up(&vip));
}

static void a_bad_route_is_logged_and_the_others_are_there(void **state)
{
	struct captured_log log;
	struct described vip;
	int best_ms = INT_MAX;
	bool changed;
	int r;

	(void)state;
	pair_make();
	describe(&vip, INTERFACE_VIP);
	describe_address(&vip, "10.0.0.5", 24);
	/* To ourselves, from what is not ours, of two families. */
	describe_route(&vip, "10.6.0.0/16", "10.0.0.5", ROUTE_TABLE_MAIN);
	describe_subnet(&vip, "10.7.0.0/16", "10.0.0.99", ROUTE_TABLE_VIP);
	describe_route(&vip, "10.8.0.0/16", "2001:db8::1", ROUTE_TABLE_MAIN);
	describe_route(&vip, "10.9.0.0/16", "10.0.0.1", ROUTE_TABLE_MAIN);
	captured_log_start(&log);
	r = interface_up(&vip.description, &changed, NULL);
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_int_equal(r, 0);
	assert_true(changed);
	assert_non_null(strstr(log.text, "interface eth1: adding route to 10.6.0.0/16 via 10.0.0.5 "
					 "in table 254: Invalid argument (Nexthop has invalid "
					 "gateway)"));
	assert_non_null(strstr(log.text, "route to 10.7.0.0/16 from 10.0.0.99 in table 1"));
	assert_non_null(strstr(log.text, "route to 10.8.0.0/16: its gateway and source must be"));
	assert_true(ip_shows("route show", "10.9.0.0/16 via 10.0.0.1"));
	assert_false(ip_shows("route show", "10.8.0.0/16"));
	/* None of them is waited for; each time they are tried again. */
	for (int i = 0; i < TRIES; i++) {
		int64_t start_ms = clock_now_ms();

		assert_int_equal(interface_up(&vip.description, &changed, NULL), 0);
		best_ms = min_int(best_ms, (int)(clock_now_ms() - start_ms));
	}
	assert_in_range(best_ms, 0, IN_TIME_MS);
}

static void a_bad_address_fails_and_is_named(void **state)
{
	struct err err = ERR_NONE;
	struct described backend;
	bool changed = false;

	(void)state;
	pair_make();
	describe(&backend, INTERFACE_BACKEND);
	describe_address(&backend, "ff02::5", 64);
	assert_true(interface_up(&backend.description, &changed, &err) < 0);
	assert_non_null(strstr(err.text, "interface eth1: adding address ff02::5/64: "));
	assert_false(changed);
}

static void rules_are_the_vips_alone(void **state)
{
	struct described backend;
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	up(&vip);
	describe(&backend, INTERFACE_BACKEND);
	snprintf(backend.description.name, sizeof(backend.description.name), "far");
	describe_rule(&backend, "10.0.0.88/32", ROUTE_TABLE_VIP);
	assert_false(up(&backend));
	assert_true(ip_shows("rule show", "from 10.0.0.9"));
	assert_false(ip_shows("rule show", "from 10.0.0.88"));
	down(&backend);
	assert_true(ip_shows("rule show", "from 10.0.0.9"));
}

static void rules_that_are_no_longer_described_or_doubled_go(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	/* The reference agent's have no protocol; the kernel takes the second one as well. */
	ip("rule add from 10.0.0.9 table 1 protocol 0 priority 100");
	ip("rule add from 10.0.0.9 table 1 protocol 0 priority 101");
	ip("rule add from 10.0.0.10 table 1 protocol 0");
	ip("-6 rule add from 2001:db8::9 table 1 protocol 0");
	assert_true(up(&vip));
	assert_true(ip_shows("rule show", "100:\tfrom 10.0.0.9"));
	assert_false(ip_shows("rule show", "101:\tfrom 10.0.0.9"));
	assert_false(ip_shows("rule show", "from 10.0.0.10"));
	assert_false(ip_shows("-6 rule show", "from 2001:db8::9"));
	assert_false(up(&vip));
}

static void an_address_that_another_machine_has_is_told_and_tried_again(void **state)
{
	struct captured_log log;
	struct described vip;
	int r;

	(void)state;
	pair_make();
	describe_ipv6_vip(&vip);
	ip("addr add 2001:db8::9/64 dev far nodad");
	captured_log_start(&log);
	r = interface_up(&vip.description, NULL, NULL);
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_int_equal(r, 0);
	assert_non_null(strstr(log.text, "has address 2001:db8::9"));
	assert_null(strstr(log.text, "has address 2001:db8::5"));
	assert_true(ip_shows("-6 route show", "default via 2001:db8::1 dev eth1"));
	ip("addr del 2001:db8::9/64 dev far");
	assert_true(up(&vip));
	assert_true(ip_shows("-6 addr show dev eth1 -tentative", "2001:db8::9/128"));
	assert_true(ip_shows("-6 route show table 1", "src 2001:db8::9"));
	assert_false(up(&vip));
}

static void down_leaves_nothing_of_ours(void **state)
{
	struct described vip;

	(void)state;
	pair_make();
	describe_ipv4_vip(&vip);
	up(&vip);
	down(&vip);
	assert_false(ip_shows("addr show dev eth1", "inet "));
	assert_false(ip_shows("link show dev eth1", ",UP"));
	assert_false(ip_shows("route show table 1", "10.0.0"));
	assert_false(ip_shows("rule show", "10.0.0.9"));
	down(&vip);
	assert_true(up(&vip));
	assert_false(up(&vip));
}

static void an_interface_that_is_not_there_is_enodev_and_named(void **state)
{
	struct err err = ERR_NONE;
	struct described vip;

	(void)state;
	skip_without_namespaces();
	describe_ipv4_vip(&vip);
	assert_int_equal(interface_up(&vip.description, NULL, &err), -ENODEV);
	assert_non_null(strstr(err.text, "eth1"));
	assert_int_equal(interface_down(&vip.description, &err), -ENODEV);
	assert_non_null(strstr(err.text, "eth1"));
}

/* Whatever else has the processor, the addresses are waited for when the interface vanishes. */
static void detection_prolong(void)
{
	int status;

	free(command_output("sysctl -qw net.ipv6.conf.eth1.dad_transmits=20", &status));
	assert_int_equal(status, 0);
}

static void *link_delete(void *delay_ms)
{
	clock_sleep_ms(*(int *)delay_ms);
	ip("link del eth1");
	return NULL;
}

/* It vanishes while addresses are waited for, and at many moments before. */
static void an_interface_that_vanishes_is_enodev_and_named(void **state)
{
	struct described vip;

	for (int delay_ms = 0; delay_ms < 60; delay_ms += 3) {
		struct err err = ERR_NONE;
		pthread_t thread;
		int r;

		throw_away_network_setup(state);
		pair_make();
		detection_prolong();
		describe_ipv6_vip(&vip);
		describe_address(&vip, "10.0.0.5", 24);
		pthread_create(&thread, NULL, link_delete, &delay_ms);
		r = interface_up(&vip.description, NULL, &err);
		pthread_join(thread, NULL);
		assert_int_equal(r, -ENODEV);
		assert_non_null(strstr(err.text, "eth1"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_throw_away_network(an_ipv4_vip_gets_all_that_is_described),
		in_throw_away_network(an_ipv6_vip_is_usable_and_has_its_routes),
		in_throw_away_network(the_second_time_changes_nothing),
		in_throw_away_network(what_is_half_done_is_completed),
		in_throw_away_network(an_ipv4_vip_is_up_in_time),
		in_throw_away_network(an_ipv6_vip_is_up_soon_after_its_addresses_are_usable),
		in_throw_away_network(the_mtu_is_set_when_it_comes_up_and_when_it_is_another),
		in_throw_away_network(lo_gets_its_address_and_keeps_the_kernels),
		in_throw_away_network(an_address_that_is_no_longer_described_goes),
		in_throw_away_network(an_address_survives_the_one_before_it_on_the_subnet),
		in_throw_away_network(an_address_changes_its_prefix_length),
		in_throw_away_network(what_others_added_is_left_alone),
		in_throw_away_network(without_marks_only_what_is_described_stays),
		in_throw_away_network(keepaliveds_address_is_neither_put_on_nor_taken_off),
		in_throw_away_network(routes_that_are_no_longer_described_go),
		in_throw_away_network(a_gateway_is_replaced_in_one_go),
		in_throw_away_network(of_two_gateways_the_first_wins),
		in_throw_away_network(a_bad_route_is_logged_and_the_others_are_there),
		in_throw_away_network(a_bad_address_fails_and_is_named),
		in_throw_away_network(rules_are_the_vips_alone),
		in_throw_away_network(rules_that_are_no_longer_described_or_doubled_go),
		in_throw_away_network(an_address_that_another_machine_has_is_told_and_tried_again),
		in_throw_away_network(down_leaves_nothing_of_ours),
		in_throw_away_network(an_interface_that_is_not_there_is_enodev_and_named),
		in_throw_away_network(an_interface_that_vanishes_is_enodev_and_named),
	};

	return cmocka_run_group_tests_name("net_interface", tests, NULL, NULL);
}
