/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "throw_away_network.h"

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

static struct netlink *opened(void)
{
	struct netlink *netlink = NULL;

	skip_without_namespaces();
	assert_int_equal(netlink_open(&netlink, NULL), 0);
	return netlink;
}

/* A pair eth1 - far, both up. */
static int pair_made(struct netlink *netlink)
{
	struct netlink_link link;

	ip("link add eth1 address fa:16:3e:00:00:01 type veth peer name far");
	ip("link set far up");
	ip("link set eth1 up");
	assert_int_equal(netlink_find_name(netlink, "eth1", &link, NULL), 0);
	return link.index;
}

static void links_are_listed_with_what_they_are(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_link *links = NULL;
	struct mac mac;
	size_t count;

	(void)state;
	ip("link add eth1 address fa:16:3e:00:00:01 mtu 1450 type veth peer name far");
	ip("link set far up");
	mac_parse("fa:16:3e:00:00:01", &mac);
	assert_int_equal(netlink_links(netlink, &links, &count, NULL), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		bool is_eth1 = strcmp(links[i].name, "eth1") == 0;

		assert_true(links[i].index > 0);
		assert_int_equal(mac_equal(&links[i].mac, &mac), is_eth1);
		assert_int_equal(links[i].mtu_bytes == 1450, is_eth1);
		assert_int_equal(links[i].is_up, strcmp(links[i].name, "far") == 0);
	}
}

static void a_link_is_found_by_name_and_by_mac(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct netlink_link by_name;
	struct netlink_link by_mac;
	struct mac mac;

	(void)state;
	pair_made(netlink);
	mac_parse("fa:16:3e:00:00:01", &mac);
	assert_int_equal(netlink_find_name(netlink, "eth1", &by_name, NULL), 0);
	assert_int_equal(netlink_find_mac(netlink, &mac, &by_mac, NULL), 0);
	assert_string_equal(by_mac.name, "eth1");
	assert_int_equal(by_name.index, by_mac.index);
}

static void a_link_that_is_not_there_is_enodev_and_named(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct netlink_link link = {.index = -7};
	struct err err = ERR_NONE;
	struct mac mac;

	(void)state;
	assert_int_equal(netlink_find_name(netlink, "eth1", &link, &err), -ENODEV);
	assert_string_equal(err.text, "there is no network interface eth1");
	mac_parse("fa:16:3e:00:00:09", &mac);
	assert_int_equal(netlink_find_mac(netlink, &mac, &link, &err), -ENODEV);
	assert_non_null(strstr(err.text, "fa:16:3e:00:00:09"));
	assert_int_equal(
		netlink_find_name(netlink, "a-name-longer-than-any", &link, &err), -ENODEV);
	assert_int_equal(netlink_find_name(netlink, "", &link, &err), -ENODEV);
	assert_int_equal(link.index, -7);
}

static void an_altname_is_no_name(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct netlink_link link;

	(void)state;
	pair_made(netlink);
	ip("link property add dev eth1 altname enp0s7");
	assert_int_equal(netlink_find_name(netlink, "enp0s7", &link, NULL), -ENODEV);
}

static void a_link_goes_up_with_an_mtu_and_down(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct netlink_link link;

	(void)state;
	ip("link add eth1 type veth peer name far");
	netlink_find_name(netlink, "eth1", &link, NULL);
	assert_int_equal(netlink_link_up(netlink, link.index, 1400, NULL), 0);
	netlink_find_name(netlink, "eth1", &link, NULL);
	assert_true(link.is_up);
	assert_int_equal(link.mtu_bytes, 1400);
	assert_int_equal(netlink_link_down(netlink, link.index, NULL), 0);
	assert_int_equal(netlink_link_up(netlink, link.index, 0, NULL), 0);
	netlink_find_name(netlink, "eth1", &link, NULL);
	assert_true(link.is_up);
	assert_int_equal(link.mtu_bytes, 1400);
	assert_int_equal(netlink_link_down(netlink, link.index, NULL), 0);
	netlink_find_name(netlink, "eth1", &link, NULL);
	assert_false(link.is_up);
}

