/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "net/plug.h"

/* Far above what a controller sends; a JSON tree takes up to a hundred times its text. */
enum { BODY_MAX_BYTES = 256 * KIB, VIPS_TEXT_MAX_BYTES = 16 * KIB };

DEFINE_CLEANUP(json_t *, json_decref);
#define cleanup_json CLEANUP(cleanup_json_decref)

/* The body, or NULL and why. */
static json_t *body_parse(const struct call *call, struct err *err)
{
	const struct http_request *request = call->request;
	json_error_t error;
	json_t *body;

	if (request->body_size_bytes > BODY_MAX_BYTES) {
		err_set(err, -EBADMSG, "larger than %d bytes", BODY_MAX_BYTES);
		return NULL;
	}
	body = json_loadb(request->body, request->body_size_bytes, 0, &error);
	if (!body)
		err_set(err, -EBADMSG, "no JSON: %s", error.text);
	return body;
}

/* The framework's error, as in the reference, with the reason behind its words. */
static void reply_bad_body(struct http_reply *ret_reply, const char *what, const struct err *err)
{
	cleanup_free char *error =
		xformat("400 Bad Request: Invalid %s information: %s", what, err->text);

	reply_framework_error(ret_reply, 400, error);
}

/* A controller tries again for as long as `details` says this: the interface may yet appear. */
static void reply_no_interface(struct http_reply *ret_reply)
{
	reply_json(ret_reply, 404,
		json_pack("{s:s}", "details", "No suitable network interface found"));
}

static void reply_bad_vip(struct http_reply *ret_reply, int r, const struct err *err)
{
	cleanup_free char *message = NULL;

	if (r == -EBADMSG) {
		reply_bad_body(ret_reply, "subnet", err);
		return;
	}
	message =
		xformat("Invalid %s: %s", r == -EADDRNOTAVAIL ? "VRRP Address" : "VIP", err->text);
	reply_error(ret_reply, 400, message, err->text);
}

static void reply_vip_plugged(
	struct http_reply *ret_reply, const char *name, const struct plug_vip_request *request)
{
	cleanup_buf struct buf details = BUF_INIT(VIPS_TEXT_MAX_BYTES);

	buf_append_format(&details, "VIPs plugged on interface %s: ", name);
	for (size_t i = 0; i < request->vip_count; i++) {
		char vip[ADDRESS_TEXT_MAX];

		address_format_exploded(&request->vips[i].address, vip);
		buf_append_format(&details, "%s%s", i > 0 ? ", " : "", vip);
	}
	reply_ok(ret_reply, 202, buf_text(&details));
}

void plug_vip_post(const struct call *call, struct http_reply *ret_reply)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	cleanup_free char *vip =
		xmemdup_text(call->parameters[0].text, call->parameters[0].size_bytes);
	struct err err = ERR_NONE;
	cleanup_json json_t *body = body_parse(call, &err);
	enum plug_result result;
	char name[IFNAMSIZ];
	int r = body ? plug_vip_request_parse(vip, body, &request, &err) : -EBADMSG;

	if (r < 0) {
		reply_bad_vip(ret_reply, r, &err);
		return;
	}
	r = plug_vip(
		agent_net(call->agent), agent_topology(call->agent), &request, &result, name, &err);
	if (r == -ENODEV)
		reply_no_interface(ret_reply);
	else if (r < 0)
		reply_error(ret_reply, 500, "Error plugging VIP", err.text);
	else if (result == PLUG_UNCHANGED)
		reply_error(ret_reply, 409, "Interface already exists", NULL);
	else
		reply_vip_plugged(ret_reply, name, &request);
}

void plug_network_post(const struct call *call, struct http_reply *ret_reply)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
	cleanup_free char *details = NULL;
	struct err err = ERR_NONE;
	cleanup_json json_t *body = body_parse(call, &err);
	enum plug_result result;
	char name[IFNAMSIZ];
	int r = body ? plug_network_request_parse(body, &request, &err) : -EBADMSG;

	if (r == -EBADMSG) {
		reply_bad_body(ret_reply, "port", &err);
		return;
	}
	if (r < 0) {
		reply_error(ret_reply, 400, "Invalid network port", err.text);
		return;
	}
	r = plug_network(
		agent_net(call->agent), agent_topology(call->agent), &request, &result, name, &err);
	if (r == -ENODEV) {
		reply_no_interface(ret_reply);
	} else if (r < 0) {
		reply_error(ret_reply, 500, "Error plugging network", err.text);
	} else {
		details = xformat("%s %s",
			result == PLUG_DONE ? "Plugged on interface" : "Updated existing interface",
			name);
		reply_ok(ret_reply, 202, details);
	}
}
