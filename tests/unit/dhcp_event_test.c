/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "captured_log.h"
#include "throw_away_network.h"

/* Names and values by turns, NULL at the end. */
static const char *variable(const char *name, const void *context)
{
	for (const char *const *at = context; *at; at += 2)
		if (text_equal(at[0], name))
			return at[1];
	return NULL;
}

static int apply(const char *const *variables, struct err *err)
{
	return dhcp_event_apply(variable, variables, err);
}

#define LEASE(reason_, address, more...)                                                           \
	(const char *const[])                                                                      \
	{                                                                                          \
		"reason", reason_, "interface", "eth1", "new_ip_address", address,                 \
			"new_subnet_mask", "255.255.255.0", "new_dhcp_lease_time", "600", ##more,  \
			NULL                                                                       \
	}

static void pair_make(void)
{
	skip_without_namespaces();
	ip("link add eth1 type veth peer name far");
	ip("link set far up");
	ip("link set eth1 up");
}

static void a_lease_gives_an_address_for_its_time_and_a_default_route(void **state)
{
	static const char *const reasons[] = {"BOUND", "RENEW", "REBIND", "REBOOT"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		throw_away_network_setup(state);
		pair_make();
		assert_int_equal(
			apply(LEASE(reasons[i], "10.0.0.50", "new_routers", "10.0.0.1 10.0.0.2"),
				NULL),
			0);
		assert_true(ip_shows("addr show dev eth1", "inet 10.0.0.50/24"));
		assert_true(ip_shows("addr show dev eth1", "valid_lft 600sec"));
		assert_true(ip_shows("route show", "default via 10.0.0.1 dev eth1 proto dhcp"));
	}
}

static void a_renewal_renews(void **state)
{
	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50", "new_routers", "10.0.0.1"), NULL), 0);
	ip("addr change 10.0.0.50/24 dev eth1 valid_lft 5 preferred_lft 5");
	assert_int_equal(
		apply(LEASE("RENEW", "10.0.0.50", "new_routers", "10.0.0.1", "old_ip_address",
			      "10.0.0.50", "old_subnet_mask", "255.255.255.0"),
			NULL),
		0);
	assert_true(ip_shows("addr show dev eth1", "valid_lft 600sec"));
	assert_true(ip_shows("route show", "default via 10.0.0.1"));
}

static void another_lease_takes_the_place_of_the_one_before(void **state)
{
	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50", "new_routers", "10.0.0.1"), NULL), 0);
	assert_int_equal(
		apply(LEASE("REBIND", "10.0.0.60", "new_routers", "10.0.0.2", "old_ip_address",
			      "10.0.0.50", "old_subnet_mask", "255.255.255.0"),
			NULL),
		0);
	assert_false(ip_shows("addr show dev eth1", "10.0.0.50"));
	assert_true(ip_shows("addr show dev eth1", "10.0.0.60/24"));
	assert_true(ip_shows("route show", "default via 10.0.0.2"));
	assert_false(ip_shows("route show", "10.0.0.1 "));
}

static void the_end_of_a_lease_takes_it_all_away(void **state)
{
	static const char *const reasons[] = {"EXPIRE", "FAIL", "RELEASE", "STOP"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const char *const end[] = {"reason", reasons[i], "interface", "eth1",
			"old_ip_address", "10.0.0.50", "old_subnet_mask", "255.255.255.0", NULL};

		throw_away_network_setup(state);
		pair_make();
		ip("addr add 10.7.0.1/24 dev eth1");
		ip("route add 10.70.0.0/16 dev eth1 proto static");
		assert_int_equal(
			apply(LEASE("BOUND", "10.0.0.50", "new_routers", "10.0.0.1"), NULL), 0);
		assert_int_equal(apply(end, NULL), 0);
		assert_false(ip_shows("addr show dev eth1", "10.0.0.50"));
		assert_false(ip_shows("route show", "default"));
		assert_true(ip_shows("addr show dev eth1", "10.7.0.1"));
		assert_true(ip_shows("route show", "10.70.0.0/16"));
		/* Once more, as when the kernel was first. */
		assert_int_equal(apply(end, NULL), 0);
	}
}

static void classless_routes_take_the_place_of_routers(void **state)
{
	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50", "new_routers", "10.0.0.7",
				       "new_rfc3442_classless_static_routes",
				       "16 10 9 10 0 0 9 24 10 8 1 0 0 0 0 0 10 0 0 1"),
				 NULL),
		0);
	assert_true(ip_shows("route show", "10.9.0.0/16 via 10.0.0.9 dev eth1"));
	assert_true(ip_shows("route show", "10.8.1.0/24 dev eth1 proto dhcp scope link"));
	assert_true(ip_shows("route show", "default via 10.0.0.1 dev eth1"));
	assert_false(ip_shows("route show", "10.0.0.7"));
}

