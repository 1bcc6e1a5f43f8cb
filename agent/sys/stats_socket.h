/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command to a HAProxy UNIX socket (stats socket or master CLI; management.txt, 9.3), or to one
 * of ours that speaks alike (sys/answer_socket.h), and its answer. Every wait is bounded: a stopped
 * HAProxy costs timeout_ms, not the caller's life. Used by the agent and the sender.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Sends command (a newline is added) and appends the whole answer, up to the end of the connection,
 * to ret_answer. timeout_ms bounds the whole exchange. -ECONNREFUSED or -ENOENT: nobody listens;
 * -ETIMEDOUT; -EMSGSIZE: more than ret_answer's maximum.
 */
int stats_socket_query(const char *path, const char *command, int timeout_ms,
	struct buf *ret_answer, struct err *err);

/* A command to one of several sockets, and what came of it. path and command stay the caller's. */
struct stats_socket_exchange {
	const char *path;
	const char *command;
	struct buf answer; /* the caller's, who sets its maximum and frees it */
	int result;        /* 0, or as stats_socket_query() returns */
	struct err err;    /* the text to a result below 0 */
};

/*
 * Does all exchanges side by side: one that hangs costs the others nothing, and the whole lasts at
 * most timeout_ms. Sets every result.
 */
void stats_socket_exchange_all(
	struct stats_socket_exchange *exchanges, size_t count, int timeout_ms);
