/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define HTTP_POOL "'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'"
#define TCP_POOL  "'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN'"
#define TO_POOL                                                                                    \
	"'action': 'REDIRECT_TO_POOL', 'rules': [{'type': 'PATH', 'compare_type': 'EQUAL_TO', "    \
	"'value': '/x'}]"
#define MODEL(pools, listener)                                                                     \
	"{'vip_address': '10.0.0.1', 'pools': [" pools                                             \
	"], 'listeners': [{'protocol': 'HTTP', 'protocol_port': 80, " listener "}]}"

#define TWO_LISTENERS(first, second)                                                               \
	"'listeners': [{'protocol': 'TCP', 'protocol_port': 1, " first "},"                        \
	"{'protocol': 'TCP', 'protocol_port': 2, " second "}]"

static const struct pool *redirect_pool_of(const struct model_case *model, size_t l7policy)
{
	assert_non_null(model->load_balancer);
	return model->load_balancer->listeners[0].l7policies[l7policy].redirect_pool;
}

static void listeners_share_a_pool_by_id_or_name(void **state)
{
	cleanup_model struct model_case model = model_parse(
		"{'vip_address': '10.0.0.1', 'pools': [{'id': 'p', 'name': 'web', " TCP_POOL "}], "
		"'listeners': ["
		"{'protocol': 'TCP', 'protocol_port': 1, 'default_pool_id': 'p'},"
		"{'protocol': 'TCP', 'protocol_port': 2, 'default_pool_id': 'web'},"
		"{'protocol': 'TCP', 'protocol_port': 3, 'default_pool': {'name': 'web'}},"
		"{'protocol': 'TCP', 'protocol_port': 4, 'default_pool': {'id': 'p'}},"
		"{'protocol': 'TCP', 'protocol_port': 5, 'default_pool_id': null}]}");

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->pools.count, 1);
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(model.load_balancer->listeners[i].default_pool,
			model.load_balancer->pools.items[0]);
	assert_null(model.load_balancer->listeners[4].default_pool);
}

static void a_listeners_own_pool_may_be_shared_by_name_from_before(void **state)
{
	cleanup_model struct model_case model = model_parse(
		"{'vip_address': '10.0.0.1', " TWO_LISTENERS("'default_pool': {'name': 'web'}",
			"'default_pool': {'name': 'web', " TCP_POOL "}") "}");

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->pools.count, 1);
	assert_ptr_equal(model.load_balancer->listeners[0].default_pool,
		model.load_balancer->listeners[1].default_pool);
}

static void a_reference_to_no_pool_is_a_fault(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', " TWO_LISTENERS(
			      "'default_pool_id': 'p'", "'default_pool': {'name': 'q'}") "}",
		"/listeners/0/default_pool_id: there is no pool 'p'\n"
		"/listeners/1/default_pool: there is no pool 'q'");
}

