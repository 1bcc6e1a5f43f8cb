/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/status_tree.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "deploy/status_json.h"

struct tree {
	const struct status_input *input;
	const struct haproxy_stat **rows; /* sorted by proxy and server */
	size_t row_count;
	int status; /* of the load balancer */
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
	return status_member_json(
		id, name, address, port, row ? row->status : NULL, row ? observed_json(row) : NULL);
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

static int pool_status(const struct tree *tree, const char *proxy, const json_t *members)
{
	const struct haproxy_stat *row = row_find(tree, proxy, "BACKEND");

	if (!row)
		return STATUS_OFFLINE;
	if (!text_starts_with(row->status, "UP"))
		return STATUS_ERROR;
	return status_has_error(members) ? STATUS_DEGRADED : STATUS_ONLINE;
}

/* Takes members and monitor (may be NULL) over. */
static json_t *pool_json(struct tree *tree, const char *id, const char *name, const char *proxy,
	json_t *monitor, json_t *members)
{
	int status = pool_status(tree, proxy, members);

	tree->status = operating_status_worst(tree->status, status);
	return status_pool_json(id, name, status, monitor, members);
}

static json_t *modelled_pool(
	struct tree *tree, const struct pool *pool, const struct listener *listener)
{
	cleanup_free char *proxy = xformat("%s:%s", pool->id.text, listener->id.text);

	return pool_json(tree, pool->id.text, pool->name, proxy,
		pool->health_monitor ? status_monitor_json(pool->health_monitor) : NULL,
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

static int listener_status(const struct tree *tree, const char *id, bool enabled)
{
	const struct haproxy_stat *row = row_find(tree, id, "FRONTEND");

	if (!enabled || tree->input->stopped)
		return STATUS_OFFLINE;
	if (!row)
		return STATUS_ERROR;
	return text_equal(row->status, "OPEN") ? STATUS_ONLINE : STATUS_DEGRADED;
}

/* Takes pools over. */
static json_t *listener_json(
	struct tree *tree, const char *id, const char *name, bool enabled, json_t *pools)
{
	int status = listener_status(tree, id, enabled);

	tree->status = operating_status_worst(tree->status, status);
	return status_listener_json(id, name, status, pools);
}

/* Those of L7 policies included, as there. */
static json_t *modelled_listener(
	struct tree *tree, const struct listener *listener, bool is_enabled)
{
	size_t count = 0;
	cleanup_free const struct pool **used = listener_pools(listener, &count);
	json_t *pools = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(pools, modelled_pool(tree, used[i], listener));
	return listener_json(tree, listener->id.text, listener->name, is_enabled, pools);
}

static json_t *modelled_listeners(struct tree *tree)
{
	const struct load_balancer *model = tree->input->model;
	json_t *listeners = json_array();

	for (size_t i = 0; i < model->listener_count; i++) {
		const struct listener *listener = &model->listeners[i];
		bool is_enabled = model->admin_state_up && listener->admin_state_up;

		if (listener_is_lvs(listener))
			json_array_append_new(
				listeners, status_of_modelled_listener(listener, is_enabled,
						   lvs_listener_find(tree->input->lvs_listeners,
							   &listener->id),
						   &tree->status));
		else
			json_array_append_new(
				listeners, modelled_listener(tree, listener, is_enabled));
	}
	return listeners;
}

static json_t *configured_listeners(struct tree *tree)
{
	const struct haproxy_config *config = tree->input->config;
	const struct lvs_listener_list *others = tree->input->lvs_listeners;
	json_t *listeners = json_array();

	for (size_t i = 0; i < config->listener_count; i++) {
		const char *id = config->listeners[i].name;

		json_array_append_new(
			listeners, listener_json(tree, id, "", true, configured_pools(tree, id)));
	}
	for (size_t i = 0; i < others->count; i++)
		json_array_append_new(
			listeners, status_of_configured_listener(&others->items[i], &tree->status));
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

/* What is served by LVS alone has no HAProxy to be stopped. */
static bool is_served(const struct status_input *input)
{
	const struct lvs_listener_list *others = input->lvs_listeners;

	if (input->model && !input->model->admin_state_up)
		return false;
	for (size_t i = 0; i < others->count; i++)
		if (others->items[i].state != LVS_INSTANCE_OFFLINE)
			return true;
	return !input->stopped;
}

json_t *status_tree(const struct status_input *input)
{
	const struct load_balancer *model = input->model;
	struct tree tree = {.input = input, .status = STATUS_ONLINE};
	json_t *listeners;

	rows_sort(&tree);
	listeners = model ? modelled_listeners(&tree) : configured_listeners(&tree);
	free(tree.rows);
	return json_pack("{s:{s:{s:s, s:s, s:s, s:o}}}", "statuses", "loadbalancer", "id",
		input->id->text, "name", model ? model->name : "", "operating_status",
		operating_status_text(is_served(input) ? tree.status : STATUS_OFFLINE), "listeners",
		listeners);
}
