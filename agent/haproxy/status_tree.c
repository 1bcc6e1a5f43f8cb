/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/status_tree.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

/* From good to bad, so that the worst of several is their maximum. */
enum operating_status { STATUS_ONLINE, STATUS_DEGRADED, STATUS_ERROR };

static const char *const status_names[] = {"ONLINE", "DEGRADED", "ERROR"};
static const char status_offline[] = "OFFLINE";

struct tree {
	const struct haproxy_status_input *input;
	const struct haproxy_stat **rows; /* sorted by proxy and server */
	size_t row_count;
	enum operating_status status; /* of the load balancer */
};

static int row_compare(const void *a, const void *b)
{
	const struct haproxy_stat *row_a = *(const struct haproxy_stat *const *)a;
	const struct haproxy_stat *row_b = *(const struct haproxy_stat *const *)b;
	int proxies = strcmp(row_a->proxy, row_b->proxy);

	return proxies ? proxies : strcmp(row_a->server, row_b->server);
}

static const struct haproxy_stat *row_find(
	const struct tree *tree, const char *proxy, const char *server)
{
	const struct haproxy_stat like = {.proxy = proxy, .server = server};
	const struct haproxy_stat *key = &like;
	const struct haproxy_stat **found =
		bsearch(&key, tree->rows, tree->row_count, sizeof(*tree->rows), row_compare);

	return found ? *found : NULL;
}

static void tree_worsen(struct tree *tree, enum operating_status status)
{
	if (status > tree->status)
		tree->status = status;
}

/* A member's status by what HAProxy says of it; a missing one is OFFLINE. */
static const char *member_status(const struct haproxy_stat *row)
{
	static const struct {
		const char *haproxy; /* how HAProxy's word begins: "UP 1/3" is UP */
		const char *octavia;
	} words[] = {
		{"UP", "ONLINE"},
		{"DOWN", "ERROR"},
		{"DRAIN", "DRAINING"},
		{"MAINT", "OFFLINE"},
		{"no check", "NO_MONITOR"},
	};

	for (size_t i = 0; row && i < sizeof(words) / sizeof(words[0]); i++)
		if (text_starts_with(row->status, words[i].haproxy))
			return words[i].octavia;
	return status_offline;
}

static json_t *observed_json(const struct haproxy_stat *row)
{
	cleanup_free char *text = xstrdup(row->last_check);
	json_t *check = json_null();

	/* The member's own words, when an HTTP check failed. */
	text_repair_utf8(text);
	if (row->check_status[0])
		check = json_pack("{s:s, s:I, s:I, s:s}", "result", row->check_status, "code",
			(json_int_t)row->check_code, "duration_ms",
			(json_int_t)row->check_duration_ms, "text", text);
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "state", row->status, "weight",
		(json_int_t)row->weight, "current_sessions", (json_int_t)row->sessions,
		"seconds_since_last_change", (json_int_t)row->last_change_s, "last_check", check);
}

static json_t *member_json(const char *id, const char *name, const char *address, in_port_t port,
	const struct haproxy_stat *row)
{
	json_t *member = json_pack("{s:s, s:s, s:s, s:i, s:s}", "id", id, "name", name, "address",
		address, "protocol_port", (int)port, "operating_status", member_status(row));
	json_t *observed = row ? observed_json(row) : NULL;

	json_object_update_missing(member, observed);
	json_decref(observed);
	return member;
}

static json_t *modelled_members(const struct tree *tree, const struct pool *pool, const char *proxy)
{
	json_t *members = json_array();

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct member *member = &pool->members[i];
		char address[ADDRESS_TEXT_MAX];

		address_format(&member->address, address);
		json_array_append_new(members,
			member_json(member->id.text, member->name, address, member->protocol_port,
				row_find(tree, proxy, member->id.text)));
	}
	return members;
}

/* Without a model: as the installed config says it. */
static json_t *configured_member(const struct tree *tree, const struct haproxy_server *server)
{
	const struct haproxy_stat *row = row_find(tree, server->backend, server->name);
	cleanup_free char *host = NULL;
	unsigned port = 0;
	size_t size;

	if (!haproxy_server_split_address(server->address, &size, &port))
		size = strlen(server->address);
	host = xmemdup_text(server->address, size);
	return member_json(server->name, "", host, (in_port_t)port, row);
}

static json_t *configured_members(const struct tree *tree, const char *proxy)
{
	const struct haproxy_servers *servers = tree->input->servers;
	json_t *members = json_array();

	for (size_t i = 0; i < servers->count; i++)
		if (text_equal(servers->items[i].backend, proxy))
			json_array_append_new(members, configured_member(tree, &servers->items[i]));
	return members;
}

static bool has_member_in_error(const json_t *members)
{
	size_t index;
	json_t *member;

	json_array_foreach(members, index, member)
	{
		if (text_equal(json_string_value(json_object_get(member, "operating_status")),
			    status_names[STATUS_ERROR]))
			return true;
	}
	return false;
}

