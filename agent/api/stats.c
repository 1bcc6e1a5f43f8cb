/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/traffic.h"
#include "base/log.h"

/* Octavia's names. */
static json_t *stats_json(const struct traffic *traffic, uint64_t sessions)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "bytes_in", (json_int_t)traffic->bytes_in,
		"bytes_out", (json_int_t)traffic->bytes_out, "active_connections",
		(json_int_t)sessions, "total_connections", (json_int_t)traffic->sessions_total,
		"request_errors", (json_int_t)traffic->errors_request);
}

static void listener_add(json_t *listeners, const struct ledger *ledger, const char *name)
{
	struct traffic traffic;
	uint64_t sessions;

	ledger_listener(ledger, name, &traffic, &sessions);
	json_object_set_new(listeners, name, stats_json(&traffic, sessions));
}

static json_t *listeners_json(const struct traffic_count *count)
{
	const struct ledger *ledger = count->traffic->ledger;
	json_t *listeners = json_object();

	for (size_t i = 0; i < count->config.listener_count; i++)
		listener_add(listeners, ledger, count->config.listeners[i].name);
	for (size_t i = 0; i < count->lvs_listener_count; i++)
		listener_add(listeners, ledger, count->lvs_listeners[i].text);
	return listeners;
}

static json_t *count_json(const struct traffic_count *count)
{
	const struct ledger *ledger = count->traffic->ledger;
	struct traffic total;
	uint64_t sessions;

	ledger_total(ledger, &total, &sessions);
	return json_pack("{s:o, s:o, s:o}", "stats", stats_json(&total, sessions), "listeners",
		listeners_json(count), "since", reply_json_time(ledger_since(ledger)));
}

void stats_get(const struct call *call, struct http_reply *ret_reply)
{
	cleanup_traffic_count struct traffic_count count = {0};
	struct err trouble = ERR_NONE;
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	r = traffic_count(call->agent, &id, &count, &trouble, &err);
	if (r == -ENOENT) {
		reply_no_load_balancer(ret_reply, &id);
		return;
	}
	if (r < 0) {
		reply_failure(ret_reply, r, "Error reading the load balancer", &err);
		return;
	}
	if (trouble.code < 0)
		log_warning("load balancer %s: counting its traffic: %s", id.text, trouble.text);
	reply_json(ret_reply, 200, count_json(&count));
}
