/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "captured_log.h"
#include "fake_haproxy.h"
#include "heartbeat/haproxy_sources.h"
#include "temporary_folder.h"

enum { TIMEOUT_MS = 1000, FROZEN_COUNT = 4 };

#define ONE_LISTENER(name) STAT_HEADER STAT_FRONTEND(name, 1, 2, 3, 4, 5) STAT_END

static void load_balancer(const char *id)
{
	char *folder = in_temporary_folder(id);
	char *config = xformat("%s/haproxy.cfg", id);

	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	temporary_file(config, "");
	free(config);
	free(folder);
}

static void load_balancer_runs(struct fake_haproxy *fake, const char *id, const char *answer)
{
	char *path = xformat("%s/%s.sock", temporary_folder, id);

	load_balancer(id);
	fake_haproxy_start(fake, path, answer);
	free(path);
}

/* The ids of the listeners seen, in their order: "L1 L2 "; a '?' in front when partial. */
static const char *seen(struct haproxy_sources *sources)
{
	static char text[256];
	struct observation observation = OBSERVATION_INIT;

	haproxy_sources_observe(sources, TIMEOUT_MS, &observation);
	snprintf(text, sizeof(text), "%s", observation.is_partial ? "?" : "");
	for (size_t i = 0; i < observation.listener_count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
			observation.listeners[i].id);
	observation_deinit(&observation);
	return text;
}

static void load_balancers_are_asked_once_each_in_order_of_their_ids(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	struct fake_haproxy first;
	struct fake_haproxy second;

	(void)state;
	load_balancer_runs(&second, "lb-b", ONE_LISTENER("L2"));
	load_balancer_runs(&first, "lb-a", ONE_LISTENER("L1"));
	assert_string_equal(seen(sources), "L1 L2 ");
	assert_string_equal(seen(sources), "L1 L2 ");
	fake_haproxy_stop(&first);
	fake_haproxy_stop(&second);
	assert_int_equal(first.asked, 2);
	assert_int_equal(second.asked, 2);
	haproxy_sources_free(sources);
}

static void what_is_no_load_balancer_is_not_asked(void **state)
{
	static const char *const names[] = {"vrrp", "lvs", "certs", "heartbeat", "a.b", "-x"};
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	cleanup_free char *without_config = in_temporary_folder("lb-0");
	struct captured_log log;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		load_balancer(names[i]);
	assert_int_equal(directory_make(without_config, 0755, NULL), 0);
	temporary_file("lb-1", "a file, no folder");
	captured_log_start(&log);
	assert_string_equal(seen(sources), "");
	assert_string_equal(captured_log_text(&log), "");
	captured_log_stop(&log);
	haproxy_sources_free(sources);
}

static void a_stopped_load_balancer_is_left_out_silently(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	struct fake_haproxy fake;
	struct captured_log log;
	char *marker = in_temporary_folder("lb-a/stopped");

	(void)state;
	load_balancer_runs(&fake, "lb-a", ONE_LISTENER("L1"));
	temporary_file("lb-a/stopped", "");
	captured_log_start(&log);
	assert_string_equal(seen(sources), "");
	assert_int_equal(unlink(marker), 0);
	assert_string_equal(seen(sources), "L1 ");
	assert_string_equal(captured_log_text(&log), "");
	captured_log_stop(&log);
	fake_haproxy_stop(&fake);
	haproxy_sources_free(sources);
	free(marker);
}

static void a_silent_one_is_said_once_and_once_when_it_is_back(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct fake_haproxy good;
	struct fake_haproxy bad;
	struct captured_log log;

	(void)state;
	load_balancer_runs(&good, "lb-a", ONE_LISTENER("L1"));
	load_balancer(("lb-b"));
	captured_log_start(&log);
	assert_string_equal(seen(sources), "?L1 ");
	assert_string_equal(seen(sources), "?L1 ");
	haproxy_sources_describe(sources, &problems);
	assert_non_null(strstr(buf_text(&problems), "lb-b"));
	load_balancer_runs(&bad, "lb-b", ONE_LISTENER("L2"));
	assert_string_equal(seen(sources), "L1 L2 ");
	assert_int_equal(captured_log_count(&log, "left out"), 1);
	assert_int_equal(captured_log_count(&log, "answers again"), 1);
	captured_log_stop(&log);
	buf_clear(&problems);
	haproxy_sources_describe(sources, &problems);
	assert_string_equal(buf_text(&problems), "");
	fake_haproxy_stop(&good);
	fake_haproxy_stop(&bad);
	haproxy_sources_free(sources);
}

