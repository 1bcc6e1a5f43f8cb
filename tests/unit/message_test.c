/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "health_manager.h"
#include "heartbeat/envelope.h"
#include "heartbeat/message.h"

static const struct id amphora = {.text = "amphora-1"};

static const struct observed_member members[] = {
	{"M1", "UP"}, {"M2", "no check"}, {"M3", "UP 1/3"}};
static const struct traffic differences[] = {
	{.bytes_in = 1, .bytes_out = 2, .errors_request = 3, .sessions_total = 4},
	{.bytes_in = UINT64_MAX},
};

static void assert_message(
	const struct observation *observation, enum message_detail detail, const char *expected)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct message message = {
		.amphora_id = &amphora,
		.seq = 67,
		.observation = observation,
		.differences = differences,
	};

	message_format(&message, detail, &text);
	assert_string_equal(buf_text(&text), expected);
}

static void without_any_load_balancer_both_objects_are_there_and_empty(void **state)
{
	struct observation none = OBSERVATION_INIT;

	(void)state;
	assert_message(&none, MESSAGE_WHOLE,
		"{\"id\":\"amphora-1\",\"seq\":67,\"ver\":3,\"listeners\":{},\"pools\":{}}");
}

static void a_message_holds_what_was_observed(void **state)
{
	struct observed_listener listeners[] = {
		{.id = "L1", .status = "OPEN", .sessions = 5},
		{.id = "L2", .status = "FULL", .sessions = 0},
	};
	struct observed_pool pools[] = {
		{.key = "P:L1", .status = "UP", .first_member = 0, .member_count = 2},
		{.key = "Q:L1", .status = "DOWN", .first_member = 2, .member_count = 0},
		{.key = "R", .status = "UP", .first_member = 2, .member_count = 1},
	};
	struct observation observation = {
		.listeners = listeners,
		.listener_count = 2,
		.pools = pools,
		.pool_count = 3,
		.members = (struct observed_member *)members,
		.member_count = 3,
	};

	(void)state;
	assert_message(&observation, MESSAGE_WHOLE,
		"{\"id\":\"amphora-1\",\"seq\":67,\"ver\":3,\"listeners\":{"
		"\"L1\":{\"status\":\"OPEN\",\"stats\":{\"tx\":2,\"rx\":1,\"conns\":5,"
		"\"totconns\":4,\"ereq\":3}},"
		"\"L2\":{\"status\":\"FULL\",\"stats\":{\"tx\":0,\"rx\":18446744073709551615,"
		"\"conns\":0,\"totconns\":0,\"ereq\":0}}},"
		"\"pools\":{\"P:L1\":{\"status\":\"UP\",\"members\":{\"M1\":\"UP\",\"M2\":\"no "
		"check\"}},"
		"\"Q:L1\":{\"status\":\"DOWN\",\"members\":{}},"
		"\"R\":{\"status\":\"UP\",\"members\":{\"M3\":\"UP 1/3\"}}}}");
	assert_message(&observation, MESSAGE_NO_POOLS,
		"{\"id\":\"amphora-1\",\"seq\":67,\"ver\":3,\"listeners\":{"
		"\"L1\":{\"status\":\"OPEN\",\"stats\":{\"tx\":2,\"rx\":1,\"conns\":5,"
		"\"totconns\":4,\"ereq\":3}},"
		"\"L2\":{\"status\":\"FULL\",\"stats\":{\"tx\":0,\"rx\":18446744073709551615,"
		"\"conns\":0,\"totconns\":0,\"ereq\":0}}},\"pools\":{}}");
}

static void a_shared_pool_is_reported_once_if_asked_for(void **state)
{
	struct observed_pool pools[] = {
		{.key = "P:L2", .status = "UP"},
		{.key = "PP:L1", .status = "UP"},
		{.key = "P:L1", .status = "UP"},
		{.key = "P", .status = "DOWN"},
	};
	struct observation observation = {.pools = pools, .pool_count = 4};

	(void)state;
	assert_message(&observation, MESSAGE_SHARED_POOLS_ONCE,
		"{\"id\":\"amphora-1\",\"seq\":67,\"ver\":3,\"listeners\":{},\"pools\":{"
		"\"P:L2\":{\"status\":\"UP\",\"members\":{}},"
		"\"PP:L1\":{\"status\":\"UP\",\"members\":{}}}}");
}

