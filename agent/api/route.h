/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The route table of the amphora API: method and path → handler (amphora-api.md, "Endpoints").
 * Paths are matched undecoded, empty segments ignored, so an id can hold no hidden slash.
 * Used by the agent's HTTP server.
 */
#pragma once

#include "base/id.h"
#include "sys/http_server.h"

struct agent;

enum { ROUTE_PARAMETERS_MAX = 2 };

/* One segment of the path; points into the request, without a NUL. */
struct route_segment {
	const char *text;
	size_t size_bytes;
};

/* One request on its way to a handler. */
struct call {
	struct agent *agent;
	const struct http_request *request;
	struct route_segment parameters[ROUTE_PARAMETERS_MAX]; /* what stood at each ':' */
};

/* The http_handler; context is the struct agent. Writes the log line of the request. */
http_handler route_handle;

/* Parses a parameter as an id; on failure fills the 400 and returns negative. what: "listener". */
int call_id(const struct call *call, size_t parameter, const char *what, struct id *ret_id,
	struct http_reply *ret_reply);
