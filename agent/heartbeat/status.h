/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sender did last, in a small file for people, and for the agent while no sender answers:
 * BASE_PATH/heartbeat/status.json, replaced after each beat. Used by the sender, which writes it,
 * and by the agent.
 *
 *	{"updated_at": 1700000010, "sent_at": 1700000000, "target": "10.0.0.3:5555", "bytes": 412,
 *	 "seq": 7, "listeners": 1, "members": 2, "problem": ""}
 *
 * updated_at is the time of the last beat, sent or not, and problem what is wrong at that beat, ""
 * for nothing; all between them is of the last heartbeat that left, null while none has. listeners
 * and members are those observed: if they did not all fit into it, the problem says so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

struct status {
	time_t updated_at;
	time_t sent_at; /* 0: no heartbeat has left yet */
	char *target;   /* as configured; owned */
	size_t bytes;
	uint64_t seq;
	size_t listeners;
	size_t members;
};

enum { STATUS_MAX_BYTES = 128 * KIB };

/* The file's path; the caller frees it. */
char *status_path(const char *base_path);
/* Appends that text, without the newline. */
void status_format(const struct status *status, const char *problem, struct buf *ret_text);
/* Replaces the file, without waiting for the disk. */
int status_store(
	const struct status *status, const char *problem, const char *path, struct err *err);
void status_deinit(struct status *status);
