/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "haproxy/site.h"
#include "heartbeat/preview.h"
#include "heartbeat/status.h"

DEFINE_CLEANUP(json_t *, json_decref);
#define cleanup_json CLEANUP(cleanup_json_decref)

/* What the sender says of its next heartbeat; NULL with the reason when it says nothing. */
static json_t *preview_read(const char *runtime_dir, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(PREVIEW_MAX_BYTES);
	json_t *preview = NULL;
	json_error_t fault;

	if (preview_query(runtime_dir, &text, err) < 0)
		return NULL;
	preview = json_loadb(buf_text(&text), text.size_bytes, 0, &fault);
	if (!preview)
		err_set(err, -EBADMSG, "its answer is no JSON: %s", fault.text);
	return preview;
}

/* What the last sender, the present one or another, left on disk; NULL: nothing. */
static json_t *status_read(const char *base_path)
{
	cleanup_buf struct buf text = BUF_INIT(STATUS_MAX_BYTES);
	cleanup_free char *path = status_path(base_path);

	if (file_read(path, &text, NULL) < 0)
		return NULL;
	return json_loadb(buf_text(&text), text.size_bytes, 0, NULL);
}

/* NULL when none has left, or the status is none. */
static json_t *last_sent_json(const json_t *status)
{
	json_int_t sent_at;
	json_int_t bytes;
	json_int_t seq;
	json_int_t listeners;
	json_int_t members;
	const char *target;

	if (json_unpack((json_t *)status, "{s:I, s:s, s:I, s:I, s:I, s:I}", "sent_at", &sent_at,
		    "target", &target, "bytes", &bytes, "seq", &seq, "listeners", &listeners,
		    "members", &members) < 0)
		return NULL;
	return json_pack("{s:o, s:s, s:I, s:I, s:I, s:I}", "at", reply_json_time((time_t)sent_at),
		"target", target, "bytes", bytes, "seq", seq, "listeners", listeners, "members",
		members);
}

static json_t *problem_json(const json_t *status, const struct err *err)
{
	const char *problem = json_string_value(json_object_get(status, "problem"));

	if (err->code < 0)
		return json_sprintf("amphora-heartbeat does not answer: %s", err->text);
	return text_equal(problem ? problem : "", "") ? json_null() : json_string(problem);
}

void heartbeat_get(const struct call *call, struct http_reply *ret_reply)
{
	const struct haproxy_site *site = agent_haproxy(call->agent);
	struct err err = ERR_NONE;
	cleanup_json json_t *preview = preview_read(site->runtime_dir, &err);
	cleanup_json json_t *stored = status_read(site->base_path);
	const json_t *status = json_object_get(preview, "status");
	json_t *last_sent = last_sent_json(status);

	/* A sender that has not sent anything yet has not replaced its predecessor's file. */
	if (!last_sent)
		last_sent = last_sent_json(stored);
	reply_json(ret_reply, 200,
		json_pack("{s:O?, s:O?, s:o?, s:o}", "message", json_object_get(preview, "message"),
			"bytes", json_object_get(preview, "bytes"), "last_sent", last_sent,
			"problem", problem_json(status, &err)));
}
