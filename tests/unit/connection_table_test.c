/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "sys/connection_table.h"

/* REQUEST_MS: of a request whose handler has to begin in time. */
enum { PEERS_MAX = 8, TIMEOUT_MS = 80, REQUEST_MS = 1000, LONG_MS = 60 * 1000, PATIENCE_MS = 3000 };

/* A table and the far ends of its connections, by number. */
struct fixture {
	struct connection_table *table;
	struct connection *connections[PEERS_MAX];
	int near[PEERS_MAX], far[PEERS_MAX];
};

static void fixture_start(struct fixture *fixture, int handshake_timeout_ms, int request_timeout_ms)
{
	const struct connection_limits limits = {
		.handshakes_max = 2,
		.authenticated_max = 3,
		.handshake_timeout_ms = handshake_timeout_ms,
		.request_timeout_ms = request_timeout_ms,
	};

	assert_int_equal(connection_table_new(&limits, &fixture->table, NULL), 0);
}

static struct connection *fixture_add(struct fixture *fixture, int number)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fixture->near[number] = pair[0];
	fixture->far[number] = pair[1];
	fixture->connections[number] = connection_add(fixture->table, pair[0], "peer");
	return fixture->connections[number];
}

static struct connection *fixture_add_authenticated(struct fixture *fixture, int number)
{
	struct connection *connection = fixture_add(fixture, number);

	assert_true(connection_authenticated(connection));
	return connection;
}

static void fixture_remove(struct fixture *fixture, int number)
{
	connection_remove(fixture->connections[number]);
	fixture->connections[number] = NULL;
	close(fixture->near[number]);
	close(fixture->far[number]);
}

static void fixture_end(struct fixture *fixture)
{
	for (int i = 0; i < PEERS_MAX; i++)
		if (fixture->connections[i])
			fixture_remove(fixture, i);
	connection_table_free(fixture->table);
}

/* Whether the far end sees the end of the connection within wait_ms. */
static bool ends_within(struct fixture *fixture, int number, int wait_ms)
{
	struct pollfd poll_fd = {.fd = fixture->far[number], .events = POLLIN};

	return poll(&poll_fd, 1, wait_ms) > 0;
}

static bool has_ended(struct fixture *fixture, int number)
{
	return ends_within(fixture, number, 0);
}

static void a_handshake_that_takes_too_long_is_ended(void **state)
{
	struct fixture fixture = {0};
	int64_t started_ms = clock_now_ms();

	(void)state;
	fixture_start(&fixture, TIMEOUT_MS, LONG_MS);
	fixture_add(&fixture, 0);
	connection_heard(fixture.connections[0]);
	assert_true(ends_within(&fixture, 0, PATIENCE_MS));
	assert_true(clock_now_ms() - started_ms >= TIMEOUT_MS);
	assert_false(connection_authenticated(fixture.connections[0]));
	fixture_end(&fixture);
}

static void an_idle_connection_has_no_deadline(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, TIMEOUT_MS, TIMEOUT_MS);
	fixture_add_authenticated(&fixture, 0);
	assert_false(ends_within(&fixture, 0, 3 * TIMEOUT_MS));
	fixture_end(&fixture);
}

static void a_request_that_takes_too_long_is_ended_however_much_is_heard(void **state)
{
	struct fixture fixture = {0};
	int64_t started_ms = clock_now_ms();

	(void)state;
	fixture_start(&fixture, LONG_MS, TIMEOUT_MS);
	fixture_add_authenticated(&fixture, 0);
	do {
		connection_heard(fixture.connections[0]);
		assert_true(clock_now_ms() - started_ms < PATIENCE_MS);
	} while (!ends_within(&fixture, 0, 5));
	assert_true(clock_now_ms() - started_ms >= TIMEOUT_MS);
	fixture_end(&fixture);
}

