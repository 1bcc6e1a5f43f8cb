/* SPDX-License-Identifier: Apache-2.0 */
#include "api/udp_listener.h"

#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/traffic.h"
#include "api/vips.h"
#include "base/alloc.h"
#include "base/log.h"
#include "deploy/admission.h"
#include "deploy/vrrp_check.h"
#include "keepalived/check.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/site.h"

static void reply_not_found(struct http_reply *ret_reply, const struct id *listener)
{
	cleanup_free char *details = xformat("No UDP listener with UUID: %s", listener->text);

	reply_error(ret_reply, 404, "UDP Listener Not Found", details);
}

_Static_assert(LVS_CONFIG_MAX_BYTES >= (int)HTTP_BODY_MAX_BYTES, "any upload fits");

void udp_listener_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_lvs_instance struct lvs_instance *instance = NULL;
	cleanup_buf struct buf output = BUF_INIT(KEEPALIVED_OUTPUT_MAX_BYTES);
	struct err err = ERR_NONE;
	struct id amphora;
	struct id listener;
	int r;

	if (call_id(call, 0, "amphora id", &amphora, ret_reply) < 0 ||
		call_id(call, 1, "listener id", &listener, ret_reply) < 0)
		return;
	instance = lvs_instance_acquire(agent_lvs(call->agent), &listener);
	r = lvs_instance_upload(instance, request->body, request->body_size_bytes, &output, &err);
	if (r == -EBADMSG) {
		reply_error(ret_reply, 400, "Invalid request", reply_words(&output, &err));
	} else if (r < 0) {
		reply_failure(ret_reply, r, "Error writing keepalived configuration", &err);
	} else {
		reply_ok(ret_reply, 200, NULL);
		reply_set_etag_of(ret_reply, request->body, request->body_size_bytes);
	}
}

void udp_listener_get(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	struct err err = ERR_NONE;
	struct id listener;
	int r;

	if (call_id(call, 0, "listener id", &listener, ret_reply) < 0)
		return;
	r = lvs_instance_read(agent_lvs(call->agent), &listener, &text, &err);
	if (r == -ENOENT)
		reply_not_found(ret_reply, &listener);
	else if (r < 0)
		reply_failure(ret_reply, r, "Error reading keepalived configuration", &err);
	else
		reply_text(ret_reply, &text);
}

/* Each once, although a config may serve several ports of an address. */
static void vips_advertise_listener(struct agent *agent, const struct id *listener)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	cleanup_lvs_config struct lvs_config config = {0};
	cleanup_free struct address *addresses = NULL;
	size_t count = 0;

	if (lvs_instance_read(agent_lvs(agent), listener, &text, NULL) < 0)
		return;
	lvs_config_parse(buf_text(&text), text.size_bytes, &config);
	addresses = xcalloc(config.virtual_server_count + 1, sizeof(*addresses));
	for (size_t i = 0; i < config.virtual_server_count; i++) {
		const struct address *address = &config.virtual_servers[i].address;

		if (!address_is_among(address, addresses, count))
			addresses[count++] = *address;
	}
	vips_advertise(agent, addresses, count);
}

static int action_run(enum action action, struct lvs_instance *instance,
	enum lvs_applied *ret_applied, struct err *err)
{
	switch (action) {
	case ACTION_START:
		return lvs_instance_start(instance, ret_applied, err);
	case ACTION_STOP:
		return lvs_instance_stop(instance, ret_applied, err);
	default:
		return lvs_instance_reload(instance, ret_applied, err);
	}
}

static void reply_acted(struct http_reply *ret_reply, enum action action, const struct id *listener)
{
	static const char *const past[] = {
		[ACTION_START] = "started",
		[ACTION_STOP] = "stopped",
		[ACTION_RELOAD] = "reloaded",
	};
	cleanup_free char *details = xformat("Listener %s %s", listener->text, past[action]);

	reply_ok(ret_reply, 202, details);
}

void udp_listener_act(const struct call *call, const struct id *listener, enum action action,
	struct http_reply *ret_reply)
{
	cleanup_lvs_instance struct lvs_instance *instance =
		lvs_instance_acquire(agent_lvs(call->agent), listener);
	enum lvs_applied applied;
	struct err err = ERR_NONE;
	int r;

	if (action != ACTION_START)
		traffic_count_listener(call->agent, listener);
	r = action_run(action, instance, &applied, &err);
	admission_refresh(agent_deploy(call->agent));
	vrrp_check_refresh(agent_deploy(call->agent));
	if (r == -ENOENT) {
		reply_not_found(ret_reply, listener);
	} else if (r < 0) {
		cleanup_free char *message = xformat("Failed to %s keepalivedlvs listener %s",
			action_name(action), listener->text);

		reply_error(ret_reply, 500, message, err.text);
	} else {
		log_info("listener %s: %s: %s", listener->text, action_name(action),
			lvs_applied_text(applied));
		if (action != ACTION_STOP)
			vips_advertise_listener(call->agent, listener);
		reply_acted(ret_reply, action, listener);
	}
}

void udp_listener_delete(
	const struct call *call, const struct id *listener, struct http_reply *ret_reply)
{
	cleanup_lvs_instance struct lvs_instance *instance =
		lvs_instance_acquire(agent_lvs(call->agent), listener);
	struct err err = ERR_NONE;
	int r;

	traffic_count_listener(call->agent, listener);
	r = lvs_instance_delete(instance, &err);
	admission_refresh(agent_deploy(call->agent));
	vrrp_check_refresh(agent_deploy(call->agent));
	if (r < 0)
		reply_error(ret_reply, 500, "Error deleting listener", err.text);
	else
		reply_ok(ret_reply, 200, NULL);
}

int udp_listeners_append(json_t *listeners, struct agent *agent, struct err *err)
{
	static const char *const statuses[] = {
		[LVS_INSTANCE_ACTIVE] = "ACTIVE",
		[LVS_INSTANCE_OFFLINE] = "OFFLINE",
		[LVS_INSTANCE_ERROR] = "ERROR",
	};
	const struct lvs_site *site = agent_lvs(agent);
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = lvs_listeners(lvs_site_base_path(site), &ids, &count, err);

	/* SCTP too: controllers know no other word. */
	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			listeners, json_pack("{s:s, s:s, s:s}", "status",
					   statuses[lvs_instance_state(site, &ids[i])], "uuid",
					   ids[i].text, "type", "UDP"));
	return r;
}
