/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heartbeat's loop: observes, builds, sends, remembers, exactly once per interval. One per
 * amphora-heartbeat process, owned by its main.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "sys/ipvs.h"

/* What it needs to know; copied. */
struct sender_settings {
	const struct id *amphora_id;
	const char *base_path;      /* BASE_PATH/heartbeat exists and is writable */
	const char *key;            /* "": no heartbeat can be signed, none leaves */
	const char *const *targets; /* controller_ip_port_list */
	size_t target_count;
	int64_t interval_ms;
	/* Not copied: outlives the sender. NULL: the kernel cannot be asked for LVS listeners. */
	struct ipvs *ipvs;
	/* The text of the reference agent's counters file, for when we have none; or NULL. */
	const char *reference_counters;
};

struct sender;

/* Takes up the counters of an earlier run. Names of targets are being looked up from now on. */
struct sender *sender_new(const struct sender_settings *settings);
void sender_free(struct sender *sender);

/* One beat. What goes wrong is told to the log and to status.json. */
void sender_beat(struct sender *sender);
/*
 * Appends what the next beat would carry if it came now (heartbeat/preview.h). It observes, as a
 * beat does, and changes nothing that a beat reports.
 */
void sender_preview(struct sender *sender, struct buf *ret_text);
/*
 * Beats once per interval, at a random point of it, until stop_fd becomes readable; a beat under
 * way is finished. The time that a beat takes is not added to the period. In between it answers
 * who asks for a preview on preview_fd (sys/answer_socket.h; -1: nobody can).
 */
int sender_run(struct sender *sender, int stop_fd, int preview_fd, struct err *err);
