/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UNIX socket on which a program of ours answers whoever connects: one line in, one text out, the
 * connection ends (the other side of sys/stats_socket.h). For its owner and root alone. Every wait
 * is bounded, because the program has other things to do. Used by the sender.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Listens at path, in place of what a predecessor left there. The descriptor, the caller's. */
int answer_socket_open(const char *path, struct err *err);

/*
 * Takes the connection that has come; makes the answer once its question is there, whatever it is,
 * and sends it. One that asks nothing gets no answer, one that does not read gets half of it.
 * Lasts at most half a second besides make_answer().
 */
void answer_socket_serve(int listener, void (*make_answer)(void *context, struct buf *ret_answer),
	void *context, size_t answer_max_bytes);
