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

static void a_tcp_listener_takes_http_pools_but_not_the_reverse(void **state)
{
	(void)state;
	assert_faults(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TCP', 'protocol_port': 1, "
		"'default_pool': {'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'}}]}",
		"");
	assert_faults(LISTENER_MODEL(", 'default_pool': {'protocol': 'TCP', 'lb_algorithm': "
				     "'ROUND_ROBIN'}"),
		AT "default_pool/protocol: TCP pools cannot serve HTTP listeners");
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
		cmocka_unit_test(a_tcp_listener_takes_http_pools_but_not_the_reverse),
		cmocka_unit_test(one_default_pool_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