static void frozen_ones_cost_one_time_out_together_and_nothing_of_the_others(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	static const char *const names[FROZEN_COUNT] = {"lb-a", "lb-b", "lb-d", "lb-e"};
	struct fake_haproxy frozen[FROZEN_COUNT];
	struct fake_haproxy good;
	struct captured_log log;
	int64_t start_ms;

	(void)state;
	for (int i = 0; i < FROZEN_COUNT; i++) {
		load_balancer_runs(&frozen[i], names[i], ONE_LISTENER("L1"));
		frozen[i].is_frozen = true;
	}
	load_balancer_runs(&good, "lb-c", ONE_LISTENER("L3"));
	captured_log_start(&log);
	start_ms = clock_now_ms();
	assert_string_equal(seen(sources), "?L3 ");
	/* One after the other they would cost FROZEN_COUNT of them. */
	assert_in_range(clock_now_ms() - start_ms, TIMEOUT_MS, (FROZEN_COUNT - 1) * TIMEOUT_MS);
	captured_log_stop(&log);
	for (int i = 0; i < FROZEN_COUNT; i++)
		fake_haproxy_stop(&frozen[i]);
	fake_haproxy_stop(&good);
	haproxy_sources_free(sources);
}

static void an_answer_that_is_not_whole_counts_as_none(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct fake_haproxy fake;

	(void)state;
	load_balancer_runs(&fake, "lb-a", STAT_HEADER STAT_FRONTEND("L1", 1, 2, 3, 4, 5));
	assert_string_equal(seen(sources), "?");
	haproxy_sources_describe(sources, &problems);
	assert_non_null(strstr(buf_text(&problems), "breaks off"));
	fake_haproxy_stop(&fake);
	haproxy_sources_free(sources);
}

static void one_that_is_about_to_start_is_not_worth_a_word(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	struct fake_haproxy fake;
	struct captured_log log;

	(void)state;
	load_balancer("lb-a");
	captured_log_start(&log);
	assert_string_equal(seen(sources), "?");
	load_balancer_runs(&fake, "lb-a", ONE_LISTENER("L1"));
	assert_string_equal(seen(sources), "L1 ");
	assert_string_equal(captured_log_text(&log), "");
	captured_log_stop(&log);
	fake_haproxy_stop(&fake);
	haproxy_sources_free(sources);
}

static void a_deleted_load_balancer_is_forgotten_without_a_word(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new(temporary_folder);
	cleanup_free char *folder = in_temporary_folder("lb-a");
	struct fake_haproxy fake;
	struct captured_log log;

	(void)state;
	load_balancer_runs(&fake, "lb-a", ONE_LISTENER("L1"));
	captured_log_start(&log);
	assert_string_equal(seen(sources), "L1 ");
	fake_haproxy_stop(&fake);
	assert_int_equal(directory_remove(folder, NULL), 0);
	assert_string_equal(seen(sources), "");
	assert_string_equal(captured_log_text(&log), "");
	captured_log_stop(&log);
	haproxy_sources_free(sources);
}

static void a_base_folder_that_cannot_be_read_makes_it_partial(void **state)
{
	struct haproxy_sources *sources = haproxy_sources_new("/nonexistent");
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	assert_string_equal(seen(sources), "?");
	assert_string_equal(seen(sources), "?");
	assert_int_equal(captured_log_count(&log, "/nonexistent"), 1);
	captured_log_stop(&log);
	haproxy_sources_free(sources);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(load_balancers_are_asked_once_each_in_order_of_their_ids),
		with_temporary_folder(what_is_no_load_balancer_is_not_asked),
		with_temporary_folder(a_stopped_load_balancer_is_left_out_silently),
		with_temporary_folder(a_silent_one_is_said_once_and_once_when_it_is_back),
		with_temporary_folder(
			frozen_ones_cost_one_time_out_together_and_nothing_of_the_others),
		with_temporary_folder(an_answer_that_is_not_whole_counts_as_none),
		with_temporary_folder(one_that_is_about_to_start_is_not_worth_a_word),
		with_temporary_folder(a_deleted_load_balancer_is_forgotten_without_a_word),
		cmocka_unit_test(a_base_folder_that_cannot_be_read_makes_it_partial),
	};

	return cmocka_run_group_tests_name("haproxy_sources", tests, NULL, NULL);
}