static void the_kernels_own_words_are_part_of_the_error(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct err err = ERR_NONE;
	struct netlink_link link;

	(void)state;
	ip("link add eth1 type veth peer name far");
	netlink_find_name(netlink, "eth1", &link, NULL);
	assert_int_equal(netlink_link_up(netlink, link.index, 5, &err), -EINVAL);
	assert_non_null(strstr(err.text, "MTU of 5: Invalid argument (mtu less than"));
	/* They do not stick to the next error. */
	assert_int_equal(netlink_link_up(netlink, 4711, 0, &err), -ENODEV);
	assert_null(strstr(err.text, "mtu"));
}

static void a_link_that_is_gone_is_enodev_for_every_change(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	const struct netlink_route route = {
		.destination = cidr_of("10.9.0.0/16"), .is_link_scope = true, .table = 254};
	struct address address = address_of("10.0.0.5");
	cleanup_free struct netlink_address *addresses = NULL;
	int index = pair_made(netlink);
	size_t count;

	(void)state;
	ip("link del eth1");
	assert_int_equal(netlink_link_up(netlink, index, 0, NULL), -ENODEV);
	assert_int_equal(netlink_link_down(netlink, index, NULL), -ENODEV);
	assert_int_equal(netlink_address_add(netlink, index, &address, 24, NULL), -ENODEV);
	assert_int_equal(netlink_address_remove(netlink, index, &address, 24, NULL), -ENODEV);
	assert_int_equal(netlink_route_add(netlink, index, &route, NULL), -ENODEV);
	assert_int_equal(netlink_addresses(netlink, index, &addresses, &count, NULL), -ENODEV);
}

/* Another namespace, made by a thread that is in it while it lives. */
struct elsewhere {
	pthread_barrier_t meeting;
	int namespace_fd;
	struct netlink *netlink; /* a connection of there */
};

static void *elsewhere_run(void *context)
{
	struct elsewhere *elsewhere = context;

	if (unshare(CLONE_NEWNET) < 0 || netlink_open(&elsewhere->netlink, NULL) < 0)
		abort();
	elsewhere->namespace_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	pthread_barrier_wait(&elsewhere->meeting);
	return NULL;
}

static void elsewhere_make(struct elsewhere *elsewhere)
{
	pthread_t thread;

	pthread_barrier_init(&elsewhere->meeting, NULL, 2);
	pthread_create(&thread, NULL, elsewhere_run, elsewhere);
	pthread_barrier_wait(&elsewhere->meeting);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&elsewhere->meeting);
}

static void elsewhere_deinit(struct elsewhere *elsewhere)
{
	netlink_close(elsewhere->netlink);
	close(elsewhere->namespace_fd);
}

static void a_link_moves_and_gets_its_name_in_one_step(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	CLEANUP(elsewhere_deinit) struct elsewhere elsewhere = {0};
	struct netlink_link link;

	(void)state;
	elsewhere_make(&elsewhere);
	ip("link add ens7 address fa:16:3e:00:00:01 type veth peer name far");
	netlink_find_name(netlink, "ens7", &link, NULL);
	assert_int_equal(
		netlink_link_move(netlink, link.index, elsewhere.namespace_fd, "eth1", NULL), 0);
	assert_int_equal(netlink_find_name(netlink, "ens7", &link, NULL), -ENODEV);
	assert_int_equal(netlink_find_name(elsewhere.netlink, "eth1", &link, NULL), 0);
	assert_int_equal(link.mac.bytes[5], 1);
}

