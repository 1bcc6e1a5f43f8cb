/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of sys/http_server.c: what stands between libmicrohttpd and the TLS session of one of its
 * connections. It requires and verifies the client's certificate, tells the connection table what
 * the peer does, and lets no reply leave that is not ours. Used by the agent.
 *
 * Its life is that of libmicrohttpd's connection: made and freed in the listening thread (the
 * descriptor is open at both moments, the TLS session already gone at the second), called by GnuTLS
 * in the connection's own thread in between.
 */
#pragma once

#include <stdbool.h>

struct MHD_Connection;
struct connection_table;
struct tls_credentials;
struct http_connection;

/* Takes its own reference of credentials. */
struct http_connection *http_connection_new(struct MHD_Connection *mhd,
	struct connection_table *table, struct tls_credentials *credentials);
void http_connection_free(struct http_connection *connection);
/* Its place in the table. */
struct connection *http_connection_entry(struct http_connection *connection);

/* What follows is for the connection's own thread. */

/* Whether a reply that leaves now is ours; at first not. */
void http_connection_permit_reply(struct http_connection *connection, bool permitted);
/*
 * Before a connection closes whose request was answered before it was there whole: reads and drops
 * what still comes, until the peer closes, is silent for a second or the table ends it. Else the
 * kernel would answer it with a reset, on which the peer may lose the reply.
 */
void http_connection_linger(struct http_connection *connection);
