/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "fake_haproxy.h"
#include "heartbeat/observation.h"

static void add(struct observation *observation, const char *text)
{
	struct haproxy_stats stats;

	assert_int_equal(haproxy_stats_parse(xstrdup(text), &stats, NULL), 0);
	observation_add_haproxy(observation, &stats);
	assert_null(stats.text); /* taken over */
}

static void rows_become_listeners_pools_and_members(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	add(&observation,
		STAT_HEADER STAT_FRONTEND("L1", 1, 2, 3, 4, 5) STAT_FRONTEND("L2", 6, 7, 8, 9, 10)
			STAT_SERVER("P:L1", "a", "UP", 1) STAT_SERVER("P:L1", "b", "DOWN", 1)
				STAT_BACKEND("P:L1", "UP") STAT_BACKEND("Q:L1", "DOWN")
					STAT_SERVER("P:L2", "a", "MAINT", 1)
						STAT_BACKEND("P:L2", "DOWN") STAT_END);
	assert_int_equal(observation.listener_count, 2);
	assert_string_equal(observation.listeners[1].id, "L2");
	assert_string_equal(observation.listeners[1].status, "OPEN");
	assert_int_equal(observation.listeners[1].sessions, 6);
	assert_int_equal(observation.listeners[1].total.sessions_total, 7);
	assert_int_equal(observation.listeners[1].total.bytes_in, 8);
	assert_int_equal(observation.listeners[1].total.bytes_out, 9);
	assert_int_equal(observation.listeners[1].total.errors_request, 10);
	assert_int_equal(observation.pool_count, 3);
	assert_string_equal(observation.pools[0].key, "P:L1");
	assert_string_equal(observation.pools[0].status, "UP");
	assert_int_equal(observation.pools[0].member_count, 2);
	assert_string_equal(observation.members[observation.pools[0].first_member + 1].id, "b");
	assert_int_equal(observation.pools[1].member_count, 0);
	assert_string_equal(observation.pools[1].status, "DOWN");
	assert_int_equal(observation.pools[2].member_count, 1);
	assert_string_equal(observation.members[observation.pools[2].first_member].status, "MAINT");
	assert_int_equal(observation_reported_members(&observation), 3);
	assert_null(observation_drop_duplicates(&observation));
	observation_deinit(&observation);
}

static void several_haproxys_add_up(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	add(&observation, STAT_HEADER STAT_FRONTEND("L1", 1, 2, 3, 4, 5) STAT_SERVER(
				  "P:L1", "a", "UP", 1) STAT_BACKEND("P:L1", "UP") STAT_END);
	add(&observation, STAT_HEADER STAT_END);
	add(&observation, STAT_HEADER STAT_FRONTEND("L2", 1, 2, 3, 4, 5) STAT_SERVER(
				  "Q:L2", "b", "UP", 1) STAT_BACKEND("Q:L2", "UP") STAT_END);
	assert_null(observation_drop_duplicates(&observation));
	assert_int_equal(observation.listener_count, 2);
	assert_int_equal(observation.pool_count, 2);
	assert_string_equal(observation.listeners[0].id, "L1");
	assert_string_equal(observation.members[observation.pools[1].first_member].id, "b");
	observation_deinit(&observation);
}

static void of_what_was_seen_twice_the_first_stays(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	add(&observation,
		STAT_HEADER STAT_FRONTEND("L2", 1, 2, 3, 4, 5) STAT_FRONTEND("L1", 1, 2, 3, 4, 5)
			STAT_SERVER("P:L1", "a", "UP", 1) STAT_BACKEND("P:L1", "UP") STAT_END);
	add(&observation, STAT_HEADER STAT_FRONTEND("L1", 9, 9, 9, 9, 9) STAT_FRONTEND(
				  "L3", 1, 2, 3, 4, 5) STAT_SERVER("P:L1", "b", "UP", 1)
				  STAT_BACKEND("P:L1", "DOWN") STAT_BACKEND("P:L3", "UP") STAT_END);
	assert_string_equal(observation_drop_duplicates(&observation), "L1");
	assert_int_equal(observation.listener_count, 3);
	assert_string_equal(observation.listeners[0].id, "L2");
	assert_string_equal(observation.listeners[1].id, "L1");
	assert_int_equal(observation.listeners[1].sessions, 1);
	assert_string_equal(observation.listeners[2].id, "L3");
	assert_int_equal(observation.pool_count, 2);
	assert_string_equal(observation.pools[0].status, "UP");
	assert_string_equal(observation.pools[1].key, "P:L3");
	assert_int_equal(observation_reported_members(&observation), 1);
	observation_deinit(&observation);
}

/* What is known of an LVS listener with pool P and one member. */
static struct lvs_status *lvs_status(const char *listener, const char *member_status)
{
	struct lvs_status *status = xcalloc(1, sizeof(*status));

