/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS with mutual TLS on libmicrohttpd: the only place that knows that library. One thread a
 * connection, so handlers are straight-line blocking code; they run side by side and must lock
 * what they share. Used by the agent.
 *
 * What the server itself guarantees (architecture.md, "Learned by trying"): no byte of HTTP is
 * parsed for a peer without a valid client certificate; unfinished handshakes and authenticated
 * connections are counted apart, so silent peers cannot starve the controller; a handshake has 10
 * s, a whole request request_timeout_s, an idle connection two minutes; a body larger than
 * HTTP_BODY_MAX is answered 400.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

enum { HTTP_BODY_MAX_BYTES = 16 * 1024 * 1024 };

struct http_request {
	const char *method; /* "GET", as sent */
	const char *path;   /* as sent: not decoded, without the query; starts with '/' */
	const char *query;  /* behind '?', not decoded; "" if none */
	const char *body;   /* NUL behind it, not counted */
	size_t body_size_bytes;
	const struct http_headers *headers;
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

/* Fills every field of reply. Runs in the connection's thread. */
typedef void http_handler(
	void *context, const struct http_request *request, struct http_reply *ret_reply);

struct tls_credentials; /* sys/tls_credentials.h */
struct http_server;

struct http_server_options {
	struct address bind_address; /* :: is dual stack */
	uint16_t bind_port;          /* 0: any free one; see http_server_port() */
	int request_timeout_s;       /* bounds a whole request; may be changed later */
	http_handler *handler;
	void *context;
};

/* Starts serving. The server takes its own reference of credentials. */
int http_server_new(const struct http_server_options *options, struct tls_credentials *credentials,
	struct http_server **ret_server, struct err *err);
/* Ends every connection after its present request, then returns. */
void http_server_free(struct http_server *server);

/* New connections use these credentials from now on; present ones go on. */
void http_server_set_credentials(struct http_server *server, struct tls_credentials *credentials);
void http_server_set_request_timeout(struct http_server *server, int request_timeout_s);
uint16_t http_server_port(const struct http_server *server);
