/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/condition.h"
#include "base/file.h"
#include "base/log.h"
#include "heartbeat/counters.h"
#include "heartbeat/envelope.h"
#include "heartbeat/haproxy_sources.h"
#include "heartbeat/message.h"
#include "heartbeat/observation.h"
#include "heartbeat/preview.h"
#include "heartbeat/status.h"
#include "heartbeat/targets.h"
#include "heartbeat/vrrp.h"
#include "lvs/sources.h"
#include "sys/answer_socket.h"

enum {
	PROBLEMS_MAX_BYTES = 16 * KIB,
	/* A beat waits for others at most so long, and a quarter of its interval, per step. */
	STEP_MAX_MS = 1000,
};

/* More than a datagram has room for. */
static const struct lvs_limits lvs_limits = {.configs_bytes = 64 * MIB, .members = SIZE_MAX};

struct sender {
	struct id amphora_id;
	char *base_path;
	char *key;
	char *counters_path;
	char *status_path;
	int64_t interval_ms;
	uint64_t next_seq;
	struct counters *counters;
	struct targets *targets;
	struct haproxy_sources *haproxy_sources;
	struct lvs_sources *lvs_sources;
	struct status status;
	/* What may be wrong, besides what targets and sources know of themselves. */
	struct condition withheld;     /* keepalived is dead */
	struct condition vrrp_unknown; /* keepalived may be dead */
	struct condition duplicated;   /* two load balancers share a listener */
	struct condition shortened;    /* the message did not fit */
	struct condition counters_unsaved;
	struct condition status_unsaved;
};

static void counters_take_up(struct sender *sender, const char *reference)
{
	struct err err = ERR_NONE;
	int r = counters_load(sender->counters, sender->counters_path, &err);

	if (r == -ENOENT && reference)
		r = counters_parse(sender->counters, reference, strlen(reference), &err);
	if (r < 0 && r != -ENOENT)
		log_warning("%s; traffic is counted from HAProxy's own counters", err.text);
}

struct sender *sender_new(const struct sender_settings *settings)
{
	struct sender *sender = xcalloc(1, sizeof(*sender));

	sender->amphora_id = *settings->amphora_id;
	sender->base_path = xstrdup(settings->base_path);
	sender->key = xstrdup(settings->key);
	sender->counters_path = xformat("%s/heartbeat/stats_counters.json", settings->base_path);
	sender->status_path = status_path(settings->base_path);
	sender->interval_ms = settings->interval_ms;
	sender->counters = counters_new();
	sender->targets = targets_new(settings->targets, settings->target_count);
	sender->haproxy_sources = haproxy_sources_new(settings->base_path);
	sender->lvs_sources = lvs_sources_new(settings->base_path, settings->ipvs, &lvs_limits);
	counters_take_up(sender, settings->reference_counters);
	return sender;
}

void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	counters_free(sender->counters);
	targets_free(sender->targets);
	haproxy_sources_free(sender->haproxy_sources);
	lvs_sources_free(sender->lvs_sources);
	status_deinit(&sender->status);
	condition_deinit(&sender->withheld);
	condition_deinit(&sender->vrrp_unknown);
	condition_deinit(&sender->duplicated);
	condition_deinit(&sender->shortened);
	condition_deinit(&sender->counters_unsaved);
	condition_deinit(&sender->status_unsaved);
	free(sender->base_path);
	explicit_bzero(sender->key, strlen(sender->key));
	free(sender->key);
	free(sender->counters_path);
	free(sender->status_path);
	free(sender);
}

static int step_ms(const struct sender *sender)
{
	int64_t quarter_ms = sender->interval_ms / 4;

	return quarter_ms < STEP_MAX_MS ? (int)quarter_ms : STEP_MAX_MS;
}

static void observe(struct sender *sender, struct observation *observation)
{
	cleanup_lvs_observation struct lvs_observation lvs = LVS_OBSERVATION_INIT;
	const char *duplicate;

	haproxy_sources_observe(sender->haproxy_sources, step_ms(sender), observation);
	lvs_sources_observe(sender->lvs_sources, step_ms(sender), &lvs);
	observation_add_lvs(observation, &lvs);
	duplicate = observation_drop_duplicates(observation);
	if (duplicate)
		condition_raise(&sender->duplicated, -EEXIST,
			"%s belongs to two load balancers: only that of the first one is "
			"reported",
			duplicate);
	else
		condition_clear(&sender->duplicated, "no listener belongs to two load balancers");
}

