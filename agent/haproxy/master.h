/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master CLI of one HAProxy (management.txt, 9.4): which workers there are, reload, and the
 * admin-level Runtime API of the present worker. Understands 2.6, whose `reload` says nothing, and
 * later ones, which answer. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* `show proc`. */
struct haproxy_processes {
	pid_t master;
	unsigned reloads; /* of the master since it started */
	unsigned failed;  /* the last so many reloads in a row failed; 0: the last one went well */
	pid_t worker;     /* the present one; 0: none (yet) */
	unsigned worker_reloads; /* reloads since it started: 0 when it came with the last one */
	size_t old_workers;      /* that still serve connections of theirs */
};

/* Pure. -EBADMSG when text is no answer of `show proc`. */
int haproxy_processes_parse(
	const char *text, struct haproxy_processes *ret_processes, struct err *err);

/*
 * Of an answer of `show proc` the workers, the present one and the old ones that still serve
 * connections of theirs. The caller frees *ret_workers. What is not understood is left out.
 */
void haproxy_workers_parse(const char *text, pid_t **ret_workers, size_t *ret_count);

/* Both ask. Errors of sys/stats_socket.h. */
int haproxy_master_workers(
	const char *master_socket, pid_t **ret_workers, size_t *ret_count, struct err *err);
int haproxy_master_processes(
	const char *master_socket, struct haproxy_processes *ret_processes, struct err *err);

/*
 * One command to the worker of that pid, whatever is the present one; the answer is appended to
 * ret_answer. Errors of sys/stats_socket.h; -ESRCH when there is no such worker, or it only starts.
 */
int haproxy_master_command(const char *master_socket, pid_t worker, const char *command,
	struct buf *ret_answer, struct err *err);

/*
 * Reloads and waits for the result, at most timeout_ms. 0: a new worker, *ret_worker, has taken
 * over, and the old one accepts no new connection (waited for two seconds more). -EBADMSG: it
 * failed and the old worker goes on; HAProxy's words, if it gave any, are in ret_output. Other
 * errors: the master did not answer, or not in time.
 */
int haproxy_master_reload(const char *master_socket, int timeout_ms, pid_t *ret_worker,
	struct buf *ret_output, struct err *err);

/*
 * Waits until the master has a worker that answers, at most timeout_ms. -ETIMEDOUT.
 */
int haproxy_master_wait(
	const char *master_socket, int timeout_ms, pid_t *ret_worker, struct err *err);