	*status = (struct lvs_status){
		.is_read = true,
		.connections_active = 1,
		.has_pool = true,
		.pool = {.text = "P"},
		.pool_status = "UP",
		.members = xcalloc(1, sizeof(*status->members)),
		.member_count = 1,
	};
	snprintf(status->listener.text, sizeof(status->listener.text), "%s", listener);
	status->members[0] =
		(struct lvs_member_status){.id = {.text = "m"}, .status = member_status};
	return status;
}

static void lvs_add(struct observation *observation, struct lvs_status *status)
{
	cleanup_lvs_observation struct lvs_observation lvs = {
		.listeners = xcalloc(1, sizeof(*lvs.listeners)),
		.listener_count = 1,
	};

	lvs.listeners[0] = (struct lvs_observed){.status = status,
		.total = {.sessions_total = 10, .bytes_in = 20, .bytes_out = 30},
		.carried = {.bytes_out = 3}};
	observation_add_lvs(observation, &lvs);
}

static void an_lvs_listener_stands_beside_those_of_haproxy(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	add(&observation, STAT_HEADER STAT_FRONTEND("L1", 1, 2, 3, 4, 5) STAT_SERVER(
				  "P:L1", "a", "UP", 1) STAT_BACKEND("P:L1", "UP") STAT_END);
	lvs_add(&observation, lvs_status("U1", "no check"));
	assert_null(observation_drop_duplicates(&observation));
	assert_int_equal(observation.listener_count, 2);
	assert_string_equal(observation.listeners[1].id, "U1");
	assert_string_equal(observation.listeners[1].status, "OPEN");
	assert_false(observation.listeners[1].is_uncounted);
	assert_int_equal(observation.listeners[1].sessions, 1);
	assert_int_equal(observation.listeners[1].total.sessions_total, 10);
	assert_int_equal(observation.listeners[1].total.bytes_in, 20);
	assert_int_equal(observation.listeners[1].total.bytes_out, 30);
	assert_int_equal(observation.listeners[1].carried.bytes_out, 3);
	assert_int_equal(observation.pool_count, 2);
	assert_string_equal(observation.pools[1].key, "P");
	assert_int_equal(observation.pools[1].member_count, 1);
	assert_string_equal(observation.members[observation.pools[1].first_member].id, "m");
	assert_string_equal(
		observation.members[observation.pools[1].first_member].status, "no check");
	observation_deinit(&observation);
}

static void a_pool_of_several_lvs_listeners_is_that_of_the_first(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	lvs_add(&observation, lvs_status("U1", "UP"));
	lvs_add(&observation, lvs_status("U2", "DOWN"));
	assert_null(observation_drop_duplicates(&observation));
	assert_int_equal(observation.listener_count, 2);
	assert_string_equal(observation.listeners[1].id, "U2");
	assert_int_equal(observation.pool_count, 1);
	assert_int_equal(observation_reported_members(&observation), 1);
	assert_string_equal(observation.members[0].status, "UP");
	observation_deinit(&observation);
}

static void an_lvs_listener_that_nobody_counted_has_no_pool(void **state)
{
	struct observation observation = OBSERVATION_INIT;
	struct lvs_status *status = xcalloc(1, sizeof(*status));

	(void)state;
	status->listener.text[0] = 'U';
	lvs_add(&observation, status);
	assert_int_equal(observation.listener_count, 1);
	assert_true(observation.listeners[0].is_uncounted);
	assert_int_equal(observation.pool_count, 0);
	observation_deinit(&observation);
}

static void what_lacks_an_lvs_listener_is_partial(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	observation_add_lvs(&observation, &(struct lvs_observation){.is_partial = false});
	assert_false(observation.is_partial);
	observation_add_lvs(&observation, &(struct lvs_observation){.is_partial = true});
	assert_true(observation.is_partial);
	observation_add_lvs(&observation, &(struct lvs_observation){.is_partial = false});
	assert_true(observation.is_partial);
	observation_deinit(&observation);
}

static void nothing_observed_is_an_observation_too(void **state)
{
	struct observation observation = OBSERVATION_INIT;

	(void)state;
	assert_null(observation_drop_duplicates(&observation));
	assert_int_equal(observation_reported_members(&observation), 0);
	observation_deinit(&observation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_listeners_pools_and_members),
		cmocka_unit_test(several_haproxys_add_up),
		cmocka_unit_test(of_what_was_seen_twice_the_first_stays),
		cmocka_unit_test(an_lvs_listener_stands_beside_those_of_haproxy),
		cmocka_unit_test(a_pool_of_several_lvs_listeners_is_that_of_the_first),
		cmocka_unit_test(an_lvs_listener_that_nobody_counted_has_no_pool),
		cmocka_unit_test(what_lacks_an_lvs_listener_is_partial),
		cmocka_unit_test(nothing_observed_is_an_observation_too),
	};

	return cmocka_run_group_tests_name("observation", tests, NULL, NULL);
}
