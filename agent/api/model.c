/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/traffic.h"
#include "api/vips.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "deploy/deployment.h"
#include "deploy/vrrp_check.h"

static json_t *faults_json(const struct fault_list *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults->count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "path", faults->items[i].path,
						    "error", faults->items[i].text));
	if (faults->left_out > 0)
		json_array_append_new(
			list, json_pack("{s:s, s:o}", "path", "", "error",
				      json_sprintf("and %zu more", faults->left_out)));
	return list;
}

static void reply_faults(struct http_reply *ret_reply, const struct faults *faults)
{
	reply_json(ret_reply, 400,
		json_pack("{s:s, s:o}", "message", "Invalid load balancer", "details",
			faults_json(&faults->errors)));
}

static json_t *changes_json(const struct changes *changes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < changes->count; i++)
		json_array_append_new(list, reply_json_text(changes->lines[i]));
	if (changes->left_out > 0)
		json_array_append_new(list, json_sprintf("and %zu more", changes->left_out));
	return list;
}

static void reply_with_warnings(
	struct http_reply *ret_reply, json_t *reply, const struct faults *faults)
{
	if (faults->warnings.count > 0)
		json_object_set_new(reply, "warnings", faults_json(&faults->warnings));
	reply_json(ret_reply, 200, reply);
}

static void reply_applied(struct http_reply *ret_reply, const struct deployment *deployment,
	const struct deployment_result *result, const struct faults *faults)
{
	json_t *reply = json_pack("{s:s, s:s, s:o}", "message", "OK", "applied",
		applied_text(result->applied), "changes", changes_json(&result->changes));

	reply_with_warnings(ret_reply, reply, faults);
	reply_set_etag(ret_reply, deployment->etag);
}

static json_t *listeners_json(const struct rendering *rendering)
{
	json_t *listeners = json_object();

	for (size_t i = 0; i < rendering->listener_count; i++)
		json_object_set_new(listeners, rendering->listeners[i].id.text,
			reply_json_text(buf_text(&rendering->listeners[i].text)));
	return listeners;
}

static void reply_preview(struct http_reply *ret_reply, const struct deployment_result *result,
	const struct faults *faults)
{
	const struct rendering *rendering = &result->rendering;
	json_t *vrrp =
		rendering->has_vrrp ? reply_json_text(buf_text(&rendering->vrrp)) : json_null();
	json_t *reply = json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "haproxy.cfg",
		reply_json_text(buf_text(&rendering->haproxy)), "keepalived-lvs",
		listeners_json(rendering), "keepalived-vrrp", vrrp, "check",
		reply_json_text(buf_text(&result->output)), "would_apply",
		applied_text(result->applied), "changes", changes_json(&result->changes));

	reply_with_warnings(ret_reply, reply, faults);
}

/*
 * The model is valid; what went wrong is a daemon's or ours, not the client's, unless there is too
 * much of it, or something of it is another load balancer's.
 */
static void reply_not_applied(struct http_reply *ret_reply, int r,
	const struct deployment_result *result, const struct err *err)
{
	int status = r == -EMSGSIZE ? 400 : r == -EBUSY ? 409 : 500;

	reply_error(ret_reply, status, "Error applying the load balancer",
		reply_words(&result->output, err));
}

/*
 * Whether a PUT only asks what it would do. -EINVAL for any other query: a misspelt dry run must
 * not become a real one.
 */
static int dry_run_parse(const char *query, bool *ret_dry_run)
{
	*ret_dry_run = text_equal_nocase(query, "dry_run=true");
	return *ret_dry_run || !query[0] || text_equal_nocase(query, "dry_run=false") ? 0 : -EINVAL;
}

/* Whether If-Match, if there is one, names the model in force; bare or quoted. */
static bool if_match_holds(const struct call *call, const struct id *load_balancer)
{
	const char *wanted = http_request_header(call->request, "If-Match");
	cleanup_buf struct buf text = BUF_INIT(HTTP_BODY_MAX_BYTES);
	char etag[MD5_HEX_SIZE + 1];
	cleanup_free char *quoted = NULL;

	if (!wanted)
		return true;
	if (deployment_read(agent_deploy(call->agent), load_balancer, &text, etag, NULL, NULL) < 0)
		return false;
	quoted = xformat("\"%s\"", etag);
	return text_equal(wanted, etag) || text_equal(wanted, quoted) || text_equal(wanted, "*");
}

