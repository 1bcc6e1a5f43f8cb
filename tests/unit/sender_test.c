/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "captured_log.h"
#include "fake_haproxy.h"
#include "fake_ipvs.h"
#include "fake_keepalived.h"
#include "health_manager.h"
#include "heartbeat/preview.h"
#include "heartbeat/sender.h"
#include "temporary_folder.h"

static const char key[] = "secret & <key>";
static const struct id amphora = {.text = "amphora-1"};

/* A load balancer with a fake HAProxy, a health manager, and what a sender is made of. */
struct scene {
	struct fake_haproxy haproxy;
	struct health_manager manager;
	struct captured_log log;
	const char *targets[1];
	struct sender_settings settings;
};

/* A HAProxy that is a thread of this test has a quarter of it for its answer. */
enum { PATIENT_INTERVAL_MS = 80 * 1000, PATIENCE_MS = 20000 };

static void scene_start(struct scene *scene)
{
	char *socket_path = in_temporary_folder("lb.sock");
	char *lb = in_temporary_folder("lb");
	char *own = in_temporary_folder("heartbeat");

	assert_int_equal(directory_make(lb, 0755, NULL), 0);
	assert_int_equal(directory_make(own, 0755, NULL), 0);
	temporary_file("lb/haproxy.cfg", "");
	fake_haproxy_start(&scene->haproxy, socket_path, STAT_HEADER STAT_END);
	health_manager_start(&scene->manager);
	captured_log_start(&scene->log);
	scene->targets[0] = scene->manager.target;
	scene->settings = (struct sender_settings){
		.amphora_id = &amphora,
		.base_path = temporary_folder,
		.key = key,
		.targets = scene->targets,
		.target_count = 1,
		.interval_ms = PATIENT_INTERVAL_MS,
	};
	free(socket_path);
	free(lb);
	free(own);
}

static void scene_stop(struct scene *scene)
{
	captured_log_stop(&scene->log);
	fake_haproxy_stop(&scene->haproxy);
	health_manager_stop(&scene->manager);
}

/* HAProxy says that listener L received so many bytes in all. */
static void traffic_is(struct scene *scene, unsigned bytes_in)
{
	char *text = xformat(STAT_HEADER
		"L,FRONTEND,3,%u,%u,0,0,OPEN,,0,\n" STAT_SERVER("P:L", "M1", "UP", 1)
			STAT_SERVER("P:L", "M2", "UP", 0) STAT_BACKEND("P:L", "UP") STAT_END,
		bytes_in / 10, bytes_in);

	fake_haproxy_answer(&scene->haproxy, text);
	free(text);
}

/* The rx of listener L in the next message: -1 when L is not in it, -2 when no message comes. */
static long long received_rx(struct scene *scene)
{
	json_t *message = health_manager_receive(&scene->manager, key, 300);
	json_int_t rx = -1;

	if (!message)
		return -2;
	json_unpack(message, "{s:{s:{s:{s:I}}}}", "listeners", "L", "stats", "rx", &rx);
	json_decref(message);
	return rx;
}

/* The status file's problem; the caller frees it. */
static char *status_problem(void)
{
	char *path = in_temporary_folder("heartbeat/status.json");
	json_t *root = json_load_file(path, 0, NULL);
	char *problem;

	assert_non_null(root);
	problem = xstrdup(json_string_value(json_object_get(root, "problem")));
	json_decref(root);
	free(path);
	return problem;
}

static void assert_problem_says(const char *words)
{
	cleanup_free char *problem = status_problem();

	if (!strstr(problem, words))
		fail_msg("the problem '%s' does not say '%s'", problem, words);
}

