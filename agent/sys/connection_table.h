/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of sys/http_server.c and the bounds on them: how many, and how long each may
 * take. Knows nothing of TLS or HTTP: it is told what a connection is doing, and ends those that
 * are too many or too slow by shutdown(), on which the connection's own thread cleans up.
 * Unfinished handshakes and authenticated connections are counted apart, so that peers without a
 * certificate cannot keep the controller out. A thread of its own watches the deadlines; it sleeps
 * while there is none. Thread-safe. Used by the agent.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct connection_limits {
	/*
	 * Unfinished handshakes. One too many pushes out the oldest of those that have not sent a
	 * byte; if all have, the oldest.
	 */
	unsigned handshakes_max;
	/* Authenticated ones. One too many ends the longest idle; if all are busy, itself. */
	unsigned authenticated_max;
	int handshake_timeout_ms;
	/* For a request to arrive from its first byte on, and again for its reply to be taken. */
	int request_timeout_ms;
};

struct connection_table;
struct connection;

int connection_table_new(const struct connection_limits *limits,
	struct connection_table **ret_table, struct err *err);
/* The table must be empty. Accepts NULL. */
void connection_table_free(struct connection_table *table);
/* For requests and replies that begin from now on. */
void connection_table_set_request_timeout(struct connection_table *table, int request_timeout_ms);
/*
 * Ends handshakes and idle connections at once, every other after its present request: peers have
 * grace_ms to send or take the rest, handlers all the time they need. Returns when none is busy.
 * What is added later is ended at once.
 */
void connection_table_drain(struct connection_table *table, int grace_ms);
bool connection_table_is_draining(struct connection_table *table);

/*
 * A new connection, in its handshake. fd stays the caller's: it must remain open until
 * connection_remove(). peer (copied) names it in the log.
 */
struct connection *connection_add(struct connection_table *table, int fd, const char *peer);
void connection_remove(struct connection *connection);

/*
 * Bytes came in. For the first of all called before they are read from fd: else it would look
 * silent in between. The first after a handshake or a reply begin a request.
 */
void connection_heard(struct connection *connection);
/* The handshake is done. False: it must end, there are too many. */
bool connection_authenticated(struct connection *connection);
/* Neither authenticated nor ended by the table. */
bool connection_is_in_handshake(struct connection *connection);
/* Its request is whole and being handled: takes the time it needs. */
void connection_handles(struct connection *connection);
/* Its reply goes out. */
void connection_replies(struct connection *connection);
/* Its reply is out. Idle, until connection_heard(). */
void connection_rests(struct connection *connection);

/* What the log tells of peers; of each kind no more than a few lines a minute. */
enum connection_event {
	CONNECTION_HANDSHAKE_FAILED,
	CONNECTION_CERTIFICATE_REFUSED,
	CONNECTION_REQUEST_REFUSED,
	CONNECTION_TIMED_OUT,
	CONNECTION_ONE_TOO_MANY,
	CONNECTION_NOT_SERVED,
	CONNECTION_EVENT_COUNT,
};
/* The line is "PEER: …". */
void connection_table_report(struct connection_table *table, enum connection_event event,
	const char *peer, const char *format, ...) __attribute__((format(printf, 4, 5)));
