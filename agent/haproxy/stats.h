/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `show stat` of one HAProxy (management.txt, 9.1, the CSV format), read row by row: the columns
 * are found by the names in its first line, so a newer HAProxy's additions do no harm.
 * Used by the sender (heartbeat), and by the agent (status of a load balancer).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum haproxy_stat_kind {
	HAPROXY_STAT_FRONTEND, /* a listener */
	HAPROXY_STAT_BACKEND,  /* a pool: proxy is "POOL:LISTENER" */
	HAPROXY_STAT_SERVER,   /* a member of the pool that proxy names */
};

/* One row. The texts live as long as haproxy_stats. "" where empty. */
struct haproxy_stat {
	enum haproxy_stat_kind kind;
	const char *proxy;  /* pxname */
	const char *server; /* svname; "FRONTEND", "BACKEND" on their rows */
	const char *status; /* "OPEN", "UP", "DOWN", "UP 1/3", "no check", "MAINT" …; a server that
			       is UP with weight 0 is "DRAIN" */
	uint64_t bytes_in, bytes_out;
	uint64_t sessions, sessions_total, errors_request;
	uint64_t weight;
	uint64_t last_change_s;
	const char *check_status; /* "L4OK", "L7STS" …: result of the last check */
	uint64_t check_code;
	uint64_t check_duration_ms;
	const char *last_check; /* last_chk: text of the last check */
	const char *address;    /* addr: "10.0.0.1:80" */
};

struct haproxy_stats {
	struct haproxy_stat *rows; /* in HAProxy's order; NULL when there are none */
	size_t row_count;
	char *text; /* what the rows point into */
};

enum { HAPROXY_STATS_MAX_BYTES = 64 * MIB };

/*
 * Parses an answer of `show stat`; takes the text over (also on failure). Rows of proxies whose
 * name holds "prometheus" are left out: they are internal (heartbeat.md), and so are rows of single
 * sockets (`option socket-stats`). -EBADMSG when it is no such answer, or not a whole one: HAProxy
 * ends it with an empty line (management.txt, 9.3), and half an answer would be read as listeners
 * and members that are gone.
 */
int haproxy_stats_parse(char *text, struct haproxy_stats *ret_stats, struct err *err);
/* Asks the stats socket once and parses. Errors of sys/stats_socket.h, and of the parser. */
int haproxy_stats_query(
	const char *socket_path, int timeout_ms, struct haproxy_stats *ret_stats, struct err *err);
void haproxy_stats_deinit(struct haproxy_stats *stats);

/* One of several HAProxys, and what it said. */
struct haproxy_stats_inquiry {
	const char *socket_path;    /* the caller's */
	struct haproxy_stats stats; /* haproxy_stats_deinit(); empty when result is below 0 */
	int result;                 /* 0, or as haproxy_stats_query() returns */
	struct err err;             /* the text to a result below 0 */
};
/* Asks all of them side by side: a frozen one delays no other. Lasts at most timeout_ms. */
void haproxy_stats_query_all(struct haproxy_stats_inquiry *inquiries, size_t count, int timeout_ms);
