/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of sys/http_server.c: one connection from its acceptance to its end, in one thread.
 * Libmicrohttpd (a daemon without threads or sockets of its own, with this connection only) speaks
 * HTTP and drives GnuTLS; this module requires and verifies the client's certificate, tells the
 * connection table what the peer does, has the handler called, and lets no reply leave that is not
 * ours. Used by the agent.
 *
 * Why not libmicrohttpd's own thread a connection: GnuTLS 3.7 keeps 200 bytes for every thread that
 * ever shook hands, until the program ends. So threads must be used again (sys/http_server.c).
 */
#pragma once

#include <stdatomic.h>
#include <sys/socket.h>

#include "sys/http_server.h"

struct connection_table;

/* What all connections of a server share. */
struct http_service {
	http_handler *handler;
	void *context;
	unsigned idle_timeout_s;
	struct connection_table *connections;
	atomic_size_t bodies_bytes; /* held by requests' bodies */
};

struct http_connection;

/*
 * Takes a connection that was just accepted, with fd, into the table. credentials stay the
 * caller's, and must live as long. NULL, with a line in the log and fd closed, when memory or
 * descriptors have run out.
 */
struct http_connection *http_connection_open(struct http_service *service,
	struct tls_credentials *credentials, int fd, const struct sockaddr_storage *peer,
	socklen_t peer_size);
/* Serves it until it has ended, and frees it. In the thread that has opened it. */
void http_connection_serve(struct http_connection *connection);