static void a_beat_carries_what_haproxy_says_and_leaves_a_status(void **state)
{
	cleanup_free char *status_path = in_temporary_folder("heartbeat/status.json");
	cleanup_free char *problem = NULL;
	struct scene scene;
	struct sender *sender;
	json_t *expected;
	json_t *message;
	json_t *status;

	(void)state;
	scene_start(&scene);
	traffic_is(&scene, 100);
	sender = sender_new(&scene.settings);
	sender_beat(sender);
	message = health_manager_receive(&scene.manager, key, PATIENCE_MS);
	expected = json_pack("{s:s, s:i, s:i, s:{s:{s:s, s:{s:i, s:i, s:i, s:i, s:i}}},"
			     " s:{s:{s:s, s:{s:s, s:s}}}}",
		"id", "amphora-1", "seq", 0, "ver", 3, "listeners", "L", "status", "OPEN", "stats",
		"tx", 0, "rx", 100, "conns", 3, "totconns", 10, "ereq", 0, "pools", "P:L", "status",
		"UP", "members", "M1", "UP", "M2", "DRAIN");
	assert_true(json_equal(message, expected));
	assert_int_equal(scene.haproxy.asked, 1);
	status = json_load_file(status_path, 0, NULL);
	assert_int_equal(
		json_integer_value(json_object_get(status, "bytes")), scene.manager.size_bytes);
	assert_int_equal(json_integer_value(json_object_get(status, "members")), 2);
	assert_string_equal(
		json_string_value(json_object_get(status, "target")), scene.manager.target);
	problem = status_problem();
	assert_string_equal(problem, "");
	assert_string_equal(captured_log_text(&scene.log), "");
	json_decref(status);
	json_decref(message);
	json_decref(expected);
	sender_free(sender);
	scene_stop(&scene);
}

/* What the sender shows of its next message; the caller's. */
static json_t *previewed(struct sender *sender)
{
	cleanup_buf struct buf text = BUF_INIT(PREVIEW_MAX_BYTES);
	json_t *preview;

	sender_preview(sender, &text);
	assert_int_equal(buf_error(&text), 0);
	preview = json_loadb(buf_text(&text), text.size_bytes, 0, NULL);
	assert_non_null(preview);
	assert_null(strstr(buf_text(&text), key));
	return preview;
}

/* A preview's problem; the preview's. */
static const char *preview_problem(const json_t *preview)
{
	return json_string_value(json_object_get(json_object_get(preview, "status"), "problem"));
}