static void a_reference_to_two_pools_is_a_fault(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'pools': [{'id': 'p', 'name': 'n', " TCP_POOL
		      "}, {'id': "
		      "'q', 'name': 'n', " TCP_POOL
		      "}], " TWO_LISTENERS("'default_pool_id': 'n'", "'default_pool_id': 'q'") "}",
		"/listeners/0/default_pool_id: several pools are called 'n': refer to one by its "
		"id");
}

static void a_pool_that_is_referred_to_must_fit_too(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'pools': [{'id': 'p', " TCP_POOL
		      "}], 'listeners': "
		      "[{'protocol': 'HTTP', 'protocol_port': 1, 'default_pool_id': 'p'}]}",
		"/listeners/0/default_pool_id: TCP pools cannot serve HTTP listeners");
}

static void policies_refer_to_pools_as_listeners_do(void **state)
{
	cleanup_model struct model_case model =
		model_parse(MODEL("{'id': 'p', 'name': 'web', " HTTP_POOL "}",
			"'default_pool_id': 'p', 'l7policies': [{" TO_POOL
			", 'redirect_pool_id': 'p', 'id': '1'},{" TO_POOL
			", 'redirect_pool_id': 'web', 'id': '2'},{" TO_POOL
			", 'redirect_pool': {'name': 'web'}, 'id': '3'},{" TO_POOL
			", 'redirect_pool': {'id': 'p'}, 'id': '4'}]"));

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->pools.count, 1);
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(redirect_pool_of(&model, i), model.load_balancer->pools.items[0]);
}

static void references_follow_their_policies_into_order(void **state)
{
	cleanup_model struct model_case model = model_parse(MODEL("{'id': 'a', " HTTP_POOL
								  "}, {'id': 'b', " HTTP_POOL "}",
		"'l7policies': [{" TO_POOL ", 'position': 3, 'redirect_pool_id': 'a'},{" TO_POOL
		", 'position': 1, 'redirect_pool_id': 'b'},{" TO_POOL
		", 'position': 2, 'redirect_pool': {'name': 'own', " HTTP_POOL "}}]"));

	(void)state;
	assert_string_equal(redirect_pool_of(&model, 0)->id.text, "b");
	assert_string_equal(redirect_pool_of(&model, 1)->name, "own");
	assert_string_equal(redirect_pool_of(&model, 2)->id.text, "a");
}

/* Computed with Python's uuid.uuid5(). */
static void a_pool_inside_a_policy_is_named_after_it(void **state)
{
	cleanup_model struct model_case model = model_parse(MODEL("",
		"'l7policies': [{" TO_POOL ", 'name': 'x', 'redirect_pool': {" HTTP_POOL "}}]"));

	(void)state;
	assert_int_equal(model.load_balancer->pools.count, 1);
	assert_string_equal(
		redirect_pool_of(&model, 0)->id.text, "5f33eeab-6909-503a-9a94-671046f8d7e2");
}

static void a_pool_inside_a_policy_may_be_referred_to(void **state)
{
	cleanup_model struct model_case model =
		model_parse(MODEL("", "'default_pool': {'name': 'own'}, 'l7policies': [{" TO_POOL
				      ", 'redirect_pool': {'name': 'own', " HTTP_POOL "}}]"));

	(void)state;
	assert_non_null(model.load_balancer);
	assert_ptr_equal(
		model.load_balancer->listeners[0].default_pool, redirect_pool_of(&model, 0));
}

static void a_policys_pool_must_fit_the_listener(void **state)
{
	(void)state;
	assert_faults(MODEL("{'id': 'p', " TCP_POOL "}",
			      "'l7policies': [{" TO_POOL ", 'redirect_pool_id': 'p'},{" TO_POOL
			      ", 'redirect_pool': {'name': 'q', " TCP_POOL "}}]"),
		"/listeners/0/l7policies/1/redirect_pool/protocol: TCP pools cannot serve HTTP "
		"listeners\n"
		"/listeners/0/l7policies/0/redirect_pool_id: TCP pools cannot serve HTTP "
		"listeners");
}

static void a_policy_refers_to_one_pool_that_is_there(void **state)
{
	(void)state;
	assert_faults(MODEL("{'id': 'p', 'name': 'n', " HTTP_POOL
			    "}, {'id': 'q', 'name': 'n', " HTTP_POOL "}",
			      "'l7policies': [{" TO_POOL ", 'redirect_pool': {'id': 'x'}},{" TO_POOL
			      ", 'redirect_pool': {'name': 'n'}},{" TO_POOL
			      ", 'redirect_pool_id': 'p', 'redirect_pool': {'id': 'q'}}]"),
		"/listeners/0/l7policies/2/redirect_pool_id: must not stand beside redirect_pool\n"
		"/listeners/0/l7policies/0/redirect_pool: there is no pool 'x'\n"
		"/listeners/0/l7policies/1/redirect_pool: several pools are called 'n': refer to "
		"one by its id");
}

static void a_pool_that_is_at_fault_itself_is_not_called_unfit(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'UDP', "
		      "'protocol_port': 1, 'default_pool': {'lb_algorithm': 'ROUND_ROBIN'}}]}",
		"/listeners/0/default_pool/protocol: is required");
}

/* The likeliest mistake of somebody who writes by hand. */
static void a_text_where_a_pool_stands_is_told_its_place(void **state)
{
	(void)state;
	assert_faults(MODEL("{'id': 'p', " HTTP_POOL "}", "'default_pool': 'p'"),
		"/listeners/0/default_pool: must be an object: a pool, or {\"name\": …} of "
		"another; "
		"'default_pool_id' takes a text");
}

static void a_reference_is_a_text(void **state)
{
	(void)state;
	assert_faults(MODEL("", "'default_pool_id': 7, 'l7policies': [{" TO_POOL
				", 'redirect_pool': {'id': 8}}]"),
		"/listeners/0/default_pool_id: must be a text\n"
		"/listeners/0/l7policies/0/redirect_pool/id: must be a text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_share_a_pool_by_id_or_name),
		cmocka_unit_test(a_listeners_own_pool_may_be_shared_by_name_from_before),
		cmocka_unit_test(a_reference_to_no_pool_is_a_fault),
		cmocka_unit_test(a_reference_to_two_pools_is_a_fault),
		cmocka_unit_test(a_pool_that_is_referred_to_must_fit_too),
		cmocka_unit_test(policies_refer_to_pools_as_listeners_do),
		cmocka_unit_test(references_follow_their_policies_into_order),
		cmocka_unit_test(a_pool_inside_a_policy_is_named_after_it),
		cmocka_unit_test(a_pool_inside_a_policy_may_be_referred_to),
		cmocka_unit_test(a_policys_pool_must_fit_the_listener),
		cmocka_unit_test(a_policy_refers_to_one_pool_that_is_there),
		cmocka_unit_test(a_pool_that_is_at_fault_itself_is_not_called_unfit),
		cmocka_unit_test(a_text_where_a_pool_stands_is_told_its_place),
		cmocka_unit_test(a_reference_is_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