/* As at a plug of a second interface that is called eth1 outside. */
static void a_link_moves_although_its_present_name_is_taken_there(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	CLEANUP(elsewhere_deinit) struct elsewhere elsewhere = {0};
	struct netlink_link link;

	(void)state;
	elsewhere_make(&elsewhere);
	for (int i = 1; i <= 2; i++) {
		cleanup_free char *name = xformat("eth%d", i);

		ip("link add eth1 type veth peer name far%d", i);
		netlink_find_name(netlink, "eth1", &link, NULL);
		assert_int_equal(
			netlink_link_move(netlink, link.index, elsewhere.namespace_fd, name, NULL),
			0);
		assert_int_equal(netlink_find_name(elsewhere.netlink, name, &link, NULL), 0);
	}
}

/* LP #2027995: they may be the very name that it, or the next one, is to get. */
static void a_link_that_moves_leaves_its_altnames_behind(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	CLEANUP(elsewhere_deinit) struct elsewhere elsewhere = {0};
	struct netlink_link link;

	(void)state;
	elsewhere_make(&elsewhere);
	for (int i = 1; i <= 2; i++) {
		cleanup_free char *name = xformat("eth%d", i);

		ip("link add ens4 type veth peer name far%d", i);
		ip("link property add dev ens4 altname eth1 altname eth2 altname enp0s4");
		netlink_find_name(netlink, "ens4", &link, NULL);
		assert_int_equal(
			netlink_link_move(netlink, link.index, elsewhere.namespace_fd, name, NULL),
			0);
		assert_int_equal(netlink_find_name(elsewhere.netlink, name, &link, NULL), 0);
	}
}

static void a_name_that_is_taken_there_is_eexist_and_the_link_moved(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	CLEANUP(elsewhere_deinit) struct elsewhere elsewhere = {0};
	struct netlink_link link;
	int r;

	(void)state;
	elsewhere_make(&elsewhere);
	for (int i = 1; i <= 2; i++) {
		ip("link add ens%d type veth peer name far%d", i, i);
		netlink_find_name(netlink, i == 1 ? "ens1" : "ens2", &link, NULL);
		r = netlink_link_move(netlink, link.index, elsewhere.namespace_fd, "eth1", NULL);
		assert_int_equal(r, i == 1 ? 0 : -EEXIST);
	}
	assert_int_equal(netlink_find_name(elsewhere.netlink, "ens2", &link, NULL), 0);
}