/* Tells how much of the observation a datagram had room for. */
static void note_detail(struct sender *sender, enum message_detail detail, size_t member_count)
{
	switch (detail) {
	case MESSAGE_WHOLE:
		condition_clear(&sender->shortened, "the heartbeat fits into a datagram again");
		break;
	case MESSAGE_SHARED_POOLS_ONCE:
		condition_raise(&sender->shortened, MESSAGE_SHARED_POOLS_ONCE,
			"the heartbeat with its %zu members does not fit into a datagram of %d "
			"bytes: shared pools are reported once",
			member_count, ENVELOPE_MAX_BYTES);
		break;
	case MESSAGE_NO_POOLS:
		condition_raise(&sender->shortened, MESSAGE_NO_POOLS,
			"the heartbeat with its %zu members does not fit into a datagram of %d "
			"bytes: it goes out without pools, which will show as OFFLINE",
			member_count, ENVELOPE_MAX_BYTES);
		break;
	}
}

/* A message has left: its differences are used up. */
static void note_sent(
	struct sender *sender, const struct message *message, const char *target, size_t size_bytes)
{
	struct status *status = &sender->status;
	struct err err = ERR_NONE;

	counters_commit(sender->counters, message->observation);
	if (counters_store(sender->counters, sender->counters_path, &err) < 0)
		condition_raise(&sender->counters_unsaved, err.code, "%s", err.text);
	else
		condition_clear(
			&sender->counters_unsaved, "%s is written again", sender->counters_path);
	free(status->target);
	status->target = xstrdup(target);
	status->sent_at = time(NULL);
	status->bytes = size_bytes;
	status->seq = message->seq;
	status->listeners = message->observation->listener_count;
	status->members = observation_reported_members(message->observation);
}

/* The message of an observation; differences as counters_differences() gives them. */
static struct message message_of(const struct sender *sender, const struct observation *observation,
	const struct traffic *differences)
{
	return (struct message){
		.amphora_id = &sender->amphora_id,
		.seq = sender->next_seq,
		.observation = observation,
		.differences = differences,
	};
}

/* As much of it as a datagram has room for; negative when that is nothing. */
static int datagram_make(struct sender *sender, const struct message *message,
	struct buf *ret_datagram, enum message_detail *ret_detail)
{
	const struct observation *observation = message->observation;
	struct err err = ERR_NONE;

	if (message_seal(message, sender->key, ret_datagram, ret_detail, &err) < 0) {
		condition_raise(&sender->shortened, err.code,
			"no heartbeat is sent: its %zu listeners alone do not fit: %s",
			observation->listener_count, err.text);
		return err.code;
	}
	note_detail(sender, *ret_detail, observation_reported_members(observation));
	return 0;
}

static void observation_send(struct sender *sender, const struct observation *observation)
{
	cleanup_free struct traffic *differences =
		counters_differences(sender->counters, observation);
	const struct message message = message_of(sender, observation, differences);
	cleanup_buf struct buf datagram = BUF_INIT(ENVELOPE_MAX_BYTES);
	enum message_detail detail;
	const char *target;

	if (datagram_make(sender, &message, &datagram, &detail) < 0)
		return;
	if (targets_send(sender->targets, buf_text(&datagram), datagram.size_bytes, step_ms(sender),
		    &target) < 0)
		return;
	sender->next_seq++;
	note_sent(sender, &message, target, datagram.size_bytes);
}

static void problems_describe(const struct sender *sender, struct buf *ret_problems)
{
	condition_describe(&sender->withheld, ret_problems);
	condition_describe(&sender->vrrp_unknown, ret_problems);
	condition_describe(&sender->shortened, ret_problems);
	haproxy_sources_describe(sender->haproxy_sources, ret_problems);
	lvs_sources_describe(sender->lvs_sources, ret_problems);
	targets_describe(sender->targets, ret_problems);
	condition_describe(&sender->duplicated, ret_problems);
	condition_describe(&sender->counters_unsaved, ret_problems);
}

static void status_write(struct sender *sender)
{
	cleanup_buf struct buf problems = BUF_INIT(PROBLEMS_MAX_BYTES);
	struct err err = ERR_NONE;

	problems_describe(sender, &problems);
	sender->status.updated_at = time(NULL);
	if (status_store(&sender->status, buf_text(&problems), sender->status_path, &err) < 0)
		condition_raise(&sender->status_unsaved, err.code, "%s", err.text);
	else
		condition_clear(
			&sender->status_unsaved, "%s is written again", sender->status_path);
}

