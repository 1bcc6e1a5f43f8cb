/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "haproxy/certificate.h"

/* The load balancer and the file that the path names; on failure the 400 is filled in. */
static int certificate_parse(const struct call *call, struct id *ret_id,
	struct certificate_name *ret_name, struct http_reply *ret_reply)
{
	const struct route_segment *name = &call->parameters[1];
	struct err err = ERR_NONE;
	int r = call_id(call, 0, "load balancer id", ret_id, ret_reply);

	if (r < 0)
		return r;
	r = certificate_name_parse(name->text, name->size_bytes, ret_name, &err);
	if (r < 0)
		reply_error(ret_reply, 400, "Filename has wrong format", err.text);
	return r;
}

void certificate_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	struct certificate_name name;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (certificate_parse(call, &id, &name, ret_reply) < 0)
		return;
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = haproxy_certificate_store(
		instance, &name, request->body, request->body_size_bytes, &err);
	if (r < 0) {
		reply_failure(ret_reply, r, "Error storing certificate", &err);
		return;
	}
	reply_ok(ret_reply, 200, NULL);
	reply_set_etag_of(ret_reply, request->body, request->body_size_bytes);
}

void certificate_get(const struct call *call, struct http_reply *ret_reply)
{
	struct certificate_name name;
	char md5[MD5_HEX_SIZE + 1];
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (certificate_parse(call, &id, &name, ret_reply) < 0)
		return;
	r = haproxy_certificate_md5(agent_haproxy(call->agent), &id, &name, md5, &err);
	if (r == -ENOENT) {
		cleanup_free char *details = xformat("No certificate with filename: %s", name.text);

		reply_error(ret_reply, 404, "Certificate Not Found", details);
		return;
	}
	if (r < 0) {
		reply_failure(ret_reply, r, "Error reading certificate", &err);
		return;
	}
	reply_json(ret_reply, 200, json_pack("{s:s}", "md5sum", md5));
	reply_set_etag(ret_reply, md5);
}

void certificate_delete(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	struct certificate_name name;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (certificate_parse(call, &id, &name, ret_reply) < 0)
		return;
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = haproxy_certificate_delete(instance, &name, &err);
	if (r < 0)
		reply_failure(ret_reply, r, "Error deleting certificate", &err);
	else
		reply_ok(ret_reply, 200, NULL);
}