static void names_that_json_cannot_hold_bare_are_escaped(void **state)
{
	struct observed_pool pools[] = {{.key = "\"a\\\n\xc3\xa4", .status = "x\x01\x7f\xff"}};
	struct observation observation = {.pools = pools, .pool_count = 1};

	(void)state;
	assert_message(&observation, MESSAGE_WHOLE,
		"{\"id\":\"amphora-1\",\"seq\":67,\"ver\":3,\"listeners\":{},\"pools\":{"
		"\"\\\"a\\\\\\u000a\xc3\xa4\":{\"status\":\"x\\u0001\\u007f?\",\"members\":{}}}}");
}

/* Pools of members with UUIDs that nothing can compress well. */
struct crowd {
	struct observed_listener *listeners;
	struct observed_pool *pools;
	struct observed_member *members;
	struct traffic *differences;
	char (*names)[80];
	struct observation observation;
	struct message message;
};

static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252U;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void random_uuid(char *to, size_t size)
{
	uint64_t high = next_random();
	uint64_t low = next_random();

	snprintf(to, size, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff, (unsigned)(low >> 48),
		(unsigned long long)low & 0xffffffffffff);
}

/* Each of pool_count listeners with a pool; all of one pool id if is_shared. */
static void crowd_init(struct crowd *crowd, size_t pool_count, size_t members_each, bool is_shared)
{
	size_t member_count = pool_count * members_each;

	*crowd = (struct crowd){
		.listeners = xcalloc(pool_count, sizeof(*crowd->listeners)),
		.pools = xcalloc(pool_count, sizeof(*crowd->pools)),
		.members = xcalloc(member_count, sizeof(*crowd->members)),
		.differences = xcalloc(pool_count, sizeof(*crowd->differences)),
		.names = xcalloc(2 * pool_count + member_count, sizeof(*crowd->names)),
	};
	for (size_t i = 0; i < pool_count; i++) {
		char *key = crowd->names[pool_count + i];

		random_uuid(crowd->names[i], sizeof(*crowd->names));
		crowd->listeners[i] =
			(struct observed_listener){.id = crowd->names[i], .status = "OPEN"};
		random_uuid(key, sizeof(*crowd->names));
		if (is_shared)
			memcpy(key, crowd->names[pool_count], 36);
		snprintf(key + 36, 40, ":%s", crowd->names[i]);
		crowd->pools[i] = (struct observed_pool){.key = key,
			.status = "UP",
			.first_member = i * members_each,
			.member_count = members_each};
	}
	for (size_t i = 0; i < member_count; i++) {
		char *name = crowd->names[2 * pool_count + i];

		random_uuid(name, sizeof(*crowd->names));
		crowd->members[i] = (struct observed_member){.id = name, .status = "UP"};
	}
	crowd->observation = (struct observation){.listeners = crowd->listeners,
		.listener_count = pool_count,
		.pools = crowd->pools,
		.pool_count = pool_count,
		.members = crowd->members,
		.member_count = member_count};
	crowd->message = (struct message){.amphora_id = &amphora,
		.observation = &crowd->observation,
		.differences = crowd->differences};
}

static void crowd_deinit(struct crowd *crowd)
{
	free(crowd->listeners);
	free(crowd->pools);
	free(crowd->members);
	free(crowd->differences);
	free(crowd->names);
}

/* Seals; returns how many pools the datagram holds, -1 when it is not a good one. */
static int sealed_pools(const struct message *message, enum message_detail *ret_detail)
{
	cleanup_buf struct buf datagram = BUF_INIT(ENVELOPE_MAX_BYTES);
	json_t *root;
	int pools = -1;

	if (message_seal(message, "key", &datagram, ret_detail, NULL) < 0)
		return -1;
	assert_in_range(datagram.size_bytes, 65, ENVELOPE_MAX_BYTES);
	root = health_manager_open(buf_text(&datagram), datagram.size_bytes, "key");
	if (root && json_object_size(json_object_get(root, "listeners")) ==
			    message->observation->listener_count)
		pools = (int)json_object_size(json_object_get(root, "pools"));
	json_decref(root);
	return pools;
}

