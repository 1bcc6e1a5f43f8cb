/* SPDX-License-Identifier: Apache-2.0 */
#include "api/traffic.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/agent.h"
#include "api/lvs_listeners.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "lvs/config.h"
#include "lvs/instance.h"
#include "lvs/site.h"
#include "lvs/status.h"
#include "lvs/traffic.h"
#include "sys/ipvs.h"
#include "sys/network_namespace.h"

enum { KERNEL_TIMEOUT_MS = 1000, CONFIG_MAX_BYTES = 17 * MIB };

/*
 * The services of the namespace where keepalived lives. There are none without that namespace, or
 * without IPVS in the kernel.
 */
static int kernel_read(const char *network_namespace, struct ipvs_table *ret_table, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_ipvs struct ipvs *ipvs = NULL;
	struct err failure = ERR_NONE;
	int r = network_namespace_enter(network_namespace, &stay, &failure);

	if (r == 0)
		r = ipvs_open(&ipvs, &failure);
	if (r == 0)
		r = ipvs_query(ipvs, KERNEL_TIMEOUT_MS, ret_table, &failure);
	return r < 0 && r != -ENOENT ? err_set(err, r, "%s", failure.text) : 0;
}

/* One that was deleted meanwhile has no services any more. */
static void listener_read(struct agent *agent, struct ledger *ledger, const struct id *listener,
	const struct ipvs_table *kernel)
{
	cleanup_buf struct buf text = BUF_INIT(CONFIG_MAX_BYTES);
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
		r = kernel_read(agent_haproxy(agent)->network_namespace, &kernel, err);
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

int traffic_count(struct agent *agent, const struct id *load_balancer,
	struct traffic_count *ret_count, struct err *ret_trouble, struct err *err)
{
	struct haproxy_site *site = agent_haproxy(agent);
	cleanup_buf struct buf text = BUF_INIT(CONFIG_MAX_BYTES);
	struct traffic_count *count = ret_count;
	int r = haproxy_instance_read(site, load_balancer, &text, err);

	if (r == 0)
		r = lvs_listeners_of(agent, load_balancer, &count->lvs_listeners,
			&count->lvs_listener_count, err);
	if (r < 0)
		return r;
	haproxy_config_parse(buf_text(&text), text.size_bytes, &count->config);
	count->traffic = haproxy_traffic_open(site, load_balancer);
	haproxy_traffic_read(count->traffic, ret_trouble);
	lvs_listeners_read(agent, count, ret_trouble);
	ledger_retire(count->traffic->ledger, has_listener, count);
	haproxy_traffic_store(count->traffic, ret_trouble);
	return 0;
}

void traffic_count_all(struct agent *agent)
{
	cleanup_free struct id *ids = NULL;
	size_t id_count = 0;
	struct err err = ERR_NONE;

	if (haproxy_site_load_balancers(agent_haproxy(agent), &ids, &id_count, &err) < 0)
		log_debug("counting traffic: %s", err.text);
	for (size_t i = 0; i < id_count; i++) {
		cleanup_traffic_count struct traffic_count count = {0};
		struct err trouble = ERR_NONE;

		/* The sender has told the log already, and once. */
		if (traffic_count(agent, &ids[i], &count, &trouble, &trouble) < 0 ||
			trouble.code < 0)
			log_debug("load balancer %s: counting its traffic: %s", ids[i].text,
				trouble.text);
	}
}
