/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define NOT_YET         " is not supported by this version of the agent yet"
#define WITH_POOL(keys) LISTENER_MODEL(", 'default_pool': {" keys "}")

static void a_pool_may_be_empty(void **state)
{
	cleanup_model struct model_case model = model_parse(POOL_MODEL(""));
	const struct pool *pool = model.load_balancer->pools.items[0];

	(void)state;
	assert_int_equal(pool->protocol, POOL_HTTP);
	assert_int_equal(pool->lb_algorithm, LB_ROUND_ROBIN);
	assert_int_equal(pool->member_count, 0);
	assert_null(pool->health_monitor);
	assert_true(pool->admin_state_up);
	assert_string_equal(pool->name, "");
}

static void members_keep_their_order(void **state)
{
	cleanup_model struct model_case model =
		model_parse(MEMBERS_MODEL("{'address': '10.0.0.5', 'protocol_port': 1},"
					  "{'address': '10.0.0.4', 'protocol_port': 2}"));
	const struct pool *pool = model.load_balancer->pools.items[0];

	(void)state;
	assert_int_equal(pool->member_count, 2);
	assert_int_equal(pool->members[0].protocol_port, 1);
	assert_int_equal(pool->members[1].protocol_port, 2);
}

static void protocol_and_algorithm_are_required(void **state)
{
	(void)state;
	assert_faults(WITH_POOL("'members': []"),
		POOL_POINTER "/protocol: is required\n" POOL_POINTER "/lb_algorithm: is required");
}

static void what_is_not_built_yet_is_said_and_not_dropped(void **state)
{
	(void)state;
	assert_faults(WITH_POOL("'protocol': 'PROXYV2', 'lb_algorithm': 'LEAST_CONNECTIONS'"),
		POOL_POINTER "/protocol: PROXYV2" NOT_YET "\n" POOL_POINTER
			     "/lb_algorithm: LEAST_CONNECTIONS" NOT_YET);
	assert_faults(
		POOL_MODEL(", 'session_persistence': {'type': 'SOURCE_IP'}, 'tls_enabled': true"),
		POOL_POINTER "/session_persistence:" NOT_YET "\n" POOL_POINTER
			     "/tls_enabled:" NOT_YET);
	assert_faults(POOL_MODEL(", 'session_persistence': null, 'tls_enabled': false, "
				 "'tls_versions': [], 'tls_container_ref': null"),
		"");
}

static void an_algorithm_that_amphorae_refuse_is_a_fault(void **state)
{
	(void)state;
	assert_faults(WITH_POOL("'protocol': 'HTTP', 'lb_algorithm': 'SOURCE_IP_PORT'"),
		POOL_POINTER "/lb_algorithm: must be one of ROUND_ROBIN");
}

static void secrets_in_barbican_are_named_by_our_key(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'ca_tls_container_ref': 'https://barbican/x'"), POOL_POINTER
		"/ca_tls_container_ref: names a secret in Barbican, which an agent cannot "
		"read: upload the PEM and name it in 'ca_certificate'");
}

static void members_that_are_no_list_of_objects_are_faults(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'members': {}"), POOL_POINTER "/members: must be a list");
	assert_faults(MEMBERS_MODEL("null, 'x'"), POOL_POINTER
		"/members/0: must be an object\n" POOL_POINTER "/members/1: must be an object");
	assert_faults(POOL_MODEL(", 'healthmonitor': []"),
		POOL_POINTER "/healthmonitor: must be an object");
}

static void a_listed_pool_needs_something_to_refer_to(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'pools': [{'protocol': 'TCP', 'lb_algorithm': "
		      "'ROUND_ROBIN'}]}",
		"/pools/0: needs a name or an id, by which listeners refer to it");
}

static void a_fault_in_the_pool_does_not_hide_those_of_its_members(void **state)
{
	(void)state;
	assert_faults(
		WITH_POOL("'id': '?', 'protocol': 'X', 'lb_algorithm': 'ROUND_ROBIN', 'members': "
			  "[{'address': '10.0.0.4', 'protocol_port': 1, 'weight': 1000}]"),
		POOL_POINTER
		"/id: id is not valid: 1 to 64 letters, digits, '_' and '-', not starting with "
		"'-'\n" POOL_POINTER "/protocol: must be one of HTTP, TCP\n" POOL_POINTER
		"/members/0/weight: must be at most 256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_may_be_empty),
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(protocol_and_algorithm_are_required),
		cmocka_unit_test(what_is_not_built_yet_is_said_and_not_dropped),
		cmocka_unit_test(an_algorithm_that_amphorae_refuse_is_a_fault),
		cmocka_unit_test(secrets_in_barbican_are_named_by_our_key),
		cmocka_unit_test(members_that_are_no_list_of_objects_are_faults),
		cmocka_unit_test(a_listed_pool_needs_something_to_refer_to),
		cmocka_unit_test(a_fault_in_the_pool_does_not_hide_those_of_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