/* Whether there is a reason not to say that this amphora lives. */
static bool is_withheld(struct sender *sender)
{
	struct err err = ERR_NONE;
	int r = vrrp_check(sender->base_path, &err);

	if (r < 0 && r != -ESRCH)
		condition_raise(&sender->vrrp_unknown, r, "%s", err.text);
	else
		condition_clear(&sender->vrrp_unknown, "whether keepalived runs can be told again");
	if (r == -ESRCH)
		condition_raise(&sender->withheld, r, "no heartbeat is sent: %s", err.text);
	else if (sender->key[0] == '\0')
		condition_raise(&sender->withheld, -ENOKEY,
			"no heartbeat is sent: [health_manager] heartbeat_key is not set");
	else
		condition_clear(&sender->withheld, "heartbeats are sent again");
	return sender->withheld.text;
}

void sender_beat(struct sender *sender)
{
	CLEANUP(observation_deinit) struct observation observation = OBSERVATION_INIT;

	if (!is_withheld(sender)) {
		observe(sender, &observation);
		observation_send(sender, &observation);
	}
	status_write(sender);
}

static void observation_preview(
	struct sender *sender, const struct observation *observation, struct buf *ret_text)
{
	cleanup_free struct traffic *differences =
		counters_differences(sender->counters, observation);
	const struct message message = message_of(sender, observation, differences);
	cleanup_buf struct buf datagram = BUF_INIT(ENVELOPE_MAX_BYTES);
	enum message_detail detail;

	if (datagram_make(sender, &message, &datagram, &detail) < 0) {
		buf_append_text(ret_text, "{\"message\":null,\"bytes\":null");
		return;
	}
	buf_append_text(ret_text, "{\"message\":");
	message_format(&message, detail, ret_text);
	buf_append_format(ret_text, ",\"bytes\":%zu", datagram.size_bytes);
}

void sender_preview(struct sender *sender, struct buf *ret_text)
{
	CLEANUP(observation_deinit) struct observation observation = OBSERVATION_INIT;
	cleanup_buf struct buf problems = BUF_INIT(PROBLEMS_MAX_BYTES);

	/* One that is withheld is shown all the same: the problem tells that it does not leave. */
	is_withheld(sender);
	observe(sender, &observation);
	observation_preview(sender, &observation, ret_text);
	problems_describe(sender, &problems);
	buf_append_text(ret_text, ",\"status\":");
	status_format(&sender->status, buf_text(&problems), ret_text);
	buf_append_text(ret_text, "}\n");
}

static void preview_make(void *context, struct buf *ret_text)
{
	sender_preview(context, ret_text);
}

/* So that a fleet that was started at once does not beat in step. */
static int64_t random_below(int64_t limit)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint64_t)getpid() * 2654435761U;
	return (int64_t)(number % (uint64_t)limit);
}

static struct timespec timespec_of_ms(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* A clock that ticks once per interval from a random point of the first one on. */
static int timer_start(int64_t interval_ms, struct err *err)
{
	cleanup_close int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	/* 0 would leave the timer unset. */
	int64_t phase_ms = 1 + random_below(interval_ms);
	struct itimerspec times = {
		.it_value = timespec_of_ms(phase_ms),
		.it_interval = timespec_of_ms(interval_ms),
	};

	if (fd < 0 || timerfd_settime(fd, 0, &times, NULL) < 0)
		return err_set_errno(err, -errno, "setting the heartbeat's timer");
	return take_fd(&fd);
}

int sender_run(struct sender *sender, int stop_fd, int preview_fd, struct err *err)
{
	cleanup_close int timer = -1;

	targets_wait(sender->targets, STEP_MAX_MS);
	timer = timer_start(sender->interval_ms, err);
	if (timer < 0)
		return timer;
	for (;;) {
		struct pollfd polled[] = {
			{.fd = timer, .events = POLLIN},
			{.fd = stop_fd, .events = POLLIN},
			{.fd = preview_fd, .events = POLLIN},
		};
		uint64_t ticks;

		if (poll(polled, 3, -1) < 0 && errno != EINTR)
			return err_set_errno(err, -errno, "waiting for the next heartbeat");
		if (polled[1].revents)
			return 0;
		if (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks)) {
			if (ticks > 1)
				log_warning("%llu heartbeats were missed: this process was held up",
					(unsigned long long)ticks - 1);
			sender_beat(sender);
		} else if (polled[2].revents) {
			answer_socket_serve(preview_fd, preview_make, sender, PREVIEW_MAX_BYTES);
		}
	}
}
