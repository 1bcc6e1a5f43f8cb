/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the amphora API: the JSON shapes that controllers read (amphora-api.md, "How the
 * driver treats answers"). Every function fills the whole reply, whose texts the HTTP server frees.
 * Used by the agent's handlers.
 *
 * Two shapes of errors: {"message", "details"} from a resource, {"error", "http_code"} from the
 * framework (unknown path, wrong method). "details" is always a string.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "sys/http_server.h"

/* Takes json over. */
void reply_json(struct http_reply *ret_reply, int status, json_t *json);
/* A string for such a reply whatever the bytes, '?' for what is no UTF-8: others' output and files.
 */
json_t *reply_json_text(const char *text);
/* "2026-01-31T12:00:00Z" */
json_t *reply_json_time(time_t time);
/* {"message": "OK"} with details unless NULL. */
void reply_ok(struct http_reply *ret_reply, int status, const char *details);
/* text/plain; the buffer is empty afterwards. */
void reply_text(struct http_reply *ret_reply, struct buf *text);
void reply_set_etag(struct http_reply *reply, const char *etag);
/* The ETag of a content: what controllers compute of what they sent. */
void reply_set_etag_of(struct http_reply *reply, const void *content, size_t size_bytes);

/* {"message", "details"}; no details when NULL. Bytes that are no UTF-8 become '?'. */
void reply_error(
	struct http_reply *ret_reply, int status, const char *message, const char *details);
/*
 * The reply for a failure r with err's text as details, and the only place where an errno becomes a
 * status: -EINVAL (what the client sent) is 400, everything else 500. "Not found" is told apart by
 * the handlers: a missing file of ours is not the client's mistake.
 */
void reply_failure(struct http_reply *ret_reply, int r, const char *message, const struct err *err);
/* The 404 that Octavia's agent has for a load balancer that is not there. */
void reply_no_load_balancer(struct http_reply *ret_reply, const struct id *id);
/*
 * What a person may read of a failure of HAProxy or keepalived: its own words, or err's when it
 * said none. Valid as long as both.
 */
const char *reply_words(const struct buf *output, const struct err *err);
/* {"error", "http_code"}. */
void reply_framework_error(struct http_reply *ret_reply, int status, const char *error);
