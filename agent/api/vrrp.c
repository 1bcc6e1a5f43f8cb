/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/vrrp.h"

#include <errno.h>

#include "api/action.h"
#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "deploy/vrrp_check.h"
#include "keepalived/check.h"

void vrrp_config_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_vrrp struct vrrp *vrrp = NULL;
	cleanup_buf struct buf output = BUF_INIT(KEEPALIVED_OUTPUT_MAX_BYTES);
	struct err err = ERR_NONE;
	int r;

	/* The config names the script, and without it keepalived would not check anything. */
	vrrp_check_refresh(agent_deploy(call->agent));
	vrrp = vrrp_acquire(agent_keepalived(call->agent));
	r = vrrp_upload(vrrp, request->body, request->body_size_bytes, &output, &err);
	if (r == -EBADMSG) {
		reply_error(ret_reply, 400, "Invalid request", reply_words(&output, &err));
	} else if (r < 0) {
		reply_failure(ret_reply, r, "Error writing keepalived configuration", &err);
	} else {
		reply_ok(ret_reply, 200, NULL);
		reply_set_etag_of(ret_reply, request->body, request->body_size_bytes);
	}
}

void vrrp_act(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_vrrp struct vrrp *vrrp = NULL;
	struct err err = ERR_NONE;
	enum action action;
	bool started = false;
	int r;

	if (call_action(call, 0, &action, ret_reply) < 0)
		return;
	vrrp_check_refresh(agent_deploy(call->agent));
	vrrp = vrrp_acquire(agent_keepalived(call->agent));
	if (action == ACTION_STOP)
		r = vrrp_stop(vrrp, &err);
	else
		r = vrrp_start(vrrp, &started, &err);
	if (r < 0) {
		cleanup_free char *message =
			xformat("Failed to %s octavia-keepalived service", action_name(action));

		reply_error(ret_reply, 500, message, err.text);
	} else {
		reply_ok(ret_reply, 202,
			action == ACTION_STOP ? "keepalived stopped"
			: started             ? "keepalived started"
					      : "keepalived reloaded");
	}
}