static void a_preview_is_the_next_message_and_uses_nothing_up(void **state)
{
	struct scene scene;
	struct sender *sender;
	json_t *previews[2];
	json_t *message;
	json_int_t bytes;

	(void)state;
	scene_start(&scene);
	traffic_is(&scene, 100);
	sender = sender_new(&scene.settings);
	for (int i = 0; i < 2; i++)
		previews[i] = previewed(sender);
	assert_true(json_equal(previews[0], previews[1]));
	sender_beat(sender);
	message = health_manager_receive(&scene.manager, key, PATIENCE_MS);
	assert_true(json_equal(json_object_get(previews[0], "message"), message));
	bytes = json_integer_value(json_object_get(previews[0], "bytes"));
	assert_int_equal(bytes, scene.manager.size_bytes);
	assert_string_equal(preview_problem(previews[0]), "");
	for (int i = 0; i < 2; i++)
		json_decref(previews[i]);
	json_decref(message);
	/* Nor did the beat take anything from the next one. */
	traffic_is(&scene, 130);
	json_decref(previewed(sender));
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 30);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_preview_tells_what_was_sent_last(void **state)
{
	struct scene scene;
	struct sender *sender;
	json_t *preview;
	json_int_t sent_at;
	json_int_t seq;
	const char *target;

	(void)state;
	scene_start(&scene);
	sender = sender_new(&scene.settings);
	preview = previewed(sender);
	assert_true(json_is_null(json_object_get(json_object_get(preview, "status"), "sent_at")));
	json_decref(preview);
	sender_beat(sender);
	preview = previewed(sender);
	assert_int_equal(json_unpack(preview, "{s:{s:I, s:I, s:s}}", "status", "sent_at", &sent_at,
				 "seq", &seq, "target", &target),
		0);
	assert_true(llabs(time(NULL) - sent_at) < 5);
	assert_int_equal(seq, 0);
	assert_string_equal(target, scene.manager.target);
	json_decref(preview);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_preview_tells_why_nothing_leaves(void **state)
{
	struct scene scene;
	struct sender *sender;
	json_t *preview;

	(void)state;
	scene_start(&scene);
	scene.settings.key = "";
	scene.settings.target_count = 0;
	sender = sender_new(&scene.settings);
	preview = previewed(sender);
	assert_non_null(strstr(preview_problem(preview), "heartbeat_key is not set"));
	assert_non_null(strstr(preview_problem(preview), "names no health manager"));
	assert_true(json_is_object(json_object_get(preview, "message")));
	json_decref(preview);
	sender_free(sender);
	scene_stop(&scene);
}

static void with_no_load_balancer_an_empty_message_leaves(void **state)
{
	cleanup_free char *lb = in_temporary_folder("lb");
	struct scene scene;
	struct sender *sender;
	json_t *message;

	(void)state;
	scene_start(&scene);
	assert_int_equal(directory_remove(lb, NULL), 0);
	sender = sender_new(&scene.settings);
	sender_beat(sender);
	message = health_manager_receive(&scene.manager, key, PATIENCE_MS);
	assert_int_equal(json_object_size(json_object_get(message, "listeners")), 0);
	assert_true(json_is_object(json_object_get(message, "pools")));
	json_decref(message);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_restart_neither_loses_nor_doubles_traffic(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	for (unsigned i = 1; i <= 3; i++) {
		traffic_is(&scene, 100 * i);
		sender = sender_new(&scene.settings);
		sender_beat(sender);
		sender_free(sender);
		assert_int_equal(received_rx(&scene), 100);
	}
	scene_stop(&scene);
}

static void a_difference_whose_message_did_not_leave_goes_with_the_next(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 100);
	health_manager_stop(&scene.manager);
	traffic_is(&scene, 150);
	sender_beat(sender);
	assert_problem_says(scene.manager.target);
	traffic_is(&scene, 160);
	sender_beat(sender);
	health_manager_restart(&scene.manager);
	traffic_is(&scene, 170);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 70);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_haproxy_that_started_anew_counts_from_nothing(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	traffic_is(&scene, 30);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 100);
	assert_int_equal(received_rx(&scene), 30);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_frozen_haproxy_costs_its_listeners_for_that_beat_only(void **state)
{
	struct scene scene;
	struct sender *sender;
	int64_t start_ms;

	(void)state;
	scene_start(&scene);
	scene.settings.interval_ms = 4000;
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 100);
	scene.haproxy.is_frozen = true;
	start_ms = clock_now_ms();
	sender_beat(sender);
	assert_in_range(clock_now_ms() - start_ms, 1000, 4000);
	assert_int_equal(received_rx(&scene), -1);
	assert_problem_says("load balancer lb is left out");
	scene.haproxy.is_frozen = false;
	clock_sleep_ms(50); /* it answers those who have gone, first */
	traffic_is(&scene, 130);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 30);
	sender_free(sender);
	scene_stop(&scene);
}

static void an_lvs_listener_stands_beside_those_of_haproxy(void **state)
{
	static const struct id listener = {.text = "U"};
	struct fake_keepalived keepalived;
	struct ipvs ipvs;
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	traffic_is(&scene, 100);
	fake_ipvs_init(&ipvs, 400);
	lvs_listener_install(&listener, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&keepalived, &listener);
	scene.settings.ipvs = &ipvs;
	sender = sender_new(&scene.settings);
	for (unsigned i = 0; i < 2; i++) {
		json_t *expected = json_pack("{s:s, s:{s:i, s:i, s:i, s:i, s:i}}", "status", "OPEN",
			"stats", "tx", i ? 0 : 800, "rx", i ? 0 : 400, "conns", 4, "totconns",
			i ? 0 : 40, "ereq", 0);
		json_t *pool = json_pack("{s:s, s:{s:s}}", "status", "UP", "members", "M", "UP");
		json_t *message;
		json_t *listeners;

		sender_beat(sender);
		message = health_manager_receive(&scene.manager, key, PATIENCE_MS);
		listeners = json_object_get(message, "listeners");
		assert_int_equal(json_object_size(listeners), 2);
		assert_true(json_equal(json_object_get(listeners, "U"), expected));
		assert_true(
			json_equal(json_object_get(json_object_get(message, "pools"), "P"), pool));
		json_decref(message);
		json_decref(expected);
		json_decref(pool);
	}
	sender_free(sender);
	fake_keepalived_stop(&keepalived);
	scene_stop(&scene);
}

