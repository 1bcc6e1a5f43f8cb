/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define POOL "'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN'"
#define LISTENER(port, pool)                                                                       \
	"{'protocol': 'TCP', 'protocol_port': " port ", 'default_pool': {" POOL pool "}}"
#define LISTENERS(listeners) "{'vip_address': '10.0.0.1', 'listeners': [" listeners "]}"
#define MEMBERS(members)     ", 'members': [" members "]"
#define MEMBER_A             "{'address': '10.0.1.4', 'protocol_port': 8080}"
#define MEMBER_B             "{'address': '10.0.1.5', 'protocol_port': 8080}"
#define MONITOR              ", 'healthmonitor': {'type': 'TCP', 'delay': 5, 'timeout': 5, 'max_retries': 1}"

/* Computed with Python's uuid.uuid5(); another result would lose the state of running servers. */
static void derived_ids_are_these_for_ever(void **state)
{
	cleanup_model struct model_case model =
		model_parse(LISTENERS(LISTENER("80", MEMBERS(MEMBER_A) MONITOR)));
	const struct listener *listener = &model.load_balancer->listeners[0];
	const struct pool *pool = listener->default_pool;

	(void)state;
	assert_string_equal(listener->id.text, "ef701def-95a7-5900-be49-f43d652205a0");
	assert_string_equal(pool->id.text, "c62b3509-7e33-5425-9435-ec9d43c520e9");
	assert_string_equal(pool->members[0].id.text, "bb4d23c3-3af3-5c75-a289-97fbf499b9ac");
	assert_string_equal(pool->health_monitor->id.text, "38c48daa-fb3a-5386-869e-6fd9fe3d7c94");
}

static void a_pools_name_outweighs_its_place(void **state)
{
	cleanup_model struct model_case inside =
		model_parse(LISTENERS(LISTENER("80", ", 'name': 'web'")));
	cleanup_model struct model_case listed =
		model_parse("{'vip_address': '10.0.0.1', 'pools': [{" POOL ", 'name': 'web'}]}");

	(void)state;
	assert_string_equal(inside.load_balancer->pools.items[0]->id.text,
		"9d58cae6-c1a8-58fc-b556-9d5a987de481");
	assert_string_equal(listed.load_balancer->pools.items[0]->id.text,
		"9d58cae6-c1a8-58fc-b556-9d5a987de481");
}

static void inserting_one_changes_no_other(void **state)
{
	cleanup_model struct model_case before =
		model_parse(LISTENERS(LISTENER("80", MEMBERS(MEMBER_B))));
	cleanup_model struct model_case after = model_parse(
		LISTENERS(LISTENER("81", "") "," LISTENER("80", MEMBERS(MEMBER_A "," MEMBER_B))));
	const struct listener *old = &before.load_balancer->listeners[0];
	const struct listener *new = &after.load_balancer->listeners[1];

	(void)state;
	assert_string_equal(old->id.text, new->id.text);
	assert_string_equal(old->default_pool->id.text, new->default_pool->id.text);
	assert_string_equal(
		old->default_pool->members[0].id.text, new->default_pool->members[1].id.text);
}

static void nothing_shares_an_id_with_another(void **state)
{
	cleanup_model struct model_case model = model_parse(LISTENERS(LISTENER(
		"80", MEMBERS(MEMBER_A) MONITOR) "," LISTENER("81", MEMBERS(MEMBER_A) MONITOR)));
	const struct load_balancer *balancer = model.load_balancer;
	const struct pool *first = balancer->pools.items[0];
	const struct pool *second = balancer->pools.items[1];

	(void)state;
	assert_string_not_equal(balancer->listeners[0].id.text, balancer->listeners[1].id.text);
	assert_string_not_equal(first->id.text, second->id.text);
	assert_string_not_equal(first->members[0].id.text, second->members[0].id.text);
	assert_string_not_equal(first->health_monitor->id.text, second->health_monitor->id.text);
	assert_string_not_equal(first->health_monitor->id.text, first->id.text);
}

