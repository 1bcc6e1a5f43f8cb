/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "prometheus/lvs_samples.h"
#include "prometheus/metric.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { FAMILY_COUNT = 18 };

/* Two listeners: L with pool P, whose members the kernel has in part; N, which nobody could read.
 */
static struct lvs_member_status members[] = {
	{.id = {.text = "A"},
		.status = "UP",
		.is_in_kernel = true,
		.weight = 7,
		.connections_active = 8,
		.counters = {91, 92, 93}},
	{.id = {.text = "B"}, .status = "DOWN"},
};
static struct lvs_status statuses[] = {
	{.listener = {.text = "L"},
		.is_read = true,
		.connections_active = 5,
		.has_pool = true,
		.pool = {.text = "P"},
		.pool_status = "UP",
		.members = members,
		.member_count = COUNT_OF(members)},
	{.listener = {.text = "N"}},
};
static struct lvs_observed observed[] = {
	{.status = &statuses[0], .total = {.sessions_total = 10, .bytes_in = 20, .bytes_out = 30}},
	{.status = &statuses[1]},
};
static const struct lvs_observation observation = {
	.listeners = observed, .listener_count = COUNT_OF(observed)};

/* What follows HAProxy's lines of the family. */
static void assert_samples(const char *name, const char *expected)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct lvs_samples samples = {.family = NULL};

	lvs_samples_begin(&samples, name);
	assert_true(lvs_samples_append(&samples, &observation, &text));
	assert_string_equal(buf_text(&text), expected);
	/* Only once. */
	lvs_samples_begin(&samples, name);
	assert_true(lvs_samples_append(&samples, &observation, &text));
	assert_string_equal(buf_text(&text), expected);
}

static void a_listener_has_its_counters_and_its_state(void **state)
{
	(void)state;
	assert_samples("octavia_listener_bytes_in_total",
		"octavia_listener_bytes_in_total{listener=\"L\"} 20\n");
	assert_samples("octavia_listener_bytes_out_total",
		"octavia_listener_bytes_out_total{listener=\"L\"} 30\n");
	assert_samples("octavia_listener_sessions_total",
		"octavia_listener_sessions_total{listener=\"L\"} 10\n");
	assert_samples("octavia_listener_connections_total",
		"octavia_listener_connections_total{listener=\"L\"} 10\n");
	assert_samples("octavia_listener_current_sessions",
		"octavia_listener_current_sessions{listener=\"L\"} 5\n");
	/* That N lives is known, though nothing else is. */
	assert_samples("octavia_listener_status",
		"octavia_listener_status{listener=\"L\",state=\"DOWN\"} 0\n"
		"octavia_listener_status{listener=\"L\",state=\"UP\"} 1\n"
		"octavia_listener_status{listener=\"N\",state=\"DOWN\"} 0\n"
		"octavia_listener_status{listener=\"N\",state=\"UP\"} 1\n");
}

static void a_pool_is_named_with_its_listener(void **state)
{
	(void)state;
	assert_samples(
		"octavia_pool_bytes_in_total", "octavia_pool_bytes_in_total{pool=\"P:L\"} 20\n");
	assert_samples(
		"octavia_pool_bytes_out_total", "octavia_pool_bytes_out_total{pool=\"P:L\"} 30\n");
	assert_samples(
		"octavia_pool_sessions_total", "octavia_pool_sessions_total{pool=\"P:L\"} 10\n");
	assert_samples(
		"octavia_pool_current_sessions", "octavia_pool_current_sessions{pool=\"P:L\"} 5\n");
	assert_samples(
		"octavia_pool_active_members", "octavia_pool_active_members{pool=\"P:L\"} 1\n");
	assert_samples("octavia_pool_status", "octavia_pool_status{pool=\"P:L\",state=\"DOWN\"} 0\n"
					      "octavia_pool_status{pool=\"P:L\",state=\"UP\"} 1\n");
}

static void a_member_has_counters_while_the_kernel_has_it(void **state)
{
	(void)state;
	assert_samples("octavia_member_bytes_in_total",
		"octavia_member_bytes_in_total{pool=\"P:L\",member=\"A\"} 92\n");
	assert_samples("octavia_member_bytes_out_total",
		"octavia_member_bytes_out_total{pool=\"P:L\",member=\"A\"} 93\n");
	assert_samples("octavia_member_sessions_total",
		"octavia_member_sessions_total{pool=\"P:L\",member=\"A\"} 91\n");
	assert_samples("octavia_member_current_sessions",
		"octavia_member_current_sessions{pool=\"P:L\",member=\"A\"} 8\n");
	assert_samples(
		"octavia_member_weight", "octavia_member_weight{pool=\"P:L\",member=\"A\"} 7\n");
}