static void a_route_that_is_there_already_stays(void **state)
{
	(void)state;
	pair_make();
	ip("route add default dev far proto static");
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50", "new_routers", "10.0.0.1"), NULL), 0);
	assert_true(ip_shows("route show", "default dev far proto static"));
	assert_false(ip_shows("route show", "10.0.0.1 "));
}

static void a_route_that_the_kernel_refuses_does_not_fail_the_lease(void **state)
{
	struct captured_log log;
	int r;

	(void)state;
	pair_make();
	captured_log_start(&log);
	/* Its gateway is ourselves. */
	r = apply(LEASE("BOUND", "10.0.0.50", "new_rfc3442_classless_static_routes",
			  "16 10 9 10 0 0 50 0 10 0 0 1"),
		NULL);
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_int_equal(r, 0);
	assert_non_null(strstr(log.text, "DHCP on eth1: adding route to 10.9.0.0/16"));
	assert_true(ip_shows("route show", "default via 10.0.0.1"));
}

static void the_mtu_is_taken_where_it_is_smaller(void **state)
{
	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50", "new_interface_mtu", "1400"), NULL), 0);
	assert_true(ip_shows("link show dev eth1", "mtu 1400"));
	assert_int_equal(apply(LEASE("RENEW", "10.0.0.50", "new_interface_mtu", "9000"), NULL), 0);
	assert_true(ip_shows("link show dev eth1", "mtu 1400"));
	assert_int_equal(apply(LEASE("RENEW", "10.0.0.50", "new_interface_mtu", "68"), NULL), 0);
	assert_true(ip_shows("link show dev eth1", "mtu 1400"));
}

static void values_that_are_wrong_change_nothing_and_are_named(void **state)
{
	static const struct {
		const char *name;
		const char *value;
	} wrong[] = {
		{"new_ip_address", "10.0.0.300"},
		{"new_ip_address", "2001:db8::5"},
		{"new_ip_address", ""},
		{"new_subnet_mask", "255.0.255.0"},
		{"new_subnet_mask", "24"},
		{"new_subnet_mask", NULL},
		{"new_dhcp_lease_time", "0"},
		{"new_dhcp_lease_time", "4294967296"},
		{"new_dhcp_lease_time", "ten"},
		{"new_routers", "router"},
		{"new_routers", "2001:db8::1"},
		{"new_rfc3442_classless_static_routes", "24 10"},
		{"old_ip_address", "x"},
	};

	(void)state;
	pair_make();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		/* The first of a name counts. */
		const char *const variables[] = {wrong[i].name,
			wrong[i].value ? wrong[i].value : "", "reason", "BOUND", "interface",
			"eth1", "new_ip_address", "10.0.0.50", "new_subnet_mask", "255.255.255.0",
			"new_dhcp_lease_time", "600", NULL};
		struct err err = ERR_NONE;

		assert_int_equal(apply(variables, &err), -EINVAL);
		assert_non_null(strstr(err.text, "DHCP on eth1: "));
		assert_non_null(strstr(err.text, wrong[i].name));
		assert_false(ip_shows("addr show dev eth1", "inet "));
	}
}

static void a_lease_that_no_server_confirms_is_not_used(void **state)
{
	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("TIMEOUT", "10.0.0.50"), NULL), -ETIMEDOUT);
	assert_false(ip_shows("addr show dev eth1", "inet "));
}

static void other_reasons_change_nothing(void **state)
{
	static const char *const none[] = {NULL};

	(void)state;
	pair_make();
	assert_int_equal(apply(LEASE("PREINIT", "10.0.0.50"), NULL), 0);
	assert_int_equal(apply(LEASE("A reason to come", "10.0.0.50"), NULL), 0);
	assert_int_equal(apply(none, NULL), 0);
	assert_false(ip_shows("addr show dev eth1", "inet "));
}

static void an_interface_that_is_gone_is_enodev_and_named(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	skip_without_namespaces();
	assert_int_equal(apply(LEASE("BOUND", "10.0.0.50"), &err), -ENODEV);
	assert_non_null(strstr(err.text, "eth1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_throw_away_network(a_lease_gives_an_address_for_its_time_and_a_default_route),
		in_throw_away_network(a_renewal_renews),
		in_throw_away_network(another_lease_takes_the_place_of_the_one_before),
		in_throw_away_network(the_end_of_a_lease_takes_it_all_away),
		in_throw_away_network(classless_routes_take_the_place_of_routers),
		in_throw_away_network(a_route_that_is_there_already_stays),
		in_throw_away_network(a_route_that_the_kernel_refuses_does_not_fail_the_lease),
		in_throw_away_network(the_mtu_is_taken_where_it_is_smaller),
		in_throw_away_network(values_that_are_wrong_change_nothing_and_are_named),
		in_throw_away_network(a_lease_that_no_server_confirms_is_not_used),
		in_throw_away_network(other_reasons_change_nothing),
		in_throw_away_network(an_interface_that_is_gone_is_enodev_and_named),
	};

	return cmocka_run_group_tests_name("dhcp_event", tests, NULL, NULL);
}