static void a_kernel_that_does_not_answer_loses_no_traffic(void **state)
{
	static const struct id listener = {.text = "L"};
	/* In order: what the kernel says, what it has counted, and what the heartbeat tells. */
	static const struct {
		int result;
		unsigned bytes_in;
		long long rx;
	} beats[] = {{0, 400, 400}, {-EPERM, 500, 0}, {0, 600, 200}, {-ENOENT, 0, 0}, {0, 50, 50}};
	struct fake_keepalived keepalived;
	struct ipvs ipvs;
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	lvs_listener_install(&listener, LVS_LISTENER_CONFIG);
	fake_keepalived_start(&keepalived, &listener);
	scene.settings.ipvs = &ipvs;
	sender = sender_new(&scene.settings);
	for (size_t i = 0; i < sizeof(beats) / sizeof(beats[0]); i++) {
		fake_ipvs_init(&ipvs, beats[i].bytes_in);
		ipvs.result = beats[i].result;
		sender_beat(sender);
		assert_int_equal(received_rx(&scene), beats[i].rx);
		if (beats[i].result == -EPERM)
			assert_problem_says("without traffic and pools");
	}
	sender_free(sender);
	fake_keepalived_stop(&keepalived);
	scene_stop(&scene);
}

static void the_references_counters_are_read_once(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	scene.settings.reference_counters = "{\"L\": {\"bin\": 60, \"stot\": 1}}";
	for (int i = 0; i < 2; i++) {
		traffic_is(&scene, 100);
		sender = sender_new(&scene.settings);
		sender_beat(sender);
		sender_free(sender);
		assert_int_equal(received_rx(&scene), i == 0 ? 40 : 0);
	}
	scene_stop(&scene);
}

static void broken_counters_are_said_and_replaced(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	temporary_file("heartbeat/stats_counters.json", "{");
	for (int i = 0; i < 2; i++) {
		traffic_is(&scene, 100);
		sender = sender_new(&scene.settings);
		sender_beat(sender);
		sender_free(sender);
		assert_int_equal(received_rx(&scene), i == 0 ? 100 : 0);
	}
	assert_int_equal(captured_log_count(&scene.log, "stats_counters.json"), 1);
	scene_stop(&scene);
}

static void a_dead_keepalived_withholds_the_heartbeat(void **state)
{
	cleanup_free char *vrrp = in_temporary_folder("vrrp");
	cleanup_free char *pid_file = in_temporary_folder("vrrp/octavia-keepalived.pid");
	struct fake_keepalived keepalived;
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	assert_int_equal(directory_make(vrrp, 0755, NULL), 0);
	temporary_file("vrrp/octavia-keepalived.conf", "");
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), -2);
	assert_problem_says("keepalived");
	fake_keepalived_start_at(&keepalived, pid_file);
	sender_beat(sender);
	fake_keepalived_stop(&keepalived);
	assert_int_equal(received_rx(&scene), 100);
	assert_int_equal(captured_log_count(&scene.log, "no heartbeat is sent"), 1);
	assert_int_equal(captured_log_count(&scene.log, "sent again"), 1);
	sender_free(sender);
	scene_stop(&scene);
}

static void a_keepalived_that_is_configured_no_more_is_not_said_to_run(void **state)
{
	cleanup_free char *vrrp = in_temporary_folder("vrrp");
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	assert_int_equal(directory_make(vrrp, 0755, NULL), 0);
	temporary_file("vrrp/octavia-keepalived.conf", "");
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	assert_int_equal(directory_remove(vrrp, NULL), 0);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 100);
	assert_int_equal(captured_log_count(&scene.log, "heartbeats are sent again"), 1);
	assert_int_equal(captured_log_count(&scene.log, "keepalived runs"), 0);
	sender_free(sender);
	scene_stop(&scene);
}