static void addresses_are_listed_with_what_they_are(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_address *addresses = NULL;
	int index = pair_made(netlink);
	struct address ours = address_of("10.0.0.5");
	struct address leased = address_of("10.0.1.5");
	size_t count;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(netlink_address_add(netlink, index, &ours, 24, NULL), 0);
	assert_int_equal(netlink_address_lease(netlink, index, &leased, 16, 600, NULL), 0);
	ip("addr add 2001:db8::5/64 dev eth1 nodad");
	ip("addr add 10.77.0.1/24 dev far");
	assert_int_equal(netlink_addresses(netlink, index, &addresses, &count, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		const struct netlink_address *found = &addresses[i];
		struct address other = address_of("2001:db8::5");

		assert_int_equal(found->index, index);
		if (address_equal(&found->address, &ours)) {
			assert_int_equal(found->prefix_length, 24);
			assert_true(found->is_permanent && !found->is_tentative);
			assert_int_equal(found->protocol, NETLINK_ADDRESS_OURS);
			seen |= 1;
		} else if (address_equal(&found->address, &leased)) {
			assert_int_equal(found->prefix_length, 16);
			assert_false(found->is_permanent);
			assert_int_not_equal(found->protocol, NETLINK_ADDRESS_OURS);
			seen |= 2;
		} else if (address_equal(&found->address, &other)) {
			assert_int_equal(found->prefix_length, 64);
			assert_true(found->is_permanent && !found->is_link_local);
			assert_int_equal(found->protocol, 0);
			seen |= 4;
		} else {
			assert_true(found->is_link_local);
			seen |= 8;
		}
	}
	assert_int_equal(seen, 15);
}

static void index_0_lists_the_addresses_of_all_links(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_address *addresses = NULL;
	int index = pair_made(netlink);
	size_t count;
	bool seen = false;

	(void)state;
	ip("addr add 10.77.0.1/24 dev far");
	assert_int_equal(netlink_addresses(netlink, 0, &addresses, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		seen = seen || addresses[i].index != index;
	assert_true(seen);
}

static void an_address_twice_is_eexist_and_one_that_is_not_there_eaddrnotavail(void **state)
{
	static const char *const texts[] = {"10.0.0.5", "2001:db8::5"};
	cleanup_netlink struct netlink *netlink = opened();
	int index = pair_made(netlink);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct address address = address_of(texts[i]);

		assert_int_equal(netlink_address_add(netlink, index, &address, 24, NULL), 0);
		assert_int_equal(netlink_address_add(netlink, index, &address, 24, NULL), -EEXIST);
		assert_int_equal(netlink_address_remove(netlink, index, &address, 24, NULL), 0);
		assert_int_equal(
			netlink_address_remove(netlink, index, &address, 24, NULL), -EADDRNOTAVAIL);
	}
}

static void a_lease_is_renewed(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct address address = address_of("10.0.0.5");
	int index = pair_made(netlink);

	(void)state;
	assert_int_equal(netlink_address_lease(netlink, index, &address, 24, 100, NULL), 0);
	assert_true(ip_shows("addr show dev eth1", "valid_lft 100sec"));
	assert_int_equal(netlink_address_lease(netlink, index, &address, 24, 9000, NULL), 0);
	assert_true(ip_shows("addr show dev eth1", "valid_lft 9000sec"));
}

static void an_address_tells_its_link(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct address v4 = address_of("10.0.0.5");
	struct address v6 = address_of("2001:db8::5");
	struct address nobodys = address_of("10.0.0.6");
	struct netlink_link link;
	struct err err = ERR_NONE;
	int index = pair_made(netlink);

	(void)state;
	assert_int_equal(netlink_address_add(netlink, index, &v4, 24, NULL), 0);
	assert_int_equal(netlink_address_add(netlink, index, &v6, 64, NULL), 0);
	assert_int_equal(netlink_find_address(netlink, &v4, &link, NULL), 0);
	assert_string_equal(link.name, "eth1");
	assert_int_equal(netlink_find_address(netlink, &v6, &link, NULL), 0);
	assert_string_equal(link.name, "eth1");
	assert_int_equal(netlink_find_address(netlink, &nobodys, &link, &err), -ENODEV);
	assert_string_equal(err.text, "no network interface has address 10.0.0.6");
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

static bool never(const struct netlink_address *addresses, size_t count, const void *context)
{
	(void)addresses;
	(void)count;
	(void)context;
	return false;
}

static void the_end_of_duplicate_detection_is_noticed_at_once(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_address *addresses = NULL;
	struct address address = address_of("2001:db8::5");
	int index = pair_made(netlink);
	size_t count;

	(void)state;
	assert_int_equal(netlink_address_add(netlink, index, &address, 64, NULL), 0);
	assert_int_equal(netlink_addresses(netlink, index, &addresses, &count, NULL), 0);
	assert_false(none_is_tentative(addresses, count, NULL));
	assert_int_equal(
		netlink_await_addresses(netlink, index, none_is_tentative, NULL, 10000, NULL), 0);
}

static void an_address_that_somebody_else_has_is_told(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_address *addresses = NULL;
	struct address address = address_of("2001:db8::5");
	int index = pair_made(netlink);
	bool has_failed = false;
	size_t count;

	(void)state;
	ip("addr add 2001:db8::5/64 dev far nodad");
	assert_int_equal(netlink_address_add(netlink, index, &address, 64, NULL), 0);
	assert_int_equal(
		netlink_await_addresses(netlink, index, none_is_tentative, NULL, 10000, NULL), 0);
	assert_int_equal(netlink_addresses(netlink, index, &addresses, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		has_failed = has_failed || (addresses[i].has_failed &&
						   address_equal(&addresses[i].address, &address));
	assert_true(has_failed);
}

static void waiting_ends_when_its_time_is_over(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	int64_t start_ms = clock_now_ms();
	int index = pair_made(netlink);

	(void)state;
	assert_int_equal(
		netlink_await_addresses(netlink, index, never, NULL, 50, NULL), -ETIMEDOUT);
	assert_true(clock_now_ms() - start_ms >= 50);
}

static void *link_delete_soon(void *context)
{
	clock_sleep_ms(50);
	ip("link del eth1");
	return context;
}

static void waiting_ends_when_the_link_vanishes(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	int index = pair_made(netlink);
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, link_delete_soon, NULL);
	assert_int_equal(
		netlink_await_addresses(netlink, index, never, NULL, 20000, NULL), -ENODEV);
	pthread_join(thread, NULL);
}

static const struct netlink_route *route_to(
	const struct netlink_route *routes, size_t count, const char *destination, unsigned table)
{
	struct cidr wanted = cidr_of(destination);

	for (size_t i = 0; i < count; i++)
		if (cidr_equal(&routes[i].destination, &wanted) && routes[i].table == table &&
			routes[i].protocol != NETLINK_PROTOCOL_KERNEL)
			return &routes[i];
	return NULL;
}

/* A route that is added is listed as it was described, and is gone once removed. */
static void check_round_trip(const char *destination, const char *gateway, const char *source,
	const char *own_address, unsigned table)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_route *routes = NULL;
	cleanup_free struct netlink_route *rest = NULL;
	struct netlink_route route = {
		.destination = cidr_of(destination),
		.has_gateway = gateway,
		.is_onlink = gateway,
		.has_source = source,
		.is_link_scope = !gateway,
		.table = table,
	};
	const struct netlink_route *found;
	int index = pair_made(netlink);
	size_t count;

	if (gateway)
		route.gateway = address_of(gateway);
	if (source)
		route.source = address_of(source);
	ip("addr add %s dev eth1%s", own_address, strchr(own_address, ':') ? " nodad" : "");
	assert_int_equal(netlink_route_add(netlink, index, &route, NULL), 0);
	assert_int_equal(netlink_route_add(netlink, index, &route, NULL), -EEXIST);
	assert_int_equal(netlink_routes(netlink, index, &routes, &count, NULL), 0);
	found = route_to(routes, count, destination, table);
	assert_non_null(found);
	assert_int_equal(found->has_gateway, route.has_gateway);
	assert_true(!gateway || address_equal(&found->gateway, &route.gateway));
	assert_int_equal(found->has_source, route.has_source);
	assert_true(!source || address_equal(&found->source, &route.source));
	assert_int_equal(found->is_onlink, route.is_onlink);
	assert_int_equal(found->protocol, NETLINK_PROTOCOL_STATIC);
	assert_int_equal(netlink_route_remove(netlink, index, found, NULL), 0);
	assert_int_equal(netlink_route_remove(netlink, index, found, NULL), -ESRCH);
	assert_int_equal(netlink_routes(netlink, index, &rest, &count, NULL), 0);
	assert_null(route_to(rest, count, destination, table));
}

static void a_default_route_comes_and_goes(void **state)
{
	(void)state;
	check_round_trip("0.0.0.0/0", "192.0.2.1", NULL, "10.0.0.5/24", NETLINK_TABLE_MAIN);
	throw_away_network_setup(state);
	check_round_trip("0.0.0.0/0", "192.0.2.1", NULL, "10.0.0.5/24", 1);
	throw_away_network_setup(state);
	check_round_trip("::/0", "2001:db8:9::1", NULL, "2001:db8::5/64", NETLINK_TABLE_MAIN);
	throw_away_network_setup(state);
	check_round_trip("::/0", "2001:db8:9::1", NULL, "2001:db8::5/64", 1);
}

static void a_subnet_route_with_a_source_comes_and_goes(void **state)
{
	(void)state;
	check_round_trip("10.0.0.0/24", NULL, "10.0.0.5", "10.0.0.5/32", 1);
	throw_away_network_setup(state);
	check_round_trip("2001:db8::/64", NULL, "2001:db8::5", "2001:db8::5/128", 1);
}

static void tables_beyond_255_are_tables(void **state)
{
	(void)state;
	check_round_trip("10.5.0.0/16", "10.0.0.1", NULL, "10.0.0.5/24", 70000);
}

static void routes_of_other_links_are_not_listed(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_route *routes = NULL;
	int index = pair_made(netlink);
	size_t count;

	(void)state;
	ip("route add 10.5.0.0/16 dev far");
	ip("route add 10.6.0.0/16 dev eth1 proto 16");
	assert_int_equal(netlink_routes(netlink, index, &routes, &count, NULL), 0);
	assert_null(route_to(routes, count, "10.5.0.0/16", NETLINK_TABLE_MAIN));
	assert_non_null(route_to(routes, count, "10.6.0.0/16", NETLINK_TABLE_MAIN));
	assert_int_equal(route_to(routes, count, "10.6.0.0/16", NETLINK_TABLE_MAIN)->protocol, 16);
}

static void a_bad_route_is_einval_with_route_and_reason(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	const struct netlink_route route = {
		.destination = cidr_of("10.5.0.0/16"),
		.has_source = true,
		.source = address_of("10.0.0.99"),
		.is_link_scope = true,
		.table = NETLINK_TABLE_MAIN,
	};
	struct err err = ERR_NONE;
	int index = pair_made(netlink);

	(void)state;
	assert_int_equal(netlink_route_add(netlink, index, &route, &err), -EINVAL);
	assert_string_equal(err.text, "adding route to 10.5.0.0/16 from 10.0.0.99 in table 254: "
				      "Invalid argument (Invalid prefsrc address)");
}

static void a_route_of_mixed_families_is_einval(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	struct netlink_route route = {
		.destination = cidr_of("10.5.0.0/16"),
		.has_gateway = true,
		.gateway = address_of("2001:db8::1"),
		.is_onlink = true,
		.table = NETLINK_TABLE_MAIN,
	};
	int index = pair_made(netlink);

	(void)state;
	assert_int_equal(netlink_route_add(netlink, index, &route, NULL), -EINVAL);
	route.gateway = address_of("10.0.0.1");
	route.has_source = true;
	route.source = address_of("2001:db8::1");
	assert_int_equal(netlink_route_add(netlink, index, &route, NULL), -EINVAL);
}

static void rules_come_and_go(void **state)
{
	static const char *const sources[] = {"10.0.0.5/32", "2001:db8::5/128"};
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_rule *rules = NULL;
	size_t count;

	(void)state;
	/* Has no source, as the kernel's own. */
	ip("rule add to 10.9.0.0/16 table 9");
	for (size_t i = 0; i < 2; i++) {
		const struct netlink_rule rule = {.source = cidr_of(sources[i]),
			.table = 1,
			.protocol = NETLINK_PROTOCOL_STATIC};

		assert_int_equal(netlink_rule_add(netlink, &rule, NULL), 0);
	}
	assert_int_equal(netlink_rules(netlink, &rules, &count, NULL), 0);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < 2; i++) {
		struct cidr source = cidr_of(sources[i]);

		assert_true(cidr_equal(&rules[i].source, &source));
		assert_int_equal(rules[i].table, 1);
		assert_int_equal(rules[i].protocol, NETLINK_PROTOCOL_STATIC);
		assert_true(rules[i].priority > 0 && rules[i].priority < 32766);
		assert_int_equal(netlink_rule_remove(netlink, &rules[i], NULL), 0);
		assert_int_equal(netlink_rule_remove(netlink, &rules[i], NULL), -ENOENT);
	}
}

static void keepalived_and_the_kernel_are_told_from_us_by_protocol(void **state)
{
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_rule *rules = NULL;
	size_t count;

	(void)state;
	ip("rule add from 10.0.0.5 table 7000 protocol 18 priority 77");
	assert_int_equal(netlink_rules(netlink, &rules, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rules[0].protocol, NETLINK_PROTOCOL_KEEPALIVED);
	assert_int_equal(rules[0].table, 7000);
	assert_int_equal(rules[0].priority, 77);
}

/* More than one message holds. */
static void long_lists_are_whole(void **state)
{
	enum { MANY = 3000 };
	cleanup_netlink struct netlink *netlink = opened();
	cleanup_free struct netlink_address *addresses = NULL;
	cleanup_free struct netlink_route *routes = NULL;
	int index = pair_made(netlink);
	struct address address = address_of("10.0.0.0");
	size_t count;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		address.v4.s_addr = htonl(0x0a000000 + i * 256 + 1);
		assert_int_equal(netlink_address_add(netlink, index, &address, 24, NULL), 0);
	}
	assert_int_equal(netlink_addresses(netlink, index, &addresses, &count, NULL), 0);
	assert_true(count >= MANY);
	assert_int_equal(netlink_routes(netlink, index, &routes, &count, NULL), 0);
	assert_true(count >= MANY);
}

static void connections_leave_no_descriptor_open(void **state)
{
	int first = dup(STDIN_FILENO);
	int again;

	(void)state;
	skip_without_namespaces();
	close(first);
	for (int i = 0; i < 10; i++) {
		cleanup_netlink struct netlink *netlink = opened();

		assert_int_equal(
			netlink_await_addresses(netlink, 0, never, NULL, 0, NULL), -ETIMEDOUT);
	}
	again = dup(STDIN_FILENO);
	close(again);
	assert_int_equal(again, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_throw_away_network(links_are_listed_with_what_they_are),
		in_throw_away_network(a_link_is_found_by_name_and_by_mac),
		in_throw_away_network(a_link_that_is_not_there_is_enodev_and_named),
		in_throw_away_network(an_altname_is_no_name),
		in_throw_away_network(a_link_goes_up_with_an_mtu_and_down),
		in_throw_away_network(the_kernels_own_words_are_part_of_the_error),
		in_throw_away_network(a_link_that_is_gone_is_enodev_for_every_change),
		in_throw_away_network(a_link_moves_and_gets_its_name_in_one_step),
		in_throw_away_network(a_link_moves_although_its_present_name_is_taken_there),
		in_throw_away_network(a_link_that_moves_leaves_its_altnames_behind),
		in_throw_away_network(a_name_that_is_taken_there_is_eexist_and_the_link_moved),
		in_throw_away_network(addresses_are_listed_with_what_they_are),
		in_throw_away_network(index_0_lists_the_addresses_of_all_links),
		in_throw_away_network(
			an_address_twice_is_eexist_and_one_that_is_not_there_eaddrnotavail),
		in_throw_away_network(a_lease_is_renewed),
		in_throw_away_network(an_address_tells_its_link),
		in_throw_away_network(the_end_of_duplicate_detection_is_noticed_at_once),
		in_throw_away_network(an_address_that_somebody_else_has_is_told),
		in_throw_away_network(waiting_ends_when_its_time_is_over),
		in_throw_away_network(waiting_ends_when_the_link_vanishes),
		in_throw_away_network(a_default_route_comes_and_goes),
		in_throw_away_network(a_subnet_route_with_a_source_comes_and_goes),
		in_throw_away_network(tables_beyond_255_are_tables),
		in_throw_away_network(routes_of_other_links_are_not_listed),
		in_throw_away_network(a_bad_route_is_einval_with_route_and_reason),
		in_throw_away_network(a_route_of_mixed_families_is_einval),
		in_throw_away_network(rules_come_and_go),
		in_throw_away_network(keepalived_and_the_kernel_are_told_from_us_by_protocol),
		in_throw_away_network(long_lists_are_whole),
		in_throw_away_network(connections_leave_no_descriptor_open),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
