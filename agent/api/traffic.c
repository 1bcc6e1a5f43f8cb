/* SPDX-License-Identifier: Apache-2.0 */
#include "api/traffic.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/agent.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "deploy/belongings.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/site.h"
#include "lvs/status.h"
#include "lvs/traffic.h"
#include "sys/ipvs.h"

enum { KERNEL_TIMEOUT_MS = 1000 };

/* One that was deleted meanwhile has no services any more. */
static void listener_read(struct agent *agent, struct ledger *ledger, const struct id *listener,
	const struct ipvs_table *kernel)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	cleanup_lvs_config struct lvs_config config = {0};
	cleanup_lvs_status struct lvs_status *status = NULL;

	if (lvs_instance_read(agent_lvs(agent), listener, &text, NULL) < 0)
		return;
	lvs_config_parse(buf_text(&text), text.size_bytes, &config);
	status = lvs_status_conclude(listener, &config, kernel, false);
	for (size_t i = 0; i < status->service_count; i++) {
		char source[LVS_SOURCE_MAX];
		struct traffic traffic;

		lvs_traffic_of(&status->services[i], source, &traffic);
		ledger_read(ledger, listener->text, source, &traffic,
			i == 0 ? status->connections_active : 0);
	}
}

static int lvs_listeners_read(
	struct agent *agent, const struct traffic_count *count, struct err *err)
{
	cleanup_ipvs_table struct ipvs_table kernel = IPVS_TABLE_INIT;
	cleanup_free struct id *all = NULL;
	size_t all_count = 0;
	int r = lvs_listeners(lvs_site_base_path(agent_lvs(agent)), &all, &all_count, err);

	/* Without a listener there is no service either. */
	if (r == 0 && all_count > 0)
		r = ipvs_query_namespace(
			agent_haproxy(agent)->network_namespace, KERNEL_TIMEOUT_MS, &kernel, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count->lvs_listener_count; i++)
		listener_read(agent, count->traffic->ledger, &count->lvs_listeners[i], &kernel);
	ledger_settle(count->traffic->ledger, lvs_traffic_is_gone, &kernel);
	return 0;
}

static bool has_listener(const void *context, const char *listener)
{
	const struct traffic_count *count = context;

	for (size_t i = 0; i < count->config.listener_count; i++)
		if (text_equal(count->config.listeners[i].name, listener))
			return true;
	for (size_t i = 0; i < count->lvs_listener_count; i++)
		if (text_equal(count->lvs_listeners[i].text, listener))
			return true;
	return false;
}

void traffic_count_deinit(struct traffic_count *count)
{
	haproxy_traffic_close(count->traffic);
	haproxy_config_deinit(&count->config);
	free(count->lvs_listeners);
	*count = (struct traffic_count){0};
}

static int sources_count(struct agent *agent, const struct id *load_balancer, bool asks_haproxy,
	struct traffic_count *ret_count, struct err *ret_trouble, struct err *err)
{
	struct haproxy_site *site = agent_haproxy(agent);
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	struct traffic_count *count = ret_count;
	int r = belongings_listeners(agent_deploy(agent), load_balancer, &count->lvs_listeners,
		&count->lvs_listener_count, err);

	if (r < 0)
		return r;
	/* Locked before the config is looked for: who deletes that later removes what we store. */
	count->traffic = haproxy_traffic_open(site, load_balancer);
	r = haproxy_instance_read(site, load_balancer, &text, err);
	if (r < 0 && (r != -ENOENT || count->lvs_listener_count == 0))
		return r;
	haproxy_config_parse(buf_text(&text), text.size_bytes, &count->config);
	if (asks_haproxy)
		haproxy_traffic_read(count->traffic, ret_trouble);
	lvs_listeners_read(agent, count, ret_trouble);
	ledger_retire(count->traffic->ledger, has_listener, count);
	haproxy_traffic_store(count->traffic, ret_trouble);
	return 0;
}

int traffic_count(struct agent *agent, const struct id *load_balancer,
	struct traffic_count *ret_count, struct err *ret_trouble, struct err *err)
{
	return sources_count(agent, load_balancer, true, ret_count, ret_trouble, err);
}

/* The sender has told the log of trouble already, and once. */
static void count_one(struct agent *agent, const struct id *load_balancer, bool asks_haproxy)
{
	cleanup_traffic_count struct traffic_count count = {0};
	struct err trouble = ERR_NONE;

	if (sources_count(agent, load_balancer, asks_haproxy, &count, &trouble, &trouble) < 0 ||
		trouble.code < 0)
		log_debug("load balancer %s: counting its traffic: %s", load_balancer->text,
			trouble.text);
}

static bool is_among(const struct id *ids, size_t count, const struct id *id)
{
	for (size_t i = 0; i < count; i++)
		if (id_equal(&ids[i], id))
			return true;
	return false;
}

/* All load balancers: those of HAProxy, and those that LVS listeners alone make. */
static int load_balancers_list(
	struct agent *agent, struct id **ret_ids, size_t *ret_count, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	cleanup_free struct id *listeners = NULL;
	size_t listener_count = 0;
	size_t count = 0;
	int r = haproxy_site_load_balancers(agent_haproxy(agent), &ids, &count, err);

	if (r == 0)
		r = lvs_listeners(
			lvs_site_base_path(agent_lvs(agent)), &listeners, &listener_count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < listener_count; i++) {
		cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
		struct id owner;

		if (lvs_instance_read(agent_lvs(agent), &listeners[i], &text, NULL) < 0 ||
			!belongings_owner(buf_text(&text), text.size_bytes, &owner) ||
			is_among(ids, count, &owner))
			continue;
		ids = xrealloc_array(ids, count + 1, sizeof(*ids));
		ids[count++] = owner;
	}
	*ret_ids = take_ptr(ids);
	*ret_count = count;
	return 0;
}

/*
 * Ledgers of load balancers that are no more: their last LVS listener was deleted, or an agent was
 * killed while it deleted them.
 */
static void orphans_forget(struct haproxy_site *site, const struct id *ids, size_t count)
{
	cleanup_free struct id *ledgers = NULL;
	size_t ledger_count = 0;
	struct err err = ERR_NONE;

	haproxy_traffic_list(site, &ledgers, &ledger_count, &err);
	for (size_t i = 0; i < ledger_count; i++)
		if (!is_among(ids, count, &ledgers[i]) &&
			!haproxy_instance_exists(site, &ledgers[i]))
			haproxy_traffic_forget(site, &ledgers[i], &err);
	if (err.code < 0)
		log_debug("counting traffic: %s", err.text);
}

void traffic_count_all(struct agent *agent)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	struct err err = ERR_NONE;

	if (load_balancers_list(agent, &ids, &count, &err) < 0) {
		log_debug("counting traffic: %s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		count_one(agent, &ids[i], true);
	orphans_forget(agent_haproxy(agent), ids, count);
}

void traffic_count_lvs(struct agent *agent, const struct id *load_balancer)
{
	cleanup_free struct id *listeners = NULL;
	size_t count = 0;

	if (belongings_listeners(agent_deploy(agent), load_balancer, &listeners, &count, NULL) ==
			0 &&
		count > 0)
		count_one(agent, load_balancer, false);
}

void traffic_count_listener(struct agent *agent, const struct id *listener)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	struct id owner;

	if (lvs_instance_read(agent_lvs(agent), listener, &text, NULL) == 0 &&
		belongings_owner(buf_text(&text), text.size_bytes, &owner))
		count_one(agent, &owner, false);
}