static void without_a_key_nothing_leaves(void **state)
{
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	scene.settings.key = "";
	sender = sender_new(&scene.settings);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), -2);
	assert_problem_says("heartbeat_key");
	sender_free(sender);
	scene_stop(&scene);
}

static void too_many_members_go_out_as_listeners_and_say_why(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(8 * MIB);
	struct scene scene;
	struct sender *sender;
	uint64_t number = 1;

	(void)state;
	scene_start(&scene);
	buf_append_text(&answer, STAT_HEADER STAT_FRONTEND("L", 0, 0, 70, 0, 0));
	for (int i = 0; i < 5000; i++) {
		number = number * 6364136223846793005U + 1442695040888963407U;
		buf_append_format(&answer, "P:L,%016llx%016llx,0,0,0,0,,UP,1,2,\n",
			(unsigned long long)number,
			(unsigned long long)(number * 0x9e3779b97f4a7c15U));
	}
	buf_append_text(&answer, STAT_BACKEND("P:L", "UP") STAT_END);
	fake_haproxy_answer(&scene.haproxy, buf_text(&answer));
	sender = sender_new(&scene.settings);
	sender_beat(sender);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 70);
	assert_problem_says("5000 members");
	assert_int_equal(captured_log_count(&scene.log, "without pools"), 1);
	sender_free(sender);
	scene_stop(&scene);
}

static void own_files_that_cannot_be_written_cost_no_heartbeat(void **state)
{
	cleanup_free char *own = in_temporary_folder("heartbeat");
	struct scene scene;
	struct sender *sender;

	(void)state;
	scene_start(&scene);
	assert_int_equal(directory_remove(own, NULL), 0);
	sender = sender_new(&scene.settings);
	traffic_is(&scene, 100);
	sender_beat(sender);
	traffic_is(&scene, 120);
	sender_beat(sender);
	assert_int_equal(received_rx(&scene), 100);
	assert_int_equal(received_rx(&scene), 20);
	assert_int_equal(captured_log_count(&scene.log, "stats_counters.json"), 1);
	assert_int_equal(captured_log_count(&scene.log, "status.json"), 1);
	sender_free(sender);
	scene_stop(&scene);
}

struct running {
	struct sender *sender;
	int stop;
	pthread_t thread;
};

static void *run_thread(void *argument)
{
	struct running *running = argument;

	return sender_run(running->sender, running->stop, -1, NULL) == 0 ? argument : NULL;
}

static void running_start(struct running *running, const struct sender_settings *settings)
{
	running->sender = sender_new(settings);
	running->stop = eventfd(0, EFD_CLOEXEC);
	pthread_create(&running->thread, NULL, run_thread, running);
}

static void running_stop(struct running *running)
{
	void *fine;

	eventfd_write(running->stop, 1);
	pthread_join(running->thread, &fine);
	assert_non_null(fine);
	close(running->stop);
	sender_free(running->sender);
}

/* By how much the most punctual of some beats were late. */
static int64_t least(const int64_t *late_ms, size_t count)
{
	int64_t least_ms = INT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (late_ms[i] < least_ms)
			least_ms = late_ms[i];
	return least_ms;
}

/*
 * A slow HAProxy must not stretch the period: beat n comes at phase + n intervals. One beat may be
 * late because others had the processor; stretched by the time-outs, all later ones would be.
 */
static void the_period_is_exact_whatever_a_beat_takes(void **state)
{
	enum { INTERVAL_MS = 1000, BEATS = 6, SLACK_MS = 400 };
	struct running running;
	struct scene scene;
	int64_t late_ms[BEATS];

	(void)state;
	scene_start(&scene);
	scene.settings.interval_ms = INTERVAL_MS;
	scene.haproxy.is_frozen = true; /* each beat waits for its time-out, 250 ms */
	running_start(&running, &scene.settings);
	for (int i = 0; i < BEATS; i++) {
		json_t *message = health_manager_receive(&scene.manager, key, PATIENCE_MS);

		late_ms[i] = clock_now_ms() - i * INTERVAL_MS;
		assert_int_equal(json_integer_value(json_object_get(message, "seq")), i);
		json_decref(message);
	}
	assert_in_range(
		least(late_ms + BEATS / 2, BEATS / 2) - least(late_ms, BEATS / 2) + SLACK_MS, 0,
		2 * SLACK_MS);
	running_stop(&running);
	scene_stop(&scene);
}

