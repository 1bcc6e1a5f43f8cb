/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT "/listeners/0/"

static void a_listener_has_octavias_defaults(void **state)
{
	cleanup_model struct model_case model = model_parse(LISTENER_MODEL(""));
	const struct listener *listener = &model.load_balancer->listeners[0];

	(void)state;
	assert_int_equal(listener->protocol, LISTENER_HTTP);
	assert_int_equal(listener->protocol_port, 80);
	assert_true(listener->admin_state_up);
	assert_int_equal(listener->connection_limit, 0);
	assert_int_equal(listener->timeout_client_data_ms, 50000);
	assert_int_equal(listener->timeout_member_connect_ms, 5000);
	assert_int_equal(listener->timeout_member_data_ms, 50000);
	assert_int_equal(listener->timeout_tcp_inspect_ms, 0);
	assert_null(listener->default_pool);
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		LISTENER_MODEL(", 'name': 'web', 'admin_state_up': false, 'connection_limit': 7, "
			       "'timeout_client_data': 1, 'timeout_member_connect': '2s', "
			       "'timeout_member_data': 3, "
			       "'timeout_tcp_inspect': 4"));
	const struct listener *listener = &model.load_balancer->listeners[0];

	(void)state;
	assert_string_equal(listener->name, "web");
	assert_false(listener->admin_state_up);
	assert_int_equal(listener->connection_limit, 7);
	assert_int_equal(listener->timeout_client_data_ms, 1);
	assert_int_equal(listener->timeout_member_connect_ms, 2000);
	assert_int_equal(listener->timeout_member_data_ms, 3);
	assert_int_equal(listener->timeout_tcp_inspect_ms, 4);
}

static void zero_and_minus_one_are_the_default(void **state)
{
	cleanup_model struct model_case model =
		model_parse(LISTENER_MODEL(", 'connection_limit': 0, 'timeout_client_data': 0"));
	cleanup_model struct model_case unlimited =
		model_parse(LISTENER_MODEL(", 'connection_limit': -1"));

	(void)state;
	assert_int_equal(model.load_balancer->listeners[0].connection_limit, 0);
	assert_int_equal(model.load_balancer->listeners[0].timeout_client_data_ms, 50000);
	assert_int_equal(unlimited.load_balancer->listeners[0].connection_limit, 0);
}

static void protocol_and_port_are_required(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'listeners': [{}]}",
		AT "protocol: is required\n" AT "protocol_port: is required");
}

static void ranges_are_octavias(void **state)
{
	(void)state;
	assert_faults(LISTENER_MODEL(", 'connection_limit': -2"),
		AT "connection_limit: must be at least -1");
	assert_faults(LISTENER_MODEL(", 'timeout_client_data': 2073600000"), "");
	assert_faults(LISTENER_MODEL(", 'timeout_client_data': 2073600001"),
		AT "timeout_client_data: must be at most 2073600000");
	assert_faults(LISTENER_MODEL(", 'timeout_member_data': -1"),
		AT "timeout_member_data: must be at least 0");
}

static void a_port_has_one_listener_of_each_transport(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'listeners': ["
		      "{'protocol': 'TCP', 'protocol_port': 80},"
		      "{'protocol': 'HTTP', 'protocol_port': 80},"
		      "{'protocol': 'PROMETHEUS', 'protocol_port': 80},"
		      "{'protocol': 'UDP', 'protocol_port': 80},"
		      "{'protocol': 'SCTP', 'protocol_port': 80},"
		      "{'protocol': 'UDP', 'protocol_port': 80},"
		      "{'protocol': 'SCTP', 'protocol_port': 80},"
		      "{'protocol': 'HTTPS', 'protocol_port': 81}]}",
		"/listeners/1/protocol_port: another listener has TCP port 80 already\n"
		"/listeners/2/protocol_port: another listener has TCP port 80 already\n"
		"/listeners/5/protocol_port: another listener has UDP port 80 already\n"
		"/listeners/6/protocol_port: another listener has SCTP port 80 already");
}

