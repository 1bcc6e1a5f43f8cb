/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sender tells of its next heartbeat, before it is due: it listens on
 * RUNTIME/amphora-heartbeat.sock (sys/answer_socket.h), which it opens while it is root, so that
 * root alone can ask. For each question it observes anew, and answers without using up the
 * differences:
 *
 *	{"message": {…}, "bytes": 412, "status": {…}}
 *
 * message is what the heartbeat would carry now, as much of it as fits, bytes the size of its
 * datagram; both are null when not even the listeners fit. status is that of heartbeat/status.h,
 * whose problem also tells why no heartbeat leaves, if none does. Used by the sender, which
 * answers, and the agent, which asks.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* A datagram's worth of text, and much more. */
enum { PREVIEW_MAX_BYTES = 4 * MIB };

/* The caller frees it. */
char *preview_socket_path(const char *runtime_dir);
/*
 * Asks the sender; its answer is appended to ret_text, and may be anything: it comes from a process
 * with less rights than ours. Errors of sys/stats_socket.h.
 */
int preview_query(const char *runtime_dir, struct buf *ret_text, struct err *err);
