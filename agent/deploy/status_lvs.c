/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/status_lvs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "deploy/belongings.h"
#include "deploy/status_json.h"
#include "keepalived/site.h"
#include "lvs/running.h"

enum { KERNEL_TIMEOUT_MS = 1000 };

/* kernel: NULL when it did not answer. One that was deleted meanwhile serves nothing. */
static void listener_read(const struct deploy_site *site, const struct ipvs_table *kernel,
	struct lvs_listener *listener)
{
	const char *base_path = lvs_site_base_path(site->lvs);
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	bool is_taken_up;

	listener->state = lvs_instance_state(site->lvs, &listener->id);
	lvs_instance_read(site->lvs, &listener->id, &text, NULL);
	lvs_config_parse(buf_text(&text), text.size_bytes, &listener->config);
	if (listener->config.is_disabled || listener->state != LVS_INSTANCE_ACTIVE)
		return;
	is_taken_up = lvs_running_has(base_path, &listener->id, buf_text(&text), text.size_bytes);
	listener->status =
		lvs_status_conclude(&listener->id, &listener->config, kernel, !is_taken_up);
}

int lvs_listener_list_read(const struct deploy_site *site, const struct id *load_balancer,
	struct lvs_listener_list *ret_list, struct err *err)
{
	cleanup_ipvs_table struct ipvs_table kernel = IPVS_TABLE_INIT;
	cleanup_free struct id *ids = NULL;
	struct err trouble = ERR_NONE;
	size_t count = 0;
	int answered;
	int r = belongings_listeners(site, load_balancer, &ids, &count, err);

	if (r < 0 || count == 0)
		return r;
	answered = ipvs_query_namespace(
		site->keepalived->network_namespace, KERNEL_TIMEOUT_MS, &kernel, &trouble);
	if (answered < 0)
		log_warning("load balancer %s: %s", load_balancer->text, trouble.text);
	ret_list->items = xcalloc(count, sizeof(*ret_list->items));
	for (size_t i = 0; i < count; i++) {
		struct lvs_listener *listener = &ret_list->items[ret_list->count++];

		listener->id = ids[i];
		listener_read(site, answered < 0 ? NULL : &kernel, listener);
	}
	return 0;
}

void lvs_listener_list_deinit(struct lvs_listener_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		lvs_config_deinit(&list->items[i].config);
		lvs_status_free(list->items[i].status);
	}
	free(list->items);
}

static int listener_compare(const void *a, const void *b)
{
	return strcmp(((const struct lvs_listener *)a)->id.text,
		((const struct lvs_listener *)b)->id.text);
}

const struct lvs_listener *lvs_listener_find(
	const struct lvs_listener_list *list, const struct id *listener)
{
	const struct lvs_listener like = {.id = *listener};

	return list->count == 0 ? NULL
				: bsearch(&like, list->items, list->count, sizeof(*list->items),
					  listener_compare);
}

/*
 * NULL: the kernel was not asked, or the config does not name it. Members are asked for in about
 * the order in which they lie: next is where to begin.
 */
static const struct lvs_member_status *member_find(
	const struct lvs_listener *observed, const char *id, size_t *next)
{
	const struct lvs_status *status = observed ? observed->status : NULL;

	for (size_t i = 0; status && i < status->member_count; i++) {
		size_t at = (*next + i) % status->member_count;

		if (text_equal(status->members[at].id.text, id)) {
			*next = at + 1;
			return &status->members[at];
		}
	}
	return NULL;
}

/* What a check said, and since when, keepalived tells nobody. */
static json_t *member_json(const struct lvs_listener *observed, const char *id, const char *name,
	const struct address *address, in_port_t port, size_t *next)
{
	const struct lvs_member_status *member = member_find(observed, id, next);
	json_t *seen = NULL;
	char text[ADDRESS_TEXT_MAX] = "";

	if (address->family)
		address_format(address, text);
	if (member)
		seen = json_pack("{s:s, s:I, s:I, s:n, s:n}", "state", member->status, "weight",
			(json_int_t)member->weight, "current_sessions",
			(json_int_t)member->connections_active, "seconds_since_last_change",
			"last_check");
	return status_member_json(id, name, text, port, member ? member->status : NULL, seen);
}

static int pool_status(const struct lvs_listener *observed, const json_t *members)
{
	const struct lvs_status *status = observed ? observed->status : NULL;

	if (!status || !status->has_pool)
		return STATUS_OFFLINE;
	if (!text_equal(status->pool_status, "UP"))
		return STATUS_ERROR;
	return status_has_error(members) ? STATUS_DEGRADED : STATUS_ONLINE;
}

static int listener_status(const struct lvs_listener *observed)
{
	static const int statuses[] = {
		[LVS_INSTANCE_ACTIVE] = STATUS_ONLINE,
		[LVS_INSTANCE_OFFLINE] = STATUS_OFFLINE,
		[LVS_INSTANCE_ERROR] = STATUS_ERROR,
	};

	return observed ? statuses[observed->state] : STATUS_ERROR;
}

/* Takes members and monitor over. */
static json_t *pool_json(const struct lvs_listener *observed, const char *id, const char *name,
	json_t *monitor, json_t *members, int *status)
{
	int own = pool_status(observed, members);

	*status = operating_status_worst(*status, own);
	return status_pool_json(id, name, own, monitor, members);
}

static json_t *modelled_pool(
	const struct pool *pool, const struct lvs_listener *observed, int *status)
{
	json_t *members = json_array();
	size_t next = 0;

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct member *member = &pool->members[i];

		json_array_append_new(
			members, member_json(observed, member->id.text, member->name,
					 &member->address, member->protocol_port, &next));
	}
	return pool_json(observed, pool->id.text, pool->name,
		pool->health_monitor ? status_monitor_json(pool->health_monitor) : NULL, members,
		status);
}

json_t *status_of_modelled_listener(const struct listener *listener, bool is_enabled,
	const struct lvs_listener *observed, int *status)
{
	int own = is_enabled ? listener_status(observed) : STATUS_OFFLINE;
	json_t *pools = json_array();

	if (listener->default_pool)
		json_array_append_new(
			pools, modelled_pool(listener->default_pool, observed, status));
	*status = operating_status_worst(*status, own);
	return status_listener_json(listener->id.text, listener->name, own, pools);
}

json_t *status_of_configured_listener(const struct lvs_listener *observed, int *status)
{
	const struct lvs_config *config = &observed->config;
	int own = config->is_disabled ? STATUS_OFFLINE : listener_status(observed);
	json_t *members = json_array();
	json_t *pools = json_array();
	size_t next = 0;

	for (size_t i = 0; i < config->member_count; i++) {
		const struct lvs_member *member = &config->members[i];

		json_array_append_new(
			members, member_json(observed, member->id.text, "",
					 &member->endpoint.address, member->endpoint.port, &next));
	}
	if (config->has_pool)
		json_array_append_new(
			pools, pool_json(observed, config->pool.text, "", NULL, members, status));
	else
		json_decref(members);
	*status = operating_status_worst(*status, own);
	return status_listener_json(observed->id.text, "", own, pools);
}
