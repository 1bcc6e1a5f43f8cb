/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/vips.h"
#include "api/vrrp_check.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "haproxy/config.h"
#include "haproxy/model_apply.h"
#include "haproxy/status_tree.h"
#include "haproxy/stored_model.h"

enum { STATS_TIMEOUT_MS = 5000 };

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

static json_t *changes_json(const struct haproxy_changes *changes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < changes->count; i++)
		json_array_append_new(list, reply_json_text(changes->lines[i]));
	return list;
}

static void reply_applied(struct http_reply *ret_reply, const struct haproxy_model *model,
	const struct haproxy_model_result *result, const struct faults *faults)
{
	json_t *reply = json_pack("{s:s, s:s, s:o}", "message", "OK", "applied",
		haproxy_applied_text(result->applied), "changes", changes_json(&result->changes));

	if (faults->warnings.count > 0)
		json_object_set_new(reply, "warnings", faults_json(&faults->warnings));
	reply_json(ret_reply, 200, reply);
	reply_set_etag(ret_reply, model->etag);
}

static void reply_preview(struct http_reply *ret_reply, const struct haproxy_model_result *result,
	const struct faults *faults)
{
	json_t *reply = json_pack("{s:o, s:{}, s:n, s:o, s:s, s:o}", "haproxy.cfg",
		reply_json_text(buf_text(&result->config)), "keepalived-lvs", "keepalived-vrrp",
		"check", reply_json_text(buf_text(&result->output)), "would_apply",
		haproxy_applied_text(result->applied), "changes", changes_json(&result->changes));

	if (faults->warnings.count > 0)
		json_object_set_new(reply, "warnings", faults_json(&faults->warnings));
	reply_json(ret_reply, 200, reply);
}

/*
 * The model is valid; what went wrong is HAProxy's or ours, not the client's, unless there is too
 * much of it.
 */
static void reply_not_applied(struct http_reply *ret_reply, int r,
	const struct haproxy_model_result *result, const struct err *err)
{
	reply_error(ret_reply, r == -EMSGSIZE ? 400 : 500, "Error applying the load balancer",
		result->output.size_bytes ? buf_text(&result->output) : err->text);
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
static bool if_match_holds(const struct call *call, const struct haproxy_instance *instance)
{
	const char *wanted = http_request_header(call->request, "If-Match");
	cleanup_buf struct buf text = BUF_INIT(HTTP_BODY_MAX_BYTES);
	char etag[MD5_HEX_SIZE + 1];
	cleanup_free char *quoted = NULL;

	if (!wanted)
		return true;
	if (haproxy_stored_model_read(instance->site, &instance->id, &text, etag, NULL) < 0)
		return false;
	quoted = xformat("\"%s\"", etag);
	return text_equal(wanted, etag) || text_equal(wanted, quoted) || text_equal(wanted, "*");
}

static void model_preview(struct haproxy_instance *instance, const struct haproxy_model *model,
	const struct faults *faults, struct http_reply *ret_reply)
{
	cleanup_haproxy_model_result struct haproxy_model_result result;
	struct err err = ERR_NONE;
	int r = haproxy_model_preview(instance, model, &result, &err);

	if (r < 0)
		reply_not_applied(ret_reply, r, &result, &err);
	else
		reply_preview(ret_reply, &result, faults);
}

static void model_apply(struct agent *agent, struct haproxy_instance *instance,
	const struct haproxy_model *model, const struct faults *faults,
	struct http_reply *ret_reply)
{
	cleanup_haproxy_model_result struct haproxy_model_result result;
	struct err err = ERR_NONE;
	int r = haproxy_model_apply(instance, model, &result, &err);

	vrrp_check_refresh(agent);
	if (r < 0) {
		reply_not_applied(ret_reply, r, &result, &err);
		return;
	}
	log_info("load balancer %s: model: %s", instance->id.text,
		haproxy_applied_text(result.applied));
	if (result.applied != HAPROXY_APPLIED_STOP)
		vips_advertise_load_balancer(agent, &instance->id);
	reply_applied(ret_reply, model, &result, faults);
}

void model_put(const struct call *call, struct http_reply *ret_reply)
{
	const struct http_request *request = call->request;
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	cleanup_faults struct faults faults = {0};
	struct haproxy_model model;
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
		    &load_balancer, NULL) < 0) {
		reply_faults(ret_reply, &faults);
		return;
	}
	model = haproxy_model_of(request->body, request->body_size_bytes, load_balancer);
	instance = haproxy_instance_acquire(agent_haproxy(call->agent), &id);
	if (!if_match_holds(call, instance))
		reply_error(ret_reply, 409, "Conflict",
			"If-Match is not the ETag of the present model: read it again, it was "
			"changed");
	else if (dry_run)
		model_preview(instance, &model, &faults, ret_reply);
	else
		model_apply(call->agent, instance, &model, &faults, ret_reply);
}

static void reply_no_model(
	struct http_reply *ret_reply, int r, const struct id *id, struct err *err)
{
	if (r == -ENOENT)
		err_set(err, r, "No loadbalancer with UUID: %s", id->text);
	if (r == -ENOENT || r == -ENODATA)
		reply_error(ret_reply, 404,
			r == -ENOENT ? "Loadbalancer Not Found" : "Model Not Found", err->text);
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
	r = haproxy_stored_model_read(agent_haproxy(call->agent), &id, &text, etag, &err);
	if (r < 0) {
		reply_no_model(ret_reply, r, &id, &err);
		return;
	}
	reply_text(ret_reply, &text);
	ret_reply->content_type = "application/json";
	reply_set_etag(ret_reply, etag);
}

void status_get(const struct call *call, struct http_reply *ret_reply)
{
	struct haproxy_site *site = agent_haproxy(call->agent);
	cleanup_load_balancer struct load_balancer *model = NULL;
	cleanup_buf struct buf text = BUF_INIT(HTTP_BODY_MAX_BYTES);
	cleanup_free char *socket_path = NULL;
	cleanup_free char *stopped_path = NULL;
	struct haproxy_stats stats = {0};
	struct haproxy_config config;
	struct haproxy_servers servers;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	r = haproxy_instance_read(site, &id, &text, &err);
	if (r < 0) {
		reply_no_model(ret_reply, r, &id, &err);
		return;
	}
	socket_path = haproxy_site_path(site, &id, HAPROXY_FILE_STATS_SOCKET);
	stopped_path = haproxy_site_path(site, &id, HAPROXY_FILE_STOPPED);
	model = haproxy_stored_model_parse(site, &id);
	haproxy_config_parse(buf_text(&text), text.size_bytes, &config);
	haproxy_servers_parse(buf_text(&text), text.size_bytes, &servers);
	if (haproxy_stats_query(socket_path, STATS_TIMEOUT_MS, &stats, &err) < 0)
		log_debug("load balancer %s: %s", id.text, err.text);
	reply_json(ret_reply, 200,
		haproxy_status_tree(&(const struct haproxy_status_input){
			.id = &id,
			.model = model,
			.config = &config,
			.servers = &servers,
			.stats = &stats,
			.stopped = file_exists(stopped_path),
		}));
	haproxy_stats_deinit(&stats);
	haproxy_servers_deinit(&servers);
	haproxy_config_deinit(&config);
}
