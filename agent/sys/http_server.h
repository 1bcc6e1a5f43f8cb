/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS with mutual TLS. One thread a connection, so handlers are straight-line blocking code; they
 * run side by side and must lock what they share. Its parts sys/http_connection.c and
 * sys/http_exchange.c are the only places that know libmicrohttpd. Used by the agent.
 *
 * What the server itself guarantees (amphora-api.md, "Transport"; architecture.md, "Learned by
 * trying"): no byte of HTTP is parsed for a peer without a valid client certificate; silent, slow
 * and too many peers are ended without delaying others (sys/connection_table.h); a request that is
 * malformed, or whose body is larger than HTTP_BODY_MAX_BYTES, is answered 400 in JSON, or its
 * connection closes; no reply of libmicrohttpd's own leaves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

enum {
	HTTP_BODY_MAX_BYTES = 16 * 1024 * 1024,
	/* Of all connections together; what would pass it is answered 503. */
	HTTP_BODIES_MAX_BYTES = 64 * 1024 * 1024,
	/* Of a request line and all headers, with what libmicrohttpd keeps of them; else closed. */
	HTTP_HEAD_MAX_BYTES = 32 * 1024,
	HTTP_HANDSHAKES_MAX = 16,
	HTTP_AUTHENTICATED_MAX = 64,
	HTTP_HANDSHAKE_TIMEOUT_MS = 10 * 1000,
	HTTP_IDLE_TIMEOUT_S = 150,
};

struct http_request {
	const char *method; /* "GET", as sent */
	const char *path;   /* as sent: not decoded, without the query; starts with '/' */
	const char *query;  /* behind '?', not decoded; "" if none */
	const char *body;   /* NUL behind it, not counted */
	size_t body_size_bytes;
	const struct http_headers *headers; /* NULL: none */
};

/* A request header's first value, or NULL. name in any case. */
const char *http_request_header(const struct http_request *request, const char *name);

struct http_reply {
	int status;               /* 200, 202, 400, 401, 403, 404, 405, 409, 500 or 503: no other */
	const char *content_type; /* static text */
	char *body;               /* malloc'ed, the server frees it; never NULL */
	size_t body_size_bytes;
	char *etag;  /* malloc'ed, sent as it is (bare); NULL: none */
	char *allow; /* malloc'ed Allow header of a 405; NULL: none */
};

/* Fills every field of reply. Runs in the connection's thread, which has a stack of 2 MiB. */
typedef void http_handler(
	void *context, const struct http_request *request, struct http_reply *ret_reply);

struct tls_credentials; /* sys/tls_credentials.h */
struct http_server;

struct http_server_options {
	struct address bind_address; /* :: is dual stack */
	uint16_t bind_port;          /* 0: any free one; see http_server_port() */
	/*
	 * For a request to arrive from its first byte on, and again for its reply to be taken; the
	 * handler has all the time it needs. May be changed later.
	 */
	int request_timeout_s;
	int handshake_timeout_ms; /* 0: HTTP_HANDSHAKE_TIMEOUT_MS */
	int idle_timeout_s;       /* 0: HTTP_IDLE_TIMEOUT_S */
	http_handler *handler;
	void *context;
};

/* Starts serving. The server takes its own reference of credentials. */
int http_server_new(const struct http_server_options *options, struct tls_credentials *credentials,
	struct http_server **ret_server, struct err *err);
/*
 * Ends every connection after its present request, then returns: at once where peers are idle or
 * silent, after at most two seconds where they are slow, and never before a handler returns.
 */
void http_server_free(struct http_server *server);

/* New connections use these credentials from now on; present ones go on. */
void http_server_set_credentials(struct http_server *server, struct tls_credentials *credentials);
void http_server_set_request_timeout(struct http_server *server, int request_timeout_s);
uint16_t http_server_port(const struct http_server *server);