/* Of member A, whose status that is: the state that is 1, "" when none is. */
static const char *state_of(const char *status, bool is_in_kernel)
{
	static const char *const names[] = {"DOWN", "UP", "MAINT", "DRAIN", "NOLB"};
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct lvs_samples samples = {.family = NULL};
	const struct lvs_member_status saved = members[0];
	const char *found = "";

	members[0].status = status;
	members[0].is_in_kernel = is_in_kernel;
	lvs_samples_begin(&samples, "octavia_member_status");
	assert_true(lvs_samples_append(&samples, &observation, &text));
	members[0] = saved;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		cleanup_free char *line = xformat(
			"octavia_member_status{pool=\"P:L\",member=\"A\",state=\"%s\"} ", names[i]);
		const char *at = strstr(buf_text(&text), line);

		assert_non_null(at);
		if (at[strlen(line)] == '1')
			found = names[i];
	}
	return found;
}

static void a_member_has_one_of_haproxys_states_or_none(void **state)
{
	(void)state;
	assert_string_equal(state_of("UP", true), "UP");
	assert_string_equal(state_of("no check", true), "UP");
	assert_string_equal(state_of("no check", false), "");
	assert_string_equal(state_of("DOWN", false), "DOWN");
	assert_string_equal(state_of("DRAIN", true), "DRAIN");
	assert_string_equal(state_of("MAINT", false), "MAINT");
	assert_string_equal(state_of("RESTARTING", false), "");
}

static void other_families_have_nothing_of_lvs(void **state)
{
	(void)state;
	assert_samples("octavia_member_max_queue", "");
	assert_samples("", "");
}

static void what_haproxy_lacks_comes_with_its_head(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct lvs_samples samples = {.family = NULL};
	unsigned families = 0;

	(void)state;
	lvs_samples_begin(&samples, "octavia_member_weight");
	assert_true(lvs_samples_append(&samples, &observation, &text));
	buf_clear(&text);
	while (lvs_samples_begin_missing(&samples)) {
		families++;
		assert_true(lvs_samples_append(&samples, &observation, &text));
	}
	assert_int_equal(families, FAMILY_COUNT - 1);
	assert_non_null(strstr(buf_text(&text),
		"# HELP octavia_member_bytes_in_total Current total of incoming bytes.\n"
		"# TYPE octavia_member_bytes_in_total counter\n"
		"octavia_member_bytes_in_total{pool=\"P:L\",member=\"A\"} 92\n"
		"# HELP octavia_member_bytes_out_total "));
	assert_null(strstr(buf_text(&text), "octavia_member_weight"));
}

static void a_family_without_samples_has_no_head(void **state)
{
	static const struct lvs_observation empty = {
		.listeners = observed + 1, .listener_count = 1};
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct lvs_samples samples = {.family = NULL};

	(void)state;
	while (lvs_samples_begin_missing(&samples))
		assert_true(lvs_samples_append(&samples, &empty, &text));
	assert_string_equal(buf_text(&text),
		"# HELP octavia_listener_status Current status of the listener.\n"
		"# TYPE octavia_listener_status gauge\n"
		"octavia_listener_status{listener=\"N\",state=\"DOWN\"} 0\n"
		"octavia_listener_status{listener=\"N\",state=\"UP\"} 1\n");
}

/* Whether an amphora publishes a metric of that name from HAProxy's too, with this HELP or its own.
 */
static bool is_haproxys(const char *name, const char *help)
{
	static const char *const prefixes[][2] = {{"octavia_listener_", "haproxy_frontend_"},
		{"octavia_pool_", "haproxy_backend_"}, {"octavia_member_", "haproxy_server_"}};

	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		cleanup_free char *theirs = NULL;
		struct metric metric;

		if (strncmp(name, prefixes[i][0], strlen(prefixes[i][0])) != 0)
			continue;
		theirs = strcmp(name, "octavia_pool_active_members") == 0
				 ? xstrdup("haproxy_backend_active_servers")
				 : xformat("%s%s", prefixes[i][1], name + strlen(prefixes[i][0]));
		return metric_find(theirs, strlen(theirs), &metric) == 0 &&
		       strcmp(metric.name, name) == 0 &&
		       (!metric.help || strcmp(metric.help, help) == 0);
	}
	return false;
}