static void the_load_balancers_id_is_part_of_every_other(void **state)
{
	static const struct id other = {"lb2"};
	cleanup_model struct model_case one = model_parse(LISTENERS(LISTENER("80", "")));
	cleanup_free char *json = quoted(LISTENERS(LISTENER("80", "")));
	cleanup_model struct model_case two = {0};

	(void)state;
	assert_int_equal(load_balancer_parse(
				 json, strlen(json), &other, &two.faults, &two.load_balancer, NULL),
		0);
	assert_string_not_equal(
		one.load_balancer->listeners[0].id.text, two.load_balancer->listeners[0].id.text);
}

static void an_id_is_used_once_among_its_kind(void **state)
{
	(void)state;
	assert_faults(LISTENERS("{'id': 'a', 'protocol': 'TCP', 'protocol_port': 1},"
				"{'id': 'a', 'protocol': 'TCP', 'protocol_port': 2}"),
		"/listeners/1/id: is the id of another listener already");
	assert_faults(LISTENERS(LISTENER("1", ", 'id': 'p'") "," LISTENER("2", ", 'id': 'p'")),
		"/listeners/1/default_pool/id: is the id of another pool already");
	assert_faults(LISTENERS(LISTENER(
			      "1", MEMBERS("{'id': 'm', 'address': '1.1.1.1', 'protocol_port': "
					   "1}")) "," LISTENER("2",
			      MEMBERS("{'id': 'm', "
				      "'address': '1.1.1.2', 'protocol_port': 1}"))),
		"/listeners/1/default_pool/members/0/id: is the id of another member already");
	assert_faults(
		LISTENERS("{'id': 'a', 'protocol': 'TCP', 'protocol_port': 1, 'default_pool': "
			  "{'id': 'a', " POOL "}}"),
		"");
}

static void two_pools_of_one_name_need_ids(void **state)
{
	(void)state;
	assert_faults(LISTENERS(LISTENER("1", ", 'name': 'x'") "," LISTENER("2", ", 'name': 'x'")),
		"/listeners/1/default_pool: needs an id: the one derived for it is that of another "
		"pool already");
	assert_faults(
		LISTENERS(LISTENER("1", ", 'name': 'x'") "," LISTENER("2", ", 'name': 'x', 'id': "
									   "'p'")),
		"");
}

static void an_id_that_is_none_is_a_fault(void **state)
{
	static const char form[] = "id is not valid: 1 to 64 letters, digits, '_' and '-', not "
				   "starting with '-'";
	static const char *const wrong[] = {
		"''", "'-a'", "'a b'", "'../x'", "'a:b'", "'ä'", "'a\\n'"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_free char *model = xformat(LISTENER_MODEL(", 'id': %s"), wrong[i]);
		cleanup_free char *expected = xformat("/listeners/0/id: %s", form);

		assert_faults(model, expected);
	}
	assert_faults(LISTENER_MODEL(", 'id': 7"), "/listeners/0/id: must be a text");
	assert_faults(LISTENER_MODEL(", 'id': 'vrrp'"),
		"/listeners/0/id: id is not valid: 'vrrp' is a reserved name");
}

static void ids_that_would_get_lost_are_refused(void **state)
{
	static const char left_out[] =
		"must not hold the word 'prometheus': such proxies are left out "
		"of status and statistics";
	cleanup_free char *expected = xformat(
		"/listeners/0/id: %s\n/listeners/0/default_pool/id: %s", left_out, left_out);

	(void)state;
	assert_faults(
		LISTENER_MODEL(", 'id': 'lb'"), "/listeners/0/id: is the load balancer's own id");
	assert_faults(LISTENERS("{'id': 'my-prometheus', 'protocol': 'TCP', 'protocol_port': 1, "
				"'default_pool': {'id': 'prometheus', " POOL "}}"),
		expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived_ids_are_these_for_ever),
		cmocka_unit_test(a_pools_name_outweighs_its_place),
		cmocka_unit_test(inserting_one_changes_no_other),
		cmocka_unit_test(nothing_shares_an_id_with_another),
		cmocka_unit_test(the_load_balancers_id_is_part_of_every_other),
		cmocka_unit_test(an_id_is_used_once_among_its_kind),
		cmocka_unit_test(two_pools_of_one_name_need_ids),
		cmocka_unit_test(an_id_that_is_none_is_a_fault),
		cmocka_unit_test(ids_that_would_get_lost_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
