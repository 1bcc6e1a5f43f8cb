/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reply.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "sys/digest.h"

void reply_json(struct http_reply *ret_reply, int status, json_t *json)
{
	char *body = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (!body)
		body = xstrdup("{}");
	*ret_reply = (struct http_reply){
		.status = status,
		.content_type = "application/json",
		.body = body,
		.body_size_bytes = strlen(body),
	};
}

json_t *reply_json_text(const char *text)
{
	cleanup_free char *copy = NULL;
	json_t *string = json_string(text);

	if (string)
		return string;
	copy = xstrdup(text);
	text_repair_utf8(copy);
	return json_string(copy);
}

json_t *reply_json_time(time_t time)
{
	char text[sizeof("YYYY-MM-DDThh:mm:ssZ") + 8];
	struct tm utc;

	gmtime_r(&time, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

static void reply_message(
	struct http_reply *ret_reply, int status, const char *message, const char *details)
{
	json_t *json = json_object();

	json_object_set_new(json, "message", reply_json_text(message));
	if (details)
		json_object_set_new(json, "details", reply_json_text(details));
	reply_json(ret_reply, status, json);
}

void reply_ok(struct http_reply *ret_reply, int status, const char *details)
{
	reply_message(ret_reply, status, "OK", details);
}

void reply_text(struct http_reply *ret_reply, struct buf *text)
{
	size_t size_bytes = text->size_bytes;

	*ret_reply = (struct http_reply){
		.status = 200,
		.content_type = "text/plain; charset=UTF-8",
		.body = buf_take_text(text),
		.body_size_bytes = size_bytes,
	};
}

void reply_set_etag(struct http_reply *reply, const char *etag)
{
	free(reply->etag);
	reply->etag = xstrdup(etag);
}

void reply_set_etag_of(struct http_reply *reply, const void *content, size_t size_bytes)
{
	char md5[MD5_HEX_SIZE + 1];

	digest_md5_hex(content, size_bytes, md5);
	reply_set_etag(reply, md5);
}

void reply_error(struct http_reply *ret_reply, int status, const char *message, const char *details)
{
	reply_message(ret_reply, status, message, details);
}

void reply_failure(struct http_reply *ret_reply, int r, const char *message, const struct err *err)
{
	reply_message(ret_reply, r == -EINVAL ? 400 : 500, message, err->text);
}

void reply_no_load_balancer(struct http_reply *ret_reply, const struct id *id)
{
	cleanup_free char *details = xformat("No loadbalancer with UUID: %s", id->text);

	reply_error(ret_reply, 404, "Loadbalancer Not Found", details);
}

const char *reply_words(const struct buf *output, const struct err *err)
{
	return output->size_bytes > 0 ? buf_text(output) : err->text;
}

void reply_framework_error(struct http_reply *ret_reply, int status, const char *error)
{
	json_t *json = json_object();

	json_object_set_new(json, "error", reply_json_text(error));
	json_object_set_new(json, "http_code", json_integer(status));
	reply_json(ret_reply, status, json);
}