static void a_handler_has_all_the_time_it_needs_and_the_reply_has_not(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, REQUEST_MS);
	fixture_add_authenticated(&fixture, 0);
	connection_heard(fixture.connections[0]);
	connection_handles(fixture.connections[0]);
	assert_false(ends_within(&fixture, 0, 2 * REQUEST_MS));
	connection_replies(fixture.connections[0]);
	assert_true(ends_within(&fixture, 0, PATIENCE_MS));
	fixture_end(&fixture);
}

static void a_new_request_time_out_counts_for_the_next_request(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	fixture_add_authenticated(&fixture, 0);
	fixture_add_authenticated(&fixture, 1);
	connection_heard(fixture.connections[0]);
	connection_table_set_request_timeout(fixture.table, TIMEOUT_MS);
	connection_heard(fixture.connections[1]);
	assert_true(ends_within(&fixture, 1, PATIENCE_MS));
	assert_false(has_ended(&fixture, 0));
	fixture_end(&fixture);
}

static void a_new_handshake_pushes_out_the_oldest_silent_one(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	connection_heard(fixture_add(&fixture, 0));
	fixture_add(&fixture, 1);
	assert_false(has_ended(&fixture, 0) || has_ended(&fixture, 1));
	fixture_add(&fixture, 2);
	assert_false(has_ended(&fixture, 0));
	assert_true(has_ended(&fixture, 1));
	assert_false(has_ended(&fixture, 2));
	connection_heard(fixture.connections[2]);
	fixture_add(&fixture, 3);
	assert_true(has_ended(&fixture, 0));
	assert_false(has_ended(&fixture, 2) || has_ended(&fixture, 3));
	fixture_end(&fixture);
}

static void one_whose_first_bytes_wait_to_be_read_is_not_silent(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	fixture_add(&fixture, 0);
	fixture_add(&fixture, 1);
	assert_int_equal(write(fixture.far[0], "hello", 5), 5);
	fixture_add(&fixture, 2);
	assert_false(has_ended(&fixture, 0));
	assert_true(has_ended(&fixture, 1));
	fixture_end(&fixture);
}

static void authenticated_connections_do_not_count_as_handshakes(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	for (int i = 0; i < 3; i++)
		fixture_add_authenticated(&fixture, i);
	fixture_add(&fixture, 3);
	fixture_add(&fixture, 4);
	for (int i = 0; i < 5; i++)
		assert_false(has_ended(&fixture, i));
	fixture_end(&fixture);
}

static void one_authenticated_too_many_ends_the_longest_idle(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	for (int i = 0; i < 3; i++)
		fixture_add_authenticated(&fixture, i);
	connection_heard(fixture.connections[0]);
	clock_sleep_ms(2);
	connection_rests(fixture.connections[0]); /* 1 is now the longest idle */
	fixture_add_authenticated(&fixture, 3);
	assert_true(has_ended(&fixture, 1));
	assert_false(has_ended(&fixture, 0) || has_ended(&fixture, 2) || has_ended(&fixture, 3));
	fixture_end(&fixture);
}

static void one_authenticated_too_many_goes_itself_when_all_are_busy(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	for (int i = 0; i < 3; i++)
		connection_heard(fixture_add_authenticated(&fixture, i));
	connection_handles(fixture.connections[1]);
	connection_handles(fixture.connections[2]);
	connection_replies(fixture.connections[2]);
	assert_false(connection_authenticated(fixture_add(&fixture, 3)));
	assert_true(has_ended(&fixture, 3));
	for (int i = 0; i < 3; i++)
		assert_false(has_ended(&fixture, i));
	fixture_end(&fixture);
}

static void one_that_was_pushed_out_is_no_failed_handshake(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	for (int i = 0; i < 3; i++)
		fixture_add(&fixture, i);
	assert_false(connection_is_in_handshake(fixture.connections[0]));
	assert_true(connection_is_in_handshake(fixture.connections[1]));
	assert_true(connection_authenticated(fixture.connections[1]));
	assert_false(connection_is_in_handshake(fixture.connections[1]));
	fixture_end(&fixture);
}