/* Octavia's VALID_LISTENER_POOL_PROTOCOL_MAP. */
static void listeners_take_the_pools_that_octavias_take(void **state)
{
	static const char *const listeners[] = {
		"TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS", "UDP", "SCTP"};
	static const char *const pools[] = {
		"HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP", "UDP", "SCTP"};
	static const char *const fits[] = {
		"1111100", "1011000", "0111100", "1011000", "0000010", "0000001"};

	(void)state;
	for (size_t l = 0; l < sizeof(listeners) / sizeof(listeners[0]); l++)
		for (size_t p = 0; p < sizeof(pools) / sizeof(pools[0]); p++) {
			cleanup_free char *text = xformat(
				"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': '%s', "
				"'protocol_port': 1, %s'default_pool': {'protocol': '%s', "
				"'lb_algorithm': 'ROUND_ROBIN'}}]}",
				listeners[l], l == 3 ? "'certificate': 'web.pem', " : "", pools[p]);
			cleanup_free char *expected =
				xformat(AT "default_pool/protocol: %s pools cannot serve %s "
					   "listeners",
					pools[p], listeners[l]);

			assert_faults(text, fits[l][p] == '1' ? "" : expected);
		}
}

static void a_prometheus_listener_takes_no_pool(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'PROMETHEUS', "
		      "'protocol_port': 1, 'default_pool': {'protocol': 'HTTP', 'lb_algorithm': "
		      "'ROUND_ROBIN'}}, {'protocol': 'PROMETHEUS', 'protocol_port': 2, "
		      "'default_pool_id': 'x'}]}",
		"/listeners/0/default_pool: must not be there: a PROMETHEUS listener serves the "
		"amphora's own metrics\n"
		"/listeners/1/default_pool_id: must not be there: a PROMETHEUS listener serves the "
		"amphora's own metrics");
}

static void a_protocol_that_is_at_fault_brings_no_other_faults(void **state)
{
	(void)state;
	assert_faults(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TERMINATED_HTTP', "
		"'protocol_port': 1, 'certificate': 'web.pem', 'insert_headers': {'X-SSL-Issuer': "
		"'true'}, 'default_pool': {'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'}, "
		"'l7policies': [{'action': 'REJECT'}]}, {'protocol': 'SCPT', 'protocol_port': 1, "
		"'default_pool': {'protocol': 'SCTP', 'lb_algorithm': 'ROUND_ROBIN'}}]}",
		AT "protocol: must be one of HTTP, HTTPS, TCP, TERMINATED_HTTPS, PROMETHEUS, UDP, "
		   "SCTP\n"
		   "/listeners/1/protocol: must be one of HTTP, HTTPS, TCP, TERMINATED_HTTPS, "
		   "PROMETHEUS, UDP, SCTP");
}

static void udp_and_sctp_are_lvss(void **state)
{
	cleanup_model struct model_case model = model_parse(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'UDP', 'protocol_port': 1},"
		"{'protocol': 'SCTP', 'protocol_port': 1},"
		"{'protocol': 'TCP', 'protocol_port': 1},"
		"{'protocol': 'PROMETHEUS', 'protocol_port': 2}]}");

	(void)state;
	assert_non_null(model.load_balancer);
	assert_true(listener_is_lvs(&model.load_balancer->listeners[0]));
	assert_true(listener_is_lvs(&model.load_balancer->listeners[1]));
	assert_false(listener_is_lvs(&model.load_balancer->listeners[2]));
	assert_false(listener_is_lvs(&model.load_balancer->listeners[3]));
}

#define POLICY(name, keys)                                                                         \
	"{'name': '" name "', 'action': 'REDIRECT_TO_POOL', 'redirect_pool': " keys "}"
#define RULES ", 'rules': [{'type': 'PATH', 'compare_type': 'EQUAL_TO', 'value': '/x'}]"
#define POOL  "'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'"

/* Those that Octavia's templates render: a policy that is down or has no rule uses none. */
static void a_listeners_pools_are_those_that_requests_can_reach(void **state)
{
	cleanup_model struct model_case model = model_parse(LISTENER_MODEL(
		", 'default_pool': {'name': 'd', " POOL "}, 'l7policies': ["
		"{'action': 'REJECT'" RULES
		"}," POLICY("1", "{'name': 'b', " POOL "}" RULES ", 'position': 2") "," POLICY("2",
			"{'name': 'a', " POOL "}" RULES
			", 'position': 1") "," POLICY("3", "{'name': 'd'}" RULES) "," POLICY("4",
			"{'name': 'b'}" RULES) "," POLICY("5",
			"{'name': 'x', " POOL "}") "," POLICY("6",
			"{'name': 'y', " POOL "}" RULES ", 'admin_state_up': false") "]"));
	cleanup_free const struct pool **pools = NULL;
	size_t count;

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->pools.count, 5);
	pools = listener_pools(&model.load_balancer->listeners[0], &count);
	assert_int_equal(count, 3);
	assert_string_equal(pools[0]->name, "d");
	assert_string_equal(pools[1]->name, "a");
	assert_string_equal(pools[2]->name, "b");
}