/* NULL: there is none. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

static void all_names_are_published_ones(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct lvs_samples samples = {.family = NULL};
	unsigned families = 0;

	(void)state;
	while (lvs_samples_begin_missing(&samples))
		assert_true(lvs_samples_append(&samples, &observation, &text));
	for (const char *line = buf_text(&text); line; line = next_line(line)) {
		char name[METRIC_NAME_MAX + 1];
		char help[256];

		if (sscanf(line, "# HELP %127s %255[^\n]", name, help) != 2)
			continue;
		families++;
		if (!is_haproxys(name, help))
			fail_msg("%s: %s", name, help);
	}
	assert_int_equal(families, FAMILY_COUNT);
}

/* A listener with so many members, which the kernel has. */
struct crowd {
	struct lvs_status status;
	struct lvs_observed observed;
	struct lvs_observation observation;
};

static void crowd_init(struct crowd *crowd, size_t count)
{
	*crowd = (struct crowd){
		.status = {.listener = {.text = "L"},
			.is_read = true,
			.has_pool = true,
			.pool = {.text = "P"},
			.pool_status = "UP",
			.members = xcalloc(count, sizeof(struct lvs_member_status)),
			.member_count = count},
		.observed = {.status = &crowd->status},
		.observation = {.listeners = &crowd->observed, .listener_count = 1},
	};
	for (size_t i = 0; i < count; i++) {
		struct lvs_member_status *member = &crowd->status.members[i];

		*member = (struct lvs_member_status){.status = "UP", .is_in_kernel = true};
		snprintf(member->id.text, sizeof(member->id.text), "%08zu", i);
	}
}

static void a_large_family_comes_in_pieces(void **state)
{
	enum { MEMBERS = 5000 };
	struct lvs_samples samples = {.family = NULL};
	struct crowd crowd;
	size_t next = 0;
	bool is_over;

	(void)state;
	crowd_init(&crowd, MEMBERS);
	lvs_samples_begin(&samples, "octavia_member_weight");
	do {
		cleanup_buf struct buf text = BUF_INIT(LVS_SAMPLES_PIECE_BYTES + KIB);
		size_t expected_size = 0;

		is_over = lvs_samples_append(&samples, &crowd.observation, &text);
		assert_int_equal(buf_error(&text), 0);
		for (; expected_size < text.size_bytes; next++) {
			cleanup_free char *line = xformat(
				"octavia_member_weight{pool=\"P:L\",member=\"%08zu\"} 0\n", next);

			assert_memory_equal(text.data + expected_size, line, strlen(line));
			expected_size += strlen(line);
		}
	} while (!is_over);
	assert_int_equal(next, MEMBERS);
	free(crowd.status.members);
}

/* Between two pieces the observation is another one: the first members are gone. */
static void a_family_goes_on_where_it_was_although_members_go(void **state)
{
	enum { MEMBERS = 2000, GONE = 100 };
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf rest = BUF_INIT(MIB);
	struct lvs_samples samples = {.family = NULL};
	struct crowd crowd;
	unsigned long last;

	(void)state;
	crowd_init(&crowd, MEMBERS);
	lvs_samples_begin(&samples, "octavia_member_weight");
	assert_false(lvs_samples_append(&samples, &crowd.observation, &text));
	last = strtoul(strrchr(buf_text(&text), '=') + 2, NULL, 10);
	assert_in_range(last, GONE, MEMBERS / 2);
	crowd.status.members += GONE;
	crowd.status.member_count -= GONE;
	lvs_samples_append(&samples, &crowd.observation, &rest);
	assert_int_equal(strtoul(strstr(buf_text(&rest), "member=") + 8, NULL, 10), last + 1);
	free(crowd.status.members - GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_has_its_counters_and_its_state),
		cmocka_unit_test(a_pool_is_named_with_its_listener),
		cmocka_unit_test(a_member_has_counters_while_the_kernel_has_it),
		cmocka_unit_test(a_member_has_one_of_haproxys_states_or_none),
		cmocka_unit_test(other_families_have_nothing_of_lvs),
		cmocka_unit_test(what_haproxy_lacks_comes_with_its_head),
		cmocka_unit_test(a_family_without_samples_has_no_head),
		cmocka_unit_test(all_names_are_published_ones),
		cmocka_unit_test(a_large_family_comes_in_pieces),
		cmocka_unit_test(a_family_goes_on_where_it_was_although_members_go),
	};

	return cmocka_run_group_tests_name("lvs_samples", tests, NULL, NULL);
}
