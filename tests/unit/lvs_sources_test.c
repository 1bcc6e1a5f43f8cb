/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "captured_log.h"
#include "fake_ipvs.h"
#include "fake_keepalived.h"
#include "lvs/sources.h"

enum { TIMEOUT_MS = 500 };

static const struct lvs_limits limits = {.configs_bytes = 64 * KIB, .members = 10};

static const struct id listener = {.text = "L"};

/* Behind what text holds. */
static void listener_describe(const struct lvs_observed *observed, char *text, size_t text_size)
{
	const struct lvs_status *status = observed->status;

	snprintf(text + strlen(text), text_size - strlen(text),
		status->is_read ? "%s:%u " : "%s:- ", status->listener.text,
		(unsigned)observed->total.bytes_in);
	if (status->has_pool)
		snprintf(text + strlen(text), text_size - strlen(text), "%s=%s ", status->pool.text,
			status->pool_status);
	for (size_t i = 0; i < status->member_count; i++)
		snprintf(text + strlen(text), text_size - strlen(text), "%s=%s ",
			status->members[i].id.text, status->members[i].status);
}

/* "L:400 P=UP M=UP", the number the bytes in, '-' where nobody counted; '?' in front: partial. */
static const char *seen(struct lvs_sources *sources)
{
	static char text[512];
	cleanup_lvs_observation struct lvs_observation observation = LVS_OBSERVATION_INIT;

	lvs_sources_observe(sources, TIMEOUT_MS, &observation);
	snprintf(text, sizeof(text), "%s", observation.is_partial ? "?" : "");
	for (size_t i = 0; i < observation.listener_count; i++)
		listener_describe(&observation.listeners[i], text, sizeof(text));
	return text;
}

/* One listener that serves, and who looks at it. */
struct scene {
	struct ipvs ipvs;
	struct fake_keepalived keepalived;
	struct lvs_sources *sources;
	struct captured_log log;
};

static void scene_start(struct scene *scene)
{
	fake_ipvs_init(&scene->ipvs, 400);
	lvs_listener_install(&listener, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&scene->keepalived, &listener);
	scene->sources = lvs_sources_new(temporary_folder, &scene->ipvs, &limits);
	captured_log_start(&scene->log);
}

static void scene_stop(struct scene *scene)
{
	captured_log_stop(&scene->log);
	lvs_sources_free(scene->sources);
	fake_keepalived_stop(&scene->keepalived);
}

static void a_listener_is_what_the_kernel_has_of_it(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	scene.ipvs.service.counters.bytes_in = 500;
	scene.ipvs.destination.weight = 0;
	assert_string_equal(seen(scene.sources), "L:500 P=UP M=DRAIN ");
	assert_int_equal(scene.ipvs.asked, 2);
	assert_string_equal(captured_log_text(&scene.log), "");
	scene_stop(&scene);
}

static void without_a_listener_the_kernel_is_not_asked(void **state)
{
	cleanup_free char *folder = in_temporary_folder("lvs");
	struct ipvs ipvs;
	struct lvs_sources *sources = lvs_sources_new(temporary_folder, &ipvs, &limits);

	(void)state;
	fake_ipvs_init(&ipvs, 0);
	assert_string_equal(seen(sources), "");
	assert_int_equal(directory_make(folder, 0755, NULL), 0);
	assert_string_equal(seen(sources), "");
	assert_int_equal(ipvs.asked, 0);
	lvs_sources_free(sources);
}

static void a_listener_whose_keepalived_is_dead_is_left_out(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	fake_keepalived_stop(&scene.keepalived);
	assert_string_equal(seen(scene.sources), "?");
	assert_int_equal(captured_log_count(&scene.log, "listener L is left out"), 0);
	assert_string_equal(seen(scene.sources), "?");
	assert_string_equal(seen(scene.sources), "?");
	assert_int_equal(captured_log_count(&scene.log, "listener L is left out"), 1);
	fake_keepalived_start(&scene.keepalived, &listener);
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	assert_int_equal(captured_log_count(&scene.log, "listener L is reported again"), 1);
	scene_stop(&scene);
}

static void a_listener_that_was_stopped_or_deleted_is_not_missed(void **state)
{
	cleanup_free char *config = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG);
	cleanup_free char *stopped = lvs_path(temporary_folder, &listener, LVS_FILE_STOPPED);
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_int_equal(file_replace(stopped, "", 0, 0644, NULL), 0);
	assert_string_equal(seen(scene.sources), "");
	assert_int_equal(file_remove(stopped, NULL), 0);
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	assert_int_equal(file_remove(config, NULL), 0);
	assert_string_equal(seen(scene.sources), "");
	assert_string_equal(captured_log_text(&scene.log), "");
	scene_stop(&scene);
}

static void a_disabled_listener_is_left_out(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	lvs_listener_install(&listener, "# Listener L is disabled\n");
	assert_string_equal(seen(scene.sources), "");
	assert_string_equal(captured_log_text(&scene.log), "");
	scene_stop(&scene);
}