static const char *pool_status(struct tree *tree, const char *proxy, const json_t *members)
{
	const struct haproxy_stat *row = row_find(tree, proxy, "BACKEND");
	enum operating_status status = STATUS_ONLINE;

	if (!row)
		return status_offline;
	if (!text_starts_with(row->status, "UP"))
		status = STATUS_ERROR;
	else if (has_member_in_error(members))
		status = STATUS_DEGRADED;
	tree_worsen(tree, status);
	return status_names[status];
}

/* Takes members and monitor (may be NULL) over. */
static json_t *pool_json(struct tree *tree, const char *id, const char *name, const char *proxy,
	json_t *monitor, json_t *members)
{
	json_t *pool = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", name, "operating_status",
		pool_status(tree, proxy, members), "members", members);

	if (monitor)
		json_object_set_new(pool, "health_monitor", monitor);
	return pool;
}

static json_t *monitor_json(const struct health_monitor *monitor)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "id", monitor->id.text, "name", monitor->name,
		"type", monitor->type == HEALTH_MONITOR_HTTP ? "HTTP" : "TCP", "operating_status",
		monitor->admin_state_up ? status_names[STATUS_ONLINE] : status_offline);
}

static json_t *modelled_pool(
	struct tree *tree, const struct pool *pool, const struct listener *listener)
{
	cleanup_free char *proxy = xformat("%s:%s", pool->id.text, listener->id.text);

	return pool_json(tree, pool->id.text, pool->name, proxy,
		pool->health_monitor ? monitor_json(pool->health_monitor) : NULL,
		modelled_members(tree, pool, proxy));
}

static json_t *configured_pools(struct tree *tree, const char *listener_id)
{
	const struct haproxy_config *config = tree->input->config;
	json_t *pools = json_array();

	for (size_t i = 0; i < config->backend_count; i++) {
		const char *proxy = config->backends[i];
		const char *colon = strchr(proxy, ':');
		cleanup_free char *id = NULL;

		if (!colon || !text_equal(colon + 1, listener_id))
			continue;
		id = xmemdup_text(proxy, (size_t)(colon - proxy));
		json_array_append_new(pools,
			pool_json(tree, id, "", proxy, NULL, configured_members(tree, proxy)));
	}
	return pools;
}

static const char *listener_status(struct tree *tree, const char *id, bool enabled)
{
	const struct haproxy_stat *row = row_find(tree, id, "FRONTEND");
	enum operating_status status = STATUS_ONLINE;

	if (!enabled || tree->input->stopped)
		return status_offline;
	if (!row)
		status = STATUS_ERROR;
	else if (!text_equal(row->status, "OPEN"))
		status = STATUS_DEGRADED;
	tree_worsen(tree, status);
	return status_names[status];
}

/* Takes pools over. */
static json_t *listener_json(
	struct tree *tree, const char *id, const char *name, bool enabled, json_t *pools)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", name, "operating_status",
		listener_status(tree, id, enabled), "pools", pools);
}

static json_t *modelled_listeners(struct tree *tree)
{
	const struct load_balancer *model = tree->input->model;
	json_t *listeners = json_array();

	for (size_t i = 0; i < model->listener_count; i++) {
		const struct listener *listener = &model->listeners[i];
		json_t *pools = json_array();

		if (listener->default_pool)
			json_array_append_new(
				pools, modelled_pool(tree, listener->default_pool, listener));
		json_array_append_new(listeners,
			listener_json(tree, listener->id.text, listener->name,
				model->admin_state_up && listener->admin_state_up, pools));
	}
	return listeners;
}

static json_t *configured_listeners(struct tree *tree)
{
	const struct haproxy_config *config = tree->input->config;
	json_t *listeners = json_array();

	for (size_t i = 0; i < config->listener_count; i++) {
		const char *id = config->listeners[i].name;

		json_array_append_new(
			listeners, listener_json(tree, id, "", true, configured_pools(tree, id)));
	}
	return listeners;
}

static void rows_sort(struct tree *tree)
{
	const struct haproxy_stats *stats = tree->input->stats;

	tree->rows = xcalloc(stats->row_count + 1, sizeof(*tree->rows));
	tree->row_count = stats->row_count;
	for (size_t i = 0; i < stats->row_count; i++)
		tree->rows[i] = &stats->rows[i];
	qsort(tree->rows, tree->row_count, sizeof(*tree->rows), row_compare);
}

json_t *haproxy_status_tree(const struct haproxy_status_input *input)
{
	const struct load_balancer *model = input->model;
	bool enabled = !input->stopped && (!model || model->admin_state_up);
	struct tree tree = {.input = input, .status = STATUS_ONLINE};
	json_t *listeners;

	rows_sort(&tree);
	listeners = model ? modelled_listeners(&tree) : configured_listeners(&tree);
	free(tree.rows);
	return json_pack("{s:{s:{s:s, s:s, s:s, s:o}}}", "statuses", "loadbalancer", "id",
		input->id->text, "name", model ? model->name : "", "operating_status",
		enabled ? status_names[tree.status] : status_offline, "listeners", listeners);
}