static void a_message_of_2900_members_leaves_whole(void **state)
{
	enum message_detail detail = MESSAGE_NO_POOLS;
	struct crowd crowd;

	(void)state;
	crowd_init(&crowd, 1, 2900, false);
	assert_int_equal(sealed_pools(&crowd.message, &detail), 1);
	assert_int_equal(detail, MESSAGE_WHOLE);
	crowd_deinit(&crowd);
}

static void when_it_does_not_fit_shared_pools_go_out_once(void **state)
{
	enum message_detail detail = MESSAGE_WHOLE;
	struct crowd crowd;

	(void)state;
	crowd_init(&crowd, 4, 1500, true);
	assert_int_equal(sealed_pools(&crowd.message, &detail), 1);
	assert_int_equal(detail, MESSAGE_SHARED_POOLS_ONCE);
	crowd_deinit(&crowd);
}

static void when_it_still_does_not_fit_the_listeners_go_out_without_pools(void **state)
{
	enum message_detail detail = MESSAGE_WHOLE;
	struct crowd crowd;

	(void)state;
	crowd_init(&crowd, 2, 5000, true);
	assert_int_equal(sealed_pools(&crowd.message, &detail), 0);
	assert_int_equal(detail, MESSAGE_NO_POOLS);
	crowd_deinit(&crowd);
	crowd_init(&crowd, 1, 5000, false);
	assert_int_equal(sealed_pools(&crowd.message, &detail), 0);
	assert_int_equal(detail, MESSAGE_NO_POOLS);
	crowd_deinit(&crowd);
}

static void listeners_that_do_not_fit_are_an_error(void **state)
{
	cleanup_buf struct buf datagram = BUF_INIT(ENVELOPE_MAX_BYTES);
	enum message_detail detail = MESSAGE_WHOLE;
	struct err err = ERR_NONE;
	struct crowd crowd;

	(void)state;
	crowd_init(&crowd, 4000, 0, false);
	assert_int_equal(message_seal(&crowd.message, "key", &datagram, &detail, &err), -EMSGSIZE);
	assert_true(strlen(err.text) > 0);
	crowd_deinit(&crowd);
}

static void another_key_gives_another_hmac(void **state)
{
	cleanup_buf struct buf datagram = BUF_INIT(ENVELOPE_MAX_BYTES);
	struct err err = ERR_NONE;
	json_t *root;

	(void)state;
	assert_int_equal(envelope_seal("{}", 2, "key", &datagram, &err), 0);
	assert_null(health_manager_open(buf_text(&datagram), datagram.size_bytes, "other"));
	root = health_manager_open(buf_text(&datagram), datagram.size_bytes, "key");
	assert_non_null(root);
	json_decref(root);
	/* A buffer is used again. */
	assert_int_equal(envelope_seal("[]", 2, "&amp;", &datagram, &err), 0);
	root = health_manager_open(buf_text(&datagram), datagram.size_bytes, "&amp;");
	assert_true(json_is_array(root));
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_load_balancer_both_objects_are_there_and_empty),
		cmocka_unit_test(a_message_holds_what_was_observed),
		cmocka_unit_test(a_shared_pool_is_reported_once_if_asked_for),
		cmocka_unit_test(names_that_json_cannot_hold_bare_are_escaped),
		cmocka_unit_test(a_message_of_2900_members_leaves_whole),
		cmocka_unit_test(when_it_does_not_fit_shared_pools_go_out_once),
		cmocka_unit_test(when_it_still_does_not_fit_the_listeners_go_out_without_pools),
		cmocka_unit_test(listeners_that_do_not_fit_are_an_error),
		cmocka_unit_test(another_key_gives_another_hmac),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