static void a_kernel_that_does_not_answer_costs_traffic_and_pools_only(void **state)
{
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.ipvs.result = -EPERM;
	assert_string_equal(seen(scene.sources), "L:- ");
	assert_string_equal(seen(scene.sources), "L:- ");
	assert_int_equal(captured_log_count(&scene.log, "without traffic and pools"), 1);
	lvs_sources_describe(scene.sources, &problems);
	assert_non_null(strstr(buf_text(&problems), "asking the fake IPVS"));
	scene.ipvs.result = 0;
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	assert_int_equal(captured_log_count(&scene.log, "answers again"), 1);
	scene_stop(&scene);
}

static void a_kernel_without_ipvs_has_empty_tables(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.ipvs.result = -ENOENT;
	assert_string_equal(seen(scene.sources), "L:0 P=DOWN M=DOWN ");
	assert_string_equal(seen(scene.sources), "L:0 P=DOWN M=DOWN ");
	assert_int_equal(captured_log_count(&scene.log, "serve nothing"), 1);
	scene_stop(&scene);
}

static void traffic_of_a_service_that_is_gone_is_not_forgotten(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	scene.ipvs.result = -ENOENT;
	assert_string_equal(seen(scene.sources), "L:400 P=DOWN M=DOWN ");
	fake_ipvs_init(&scene.ipvs, 10);
	assert_string_equal(seen(scene.sources), "L:410 P=UP M=UP ");
	scene_stop(&scene);
}

static void without_a_way_to_the_kernel_listeners_are_reported_all_the_same(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	lvs_sources_free(scene.sources);
	scene.sources = lvs_sources_new(temporary_folder, NULL, &limits);
	assert_string_equal(seen(scene.sources), "L:- ");
	scene_stop(&scene);
}

static void members_of_a_config_that_is_not_taken_up_are_restarting(void **state)
{
	cleanup_free char *record = lvs_path(temporary_folder, &listener, LVS_FILE_RUNNING);
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.ipvs.destination.port = 54;
	assert_string_equal(seen(scene.sources), "L:400 P=DOWN M=DOWN ");
	/* The agent has just told keepalived. */
	assert_int_equal(utimensat(AT_FDCWD, record, NULL, 0), 0);
	assert_string_equal(seen(scene.sources), "L:400 P=DOWN M=RESTARTING ");
	assert_int_equal(lvs_running_forget(temporary_folder, &listener, NULL), 0);
	assert_string_equal(seen(scene.sources), "L:400 P=DOWN M=RESTARTING ");
	scene_stop(&scene);
}

static void listeners_come_in_the_order_of_their_ids_each_with_its_pool(void **state)
{
	static const struct id other = {.text = "K"};
	struct fake_keepalived others;
	struct scene scene;

	(void)state;
	scene_start(&scene);
	lvs_listener_install(&other, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&others, &other);
	assert_string_equal(seen(scene.sources), "K:400 P=UP M=UP L:400 P=UP M=UP ");
	assert_string_equal(captured_log_text(&scene.log), "");
	fake_keepalived_stop(&others);
	scene_stop(&scene);
}

/* For the two of the listeners K and L. */
static void assert_only_one_fits(const struct lvs_limits *too_little)
{
	static const struct id other = {.text = "K"};
	struct fake_keepalived others;
	struct scene scene;

	scene_start(&scene);
	lvs_listener_install(&other, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&others, &other);
	lvs_sources_free(scene.sources);
	scene.sources = lvs_sources_new(temporary_folder, &scene.ipvs, too_little);
	assert_string_equal(seen(scene.sources), "?K:400 P=UP M=UP ");
	assert_string_equal(seen(scene.sources), "?K:400 P=UP M=UP ");
	assert_int_equal(captured_log_count(&scene.log, "listener L is left out"), 1);
	fake_keepalived_stop(&others);
	lvs_listener_install(&other, "# Listener K is disabled\n");
	fake_keepalived_start(&others, &other);
	assert_string_equal(seen(scene.sources), "L:400 P=UP M=UP ");
	fake_keepalived_stop(&others);
	scene_stop(&scene);
}

static void what_exceeds_the_limits_together_leaves_a_listener_out(void **state)
{
	(void)state;
	assert_only_one_fits(&(struct lvs_limits){
		.configs_bytes = 2 * strlen(LVS_LISTENER_CONFIG) - 1, .members = 2});
	assert_only_one_fits(&(struct lvs_limits){.configs_bytes = KIB, .members = 1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_listener_is_what_the_kernel_has_of_it),
		with_temporary_folder(without_a_listener_the_kernel_is_not_asked),
		with_temporary_folder(a_listener_whose_keepalived_is_dead_is_left_out),
		with_temporary_folder(a_listener_that_was_stopped_or_deleted_is_not_missed),
		with_temporary_folder(a_disabled_listener_is_left_out),
		with_temporary_folder(a_kernel_that_does_not_answer_costs_traffic_and_pools_only),
		with_temporary_folder(a_kernel_without_ipvs_has_empty_tables),
		with_temporary_folder(traffic_of_a_service_that_is_gone_is_not_forgotten),
		with_temporary_folder(
			without_a_way_to_the_kernel_listeners_are_reported_all_the_same),
		with_temporary_folder(members_of_a_config_that_is_not_taken_up_are_restarting),
		with_temporary_folder(listeners_come_in_the_order_of_their_ids_each_with_its_pool),
		with_temporary_folder(what_exceeds_the_limits_together_leaves_a_listener_out),
	};

	return cmocka_run_group_tests_name("lvs_sources", tests, NULL, NULL);
}