static void model_preview(const struct deploy_site *site, struct haproxy_instance *instance,
	const struct deployment *deployment, const struct faults *faults,
	struct http_reply *ret_reply)
{
	cleanup_deployment_result struct deployment_result result;
	struct err err = ERR_NONE;
	int r = deployment_preview(site, instance, deployment, &result, &err);

	if (r < 0)
		reply_not_applied(ret_reply, r, &result, &err);
	else
		reply_preview(ret_reply, &result, faults);
}

static void model_advertise(struct agent *agent, const struct load_balancer *load_balancer)
{
	cleanup_free struct address *addresses =
		xcalloc(load_balancer->vip_count, sizeof(*addresses));

	if (!load_balancer->admin_state_up)
		return;
	for (size_t i = 0; i < load_balancer->vip_count; i++)
		addresses[i] = load_balancer->vips[i].address;
	vips_advertise(agent, addresses, load_balancer->vip_count);
}

static void model_apply(struct agent *agent, struct haproxy_instance *instance,
	const struct deployment *deployment, const struct faults *faults,
	struct http_reply *ret_reply)
{
	cleanup_deployment_result struct deployment_result result;
	struct err err = ERR_NONE;
	int r;

	traffic_count_lvs(agent, &instance->id);
	r = deployment_apply(agent_deploy(agent), instance, deployment, &result, &err);
	vrrp_check_refresh(agent_deploy(agent));
	if (r < 0) {
		reply_not_applied(ret_reply, r, &result, &err);
		return;
	}
	log_info("load balancer %s: model: %s", instance->id.text, applied_text(result.applied));
	if (result.applied != APPLIED_STOP)
		model_advertise(agent, deployment->load_balancer);
	reply_applied(ret_reply, deployment, &result, faults);
}

void model_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	cleanup_faults struct faults faults = {0};
	struct deployment deployment;
	struct id amphora;
	struct id id;
	bool dry_run;

	if (call_id(call, 0, "amphora id", &amphora, ret_reply) < 0 ||
		call_id(call, 1, "load balancer id", &id, ret_reply) < 0)
		return;
	if (dry_run_parse(request->query, &dry_run) < 0) {
		reply_error(ret_reply, 400, "Invalid request",
			"the query must be dry_run=true, dry_run=false or none");
		return;
	}
	if (load_balancer_parse(request->body, request->body_size_bytes, &id, &faults,
		    &load_balancer, NULL) < 0 ||
		deployment_init(&deployment, request->body, request->body_size_bytes, load_balancer,
			&amphora, &faults) < 0) {
		reply_faults(ret_reply, &faults);
		return;
	}
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	if (!if_match_holds(call, &id))
		reply_error(ret_reply, 409, "Conflict",
			"If-Match is not the ETag of the present model: read it again, it was "
			"changed");
	else if (dry_run)
		model_preview(agent_deploy(call->agent), instance, &deployment, &faults, ret_reply);
	else
		model_apply(call->agent, instance, &deployment, &faults, ret_reply);
}

static void reply_no_model(
	struct http_reply *ret_reply, int r, const struct id *id, const struct err *err)
{
	if (r == -ENOENT)
		reply_no_load_balancer(ret_reply, id);
	else if (r == -ENODATA)
		reply_error(ret_reply, 404, "Model Not Found", err->text);
	else
		reply_failure(ret_reply, r, "Error reading the model", err);
}

void model_get(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_buf struct buf text = BUF_INIT(HTTP_BODY_MAX_BYTES);
	char etag[MD5_HEX_SIZE + 1];
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	r = deployment_read(agent_deploy(call->agent), &id, &text, etag, NULL, &err);
	if (r < 0) {
		reply_no_model(ret_reply, r, &id, &err);
		return;
	}
	reply_text(ret_reply, &text);
	ret_reply->content_type = "application/json";
	reply_set_etag(ret_reply, etag);
}
