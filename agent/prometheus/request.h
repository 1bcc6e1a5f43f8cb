/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scraper asks, as far as it matters: every path leads to the same metrics, and every
 * connection ends after its answer. Pure. Used by the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Of a request line and all headers. */
enum { REQUEST_HEAD_MAX_BYTES = 8 * 1024 };

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OTHER };

struct request {
	enum request_method method;
	bool takes_chunks; /* HTTP/1.1; 1.0 knows the end of an answer by that of the connection */
};

/*
 * The bytes that have arrived so far. 1: the head is whole; 0: more has to arrive; -EBADMSG: this
 * is no HTTP/1 request. *ret_request is set with 1 only.
 */
int request_parse(const char *data, size_t size_bytes, struct request *ret_request);