static void the_first_beats_of_a_fleet_are_spread(void **state)
{
	enum { FLEET = 12, INTERVAL_MS = 400 };
	struct scene scene;
	int64_t earliest_ms = INT64_MAX;
	int64_t latest_ms = 0;

	(void)state;
	scene_start(&scene);
	scene.settings.interval_ms = INTERVAL_MS;
	for (int i = 0; i < FLEET; i++) {
		int64_t start_ms = clock_now_ms();
		struct running running;
		int64_t phase_ms;
		json_t *message;

		running_start(&running, &scene.settings);
		message = health_manager_receive(&scene.manager, key, PATIENCE_MS);
		phase_ms = clock_now_ms() - start_ms;
		assert_non_null(message);
		json_decref(message);
		running_stop(&running);
		earliest_ms = phase_ms < earliest_ms ? phase_ms : earliest_ms;
		latest_ms = phase_ms > latest_ms ? phase_ms : latest_ms;
	}
	/* All twelve within a quarter of the interval: once in 300,000 runs. */
	assert_true(latest_ms - earliest_ms > INTERVAL_MS / 4);
	scene_stop(&scene);
}

static void a_stop_finishes_the_beat_under_way(void **state)
{
	struct pollfd asked = {.events = POLLIN};
	struct running running;
	struct scene scene;

	(void)state;
	scene_start(&scene);
	traffic_is(&scene, 100);
	scene.settings.interval_ms = 2000;
	scene.haproxy.is_frozen = true;
	asked.fd = scene.haproxy.listener;
	running_start(&running, &scene.settings);
	/* In the middle of a beat: the sender has asked and waits. */
	assert_int_equal(poll(&asked, 1, PATIENCE_MS), 1);
	running_stop(&running);
	assert_int_equal(received_rx(&scene), -1);
	scene_stop(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_beat_carries_what_haproxy_says_and_leaves_a_status),
		with_temporary_folder(a_preview_is_the_next_message_and_uses_nothing_up),
		with_temporary_folder(a_preview_tells_what_was_sent_last),
		with_temporary_folder(a_preview_tells_why_nothing_leaves),
		with_temporary_folder(with_no_load_balancer_an_empty_message_leaves),
		with_temporary_folder(a_restart_neither_loses_nor_doubles_traffic),
		with_temporary_folder(a_difference_whose_message_did_not_leave_goes_with_the_next),
		with_temporary_folder(a_haproxy_that_started_anew_counts_from_nothing),
		with_temporary_folder(a_frozen_haproxy_costs_its_listeners_for_that_beat_only),
		with_temporary_folder(an_lvs_listener_stands_beside_those_of_haproxy),
		with_temporary_folder(a_kernel_that_does_not_answer_loses_no_traffic),
		with_temporary_folder(the_references_counters_are_read_once),
		with_temporary_folder(broken_counters_are_said_and_replaced),
		with_temporary_folder(a_dead_keepalived_withholds_the_heartbeat),
		with_temporary_folder(a_keepalived_that_is_configured_no_more_is_not_said_to_run),
		with_temporary_folder(without_a_key_nothing_leaves),
		with_temporary_folder(too_many_members_go_out_as_listeners_and_say_why),
		with_temporary_folder(own_files_that_cannot_be_written_cost_no_heartbeat),
		with_temporary_folder(the_period_is_exact_whatever_a_beat_takes),
		with_temporary_folder(the_first_beats_of_a_fleet_are_spread),
		with_temporary_folder(a_stop_finishes_the_beat_under_way),
	};

	return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
