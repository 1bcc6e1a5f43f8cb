/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of sys/http_server.c: one request as it arrives, and its reply. Decides which requests the
 * handler never sees: those that are malformed or whose body is too large. Used by the agent.
 *
 * Belongs to the connection's thread. libmicrohttpd's order is followed: new with the request line,
 * begin with the whole head, receive with each part of the body, reply once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "sys/http_server.h"

struct MHD_Connection;
struct http_exchange;

/* Why the server answers by itself. */
struct http_refusal {
	int status;
	const char *why;
	/*
	 * Before the body has arrived; the connection closes. Else the body is read first and
	 * dropped.
	 */
	bool at_once;
};

/*
 * uri: the request target as sent. bodies_bytes: what the bodies of all exchanges hold together, to
 * be kept below HTTP_BODIES_MAX_BYTES.
 */
struct http_exchange *http_exchange_new(
	struct MHD_Connection *mhd, const char *uri, atomic_size_t *bodies_bytes);
/* Accepts NULL. */
void http_exchange_free(struct http_exchange *exchange);

/* method and version as sent; both outlive the exchange. */
void http_exchange_begin(struct http_exchange *exchange, const char *method, const char *version);
bool http_exchange_has_begun(const struct http_exchange *exchange);
/* False: more than is worth dropping; the connection should close without an answer. */
bool http_exchange_receive(struct http_exchange *exchange, const char *data, size_t size_bytes);

/* NULL: the request is fit for the handler. */
const struct http_refusal *http_exchange_refusal(const struct http_exchange *exchange);
/* Valid until http_exchange_reply(). */
const struct http_request *http_exchange_request(struct http_exchange *exchange);
/*
 * Hands the reply, whose texts it takes over, to libmicrohttpd, and lets go of the request's body.
 * False: the connection should close instead.
 */
bool http_exchange_reply(struct http_exchange *exchange, struct http_reply *reply, bool and_close);
