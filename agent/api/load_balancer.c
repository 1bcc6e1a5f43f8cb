/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/action.h"
#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/udp_listener.h"
#include "api/vips.h"
#include "base/alloc.h"
#include "base/log.h"
#include "deploy/deployment.h"
#include "deploy/vrrp_check.h"
#include "haproxy/config.h"
#include "haproxy/instance.h"
#include "haproxy/stored_model.h"
#include "lvs/instance.h"

_Static_assert(HAPROXY_CONFIG_MAX_BYTES > (int)HTTP_BODY_MAX_BYTES, "any upload fits");

void haproxy_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	struct err err = ERR_NONE;
	struct id amphora;
	struct id id;
	int r;

	if (call_id(call, 0, "amphora id", &amphora, ret_reply) < 0 ||
		call_id(call, 1, "load balancer id", &id, ret_reply) < 0)
		return;
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = haproxy_instance_upload(
		instance, request->body, request->body_size_bytes, &output, &err);
	if (r == -EBADMSG) {
		reply_error(ret_reply, 400, "Invalid request", reply_words(&output, &err));
	} else if (r < 0) {
		reply_failure(ret_reply, r, "Error writing haproxy configuration", &err);
	} else {
		haproxy_stored_model_drop(instance);
		reply_ok(ret_reply, 202, NULL);
		reply_set_etag_of(ret_reply, request->body, request->body_size_bytes);
	}
}

void haproxy_get(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	r = haproxy_instance_read(agent_haproxy(call->agent), &id, &text, &err);
	if (r == -ENOENT) {
		reply_no_load_balancer(ret_reply, &id);
	} else if (r < 0) {
		reply_failure(ret_reply, r, "Error reading haproxy configuration", &err);
	} else {
		reply_text(ret_reply, &text);
		reply_set_etag_of(ret_reply, ret_reply->body, ret_reply->body_size_bytes);
	}
}

static int action_run(enum action action, struct haproxy_instance *instance,
	enum haproxy_applied *ret_applied, struct buf *ret_output, struct err *err)
{
	switch (action) {
	case ACTION_START:
		return haproxy_instance_start(instance, ret_applied, ret_output, err);
	case ACTION_STOP:
		return haproxy_instance_stop(instance, ret_applied, err);
	default:
		return haproxy_instance_reload(instance, ret_applied, ret_output, err);
	}
}

static void reply_acted(struct http_reply *ret_reply, enum action action,
	enum haproxy_applied applied, const struct id *id)
{
	cleanup_free char *details = NULL;

	if (action == ACTION_START || applied == HAPROXY_APPLIED_START)
		details = xformat(
			"Configuration file is valid\nhaproxy daemon for %s started", id->text);
	else
		details = xformat(
			"Listener %s %s", id->text, action == ACTION_STOP ? "stopped" : "reloaded");
	reply_ok(ret_reply, 202, details);
}

void load_balancer_act(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	enum haproxy_applied applied;
	struct err err = ERR_NONE;
	enum action action;
	struct id id;
	int r;

	if (call_action(call, 1, &action, ret_reply) < 0 ||
		call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	if (lvs_instance_exists(agent_lvs(call->agent), &id)) {
		udp_listener_act(call, &id, action, ret_reply);
		return;
	}
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = action_run(action, instance, &applied, &output, &err);
	vrrp_check_refresh(agent_deploy(call->agent));
	/* HAProxy itself, or its namespace, may be what is not there. */
	if (r == -ENOENT && !haproxy_instance_exists(instance->site, &id)) {
		reply_no_load_balancer(ret_reply, &id);
	} else if (r < 0) {
		cleanup_free char *message =
			xformat("Error %s haproxy", action == ACTION_START  ? "starting"
						    : action == ACTION_STOP ? "stopping"
									    : "reloading");

		reply_error(ret_reply, 500, message, reply_words(&output, &err));
	} else {
		log_info("load balancer %s: %s: %s", id.text, action_name(action),
			haproxy_applied_text(applied));
		if (action != ACTION_STOP)
			vips_advertise_load_balancer(call->agent, &id);
		reply_acted(ret_reply, action, applied, &id);
	}
}

static void reply_deleted(struct http_reply *ret_reply, int r, const struct err *err)
{
	if (r < 0)
		reply_error(ret_reply, 500, "Error deleting load balancer", err->text);
	else
		reply_ok(ret_reply, 200, NULL);
}

void listener_delete(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	if (lvs_instance_exists(agent_lvs(call->agent), &id)) {
		udp_listener_delete(call, &id, ret_reply);
		return;
	}
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = haproxy_instance_delete(instance, &err);
	vrrp_check_refresh(agent_deploy(call->agent));
	reply_deleted(ret_reply, r, &err);
}

void load_balancer_delete(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	r = deployment_delete(agent_deploy(call->agent), instance, &err);
	vrrp_check_refresh(agent_deploy(call->agent));
	reply_deleted(ret_reply, r, &err);
}

/* Adds the listeners of one load balancer; one that vanishes meanwhile has none. */
static void listeners_append(json_t *listeners, struct haproxy_site *site, const struct id *id)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	struct haproxy_config config;

	if (haproxy_instance_read(site, id, &text, NULL) < 0)
		return;
	haproxy_config_parse(buf_text(&text), text.size_bytes, &config);
	for (size_t i = 0; i < config.listener_count; i++)
		json_array_append_new(
			listeners, json_pack("{s:s, s:s, s:s}", "status", "ACTIVE", "uuid",
					   config.listeners[i].name, "type",
					   haproxy_listener_type_text(config.listeners[i].type)));
	haproxy_config_deinit(&config);
}

void listeners_get(const struct call *call, struct http_reply *ret_reply)
{
	struct haproxy_site *site = agent_haproxy(call->agent);
	cleanup_free struct id *ids = NULL;
	json_t *listeners;
	size_t count;
	struct err err = ERR_NONE;
	int r = haproxy_site_load_balancers(site, &ids, &count, &err);

	if (r < 0) {
		reply_error(ret_reply, 500, "Error reading the load balancers", err.text);
		return;
	}
	listeners = json_array();
	for (size_t i = 0; i < count; i++)
		listeners_append(listeners, site, &ids[i]);
	if (udp_listeners_append(listeners, call->agent, &err) < 0) {
		json_decref(listeners);
		reply_error(ret_reply, 500, "Error reading the listeners", err.text);
		return;
	}
	reply_json(ret_reply, 200, listeners);
}