static void draining_ends_handshakes_and_idle_connections_at_once(void **state)
{
	struct fixture fixture = {0};

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	fixture_add(&fixture, 0);
	fixture_add_authenticated(&fixture, 1);
	assert_false(connection_table_is_draining(fixture.table));
	connection_table_drain(fixture.table, LONG_MS);
	assert_true(connection_table_is_draining(fixture.table));
	assert_true(has_ended(&fixture, 0) && has_ended(&fixture, 1));
	fixture_add(&fixture, 2);
	assert_true(has_ended(&fixture, 2));
	fixture_end(&fixture);
}

static void draining_gives_a_request_under_way_its_grace_only(void **state)
{
	struct fixture fixture = {0};
	int64_t started_ms = clock_now_ms();

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	connection_heard(fixture_add_authenticated(&fixture, 0));
	connection_handles(fixture.connections[0]);
	connection_replies(fixture.connections[0]);
	connection_heard(fixture_add_authenticated(&fixture, 1));
	connection_table_drain(fixture.table, TIMEOUT_MS);
	assert_in_range(clock_now_ms() - started_ms, TIMEOUT_MS, PATIENCE_MS);
	assert_true(has_ended(&fixture, 0) && has_ended(&fixture, 1));
	fixture_end(&fixture);
}

static void *handle_then_reply(void *context)
{
	struct connection *connection = context;

	clock_sleep_ms(3 * TIMEOUT_MS);
	connection_replies(connection);
	connection_rests(connection);
	return NULL;
}

static void draining_waits_for_a_handler_and_its_reply(void **state)
{
	struct fixture fixture = {0};
	int64_t started_ms = clock_now_ms();
	pthread_t handler;

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	connection_heard(fixture_add_authenticated(&fixture, 0));
	connection_handles(fixture.connections[0]);
	assert_int_equal(
		pthread_create(&handler, NULL, handle_then_reply, fixture.connections[0]), 0);
	connection_table_drain(fixture.table, TIMEOUT_MS);
	assert_in_range(clock_now_ms() - started_ms, 3 * TIMEOUT_MS, PATIENCE_MS);
	assert_true(has_ended(&fixture, 0));
	pthread_join(handler, NULL);
	fixture_end(&fixture);
}

static void *remove_late(void *context)
{
	clock_sleep_ms(TIMEOUT_MS);
	fixture_remove(context, 0);
	return NULL;
}

static void draining_does_not_wait_for_what_is_gone(void **state)
{
	struct fixture fixture = {0};
	pthread_t remover;

	(void)state;
	fixture_start(&fixture, LONG_MS, LONG_MS);
	connection_heard(fixture_add_authenticated(&fixture, 0));
	connection_handles(fixture.connections[0]);
	assert_int_equal(pthread_create(&remover, NULL, remove_late, &fixture), 0);
	connection_table_drain(fixture.table, LONG_MS);
	pthread_join(remover, NULL);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_that_takes_too_long_is_ended),
		cmocka_unit_test(an_idle_connection_has_no_deadline),
		cmocka_unit_test(a_request_that_takes_too_long_is_ended_however_much_is_heard),
		cmocka_unit_test(a_handler_has_all_the_time_it_needs_and_the_reply_has_not),
		cmocka_unit_test(a_new_request_time_out_counts_for_the_next_request),
		cmocka_unit_test(a_new_handshake_pushes_out_the_oldest_silent_one),
		cmocka_unit_test(one_whose_first_bytes_wait_to_be_read_is_not_silent),
		cmocka_unit_test(authenticated_connections_do_not_count_as_handshakes),
		cmocka_unit_test(one_authenticated_too_many_ends_the_longest_idle),
		cmocka_unit_test(one_authenticated_too_many_goes_itself_when_all_are_busy),
		cmocka_unit_test(one_that_was_pushed_out_is_no_failed_handshake),
		cmocka_unit_test(draining_ends_handshakes_and_idle_connections_at_once),
		cmocka_unit_test(draining_gives_a_request_under_way_its_grace_only),
		cmocka_unit_test(draining_waits_for_a_handler_and_its_reply),
		cmocka_unit_test(draining_does_not_wait_for_what_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