static void a_listener_may_have_no_pool(void **state)
{
	cleanup_model struct model_case model = model_parse(LISTENER_MODEL(""));
	cleanup_free const struct pool **pools = NULL;
	size_t count = 1;

	(void)state;
	pools = listener_pools(&model.load_balancer->listeners[0], &count);
	assert_int_equal(count, 0);
}

static void allowed_cidrs_are_networks(void **state)
{
	cleanup_model struct model_case model = model_parse(
		LISTENER_MODEL(", 'allowed_cidrs': ['10.0.0.0/8', '192.168.1.7/24', '10.1.2.3']"));
	const struct listener *listener = &model.load_balancer->listeners[0];
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_int_equal(listener->allowed_cidr_count, 3);
	cidr_format(&listener->allowed_cidrs[1], text);
	assert_string_equal(text, "192.168.1.0/24");
	cidr_format(&listener->allowed_cidrs[2], text);
	assert_string_equal(text, "10.1.2.3/32");
	assert_faults(LISTENER_MODEL(", 'allowed_cidrs': []"), "");
	assert_faults(LISTENER_MODEL(", 'allowed_cidrs': ['10.0.0.0/33', 'all', 5, ' 10.0.0.0/8']"),
		AT "allowed_cidrs/0: must be an IPv4 or IPv6 network, such as 10.0.0.0/8\n" AT
		   "allowed_cidrs/1: must be an IPv4 or IPv6 network, such as 10.0.0.0/8\n" AT
		   "allowed_cidrs/2: must be a text\n" AT
		   "allowed_cidrs/3: must be an IPv4 or IPv6 network, such as 10.0.0.0/8");
	assert_faults(LISTENER_MODEL(", 'allowed_cidrs': ['10.0.0.1/8', '10.0.0.0/8']"),
		AT "allowed_cidrs/1: 10.0.0.0/8 stands in this list already");
}

static void allowed_cidrs_are_of_a_vips_ip_version(void **state)
{
	(void)state;
	assert_faults(LISTENER_MODEL(", 'allowed_cidrs': ['10.0.0.0/8', '2001:db8::/32']"),
		AT "allowed_cidrs/1: is of another IP version than every VIP");
	assert_faults("{'vip_address': '2001:db8::1', 'listeners': [{'protocol': 'UDP', "
		      "'protocol_port': 1, 'allowed_cidrs': ['10.0.0.0/8', '2001:db8::/32']}]}",
		AT "allowed_cidrs/0: is of another IP version than every VIP");
	assert_faults("{'vip_address': '2001:db8::1', 'additional_vips': [{'ip_address': "
		      "'10.0.0.1'}], 'listeners': [{'protocol': 'TCP', 'protocol_port': 1, "
		      "'allowed_cidrs': ['10.0.0.0/8', '2001:db8::/32']}]}",
		"");
	assert_faults("{'vip_address': 'x', 'listeners': [{'protocol': 'TCP', 'protocol_port': 1, "
		      "'allowed_cidrs': ['10.0.0.0/8', '2001:db8::/32']}]}",
		"/vip_address: must be an IPv4 or IPv6 address");
}

static void one_default_pool_is_enough(void **state)
{
	(void)state;
	assert_faults(
		LISTENER_MODEL(", 'default_pool_id': 'x', 'default_pool': {'protocol': 'HTTP', "
			       "'lb_algorithm': 'ROUND_ROBIN'}"),
		AT "default_pool_id: must not stand beside default_pool");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_has_octavias_defaults),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(zero_and_minus_one_are_the_default),
		cmocka_unit_test(protocol_and_port_are_required),
		cmocka_unit_test(ranges_are_octavias),
		cmocka_unit_test(a_port_has_one_listener_of_each_transport),
		cmocka_unit_test(listeners_take_the_pools_that_octavias_take),
		cmocka_unit_test(a_prometheus_listener_takes_no_pool),
		cmocka_unit_test(a_protocol_that_is_at_fault_brings_no_other_faults),
		cmocka_unit_test(udp_and_sctp_are_lvss),
		cmocka_unit_test(a_listeners_pools_are_those_that_requests_can_reach),
		cmocka_unit_test(a_listener_may_have_no_pool),
		cmocka_unit_test(allowed_cidrs_are_networks),
		cmocka_unit_test(allowed_cidrs_are_of_a_vips_ip_version),
		cmocka_unit_test(one_default_pool_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
