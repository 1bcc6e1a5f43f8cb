/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/agent.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/alloc.h"
#include "base/log.h"
#include "deploy/deployment.h"
#include "deploy/status_tree.h"

enum { STATS_TIMEOUT_MS = 5000 };

/* All that a status is concluded from. */
struct observation {
	struct load_balancer *model; /* NULL: none is in force */
	struct haproxy_config config;
	struct haproxy_servers servers;
	struct haproxy_stats stats;
	struct lvs_listener_list lvs_listeners;
};

static void observation_deinit(struct observation *observation)
{
	load_balancer_free(observation->model);
	haproxy_config_deinit(&observation->config);
	haproxy_servers_deinit(&observation->servers);
	haproxy_stats_deinit(&observation->stats);
	lvs_listener_list_deinit(&observation->lvs_listeners);
}

static void haproxy_observe(struct haproxy_site *site, const struct id *id, const struct buf *text,
	struct observation *observation)
{
	cleanup_free char *socket_path = haproxy_site_path(site, id, HAPROXY_FILE_STATS_SOCKET);
	struct err err = ERR_NONE;

	haproxy_config_parse(buf_text(text), text->size_bytes, &observation->config);
	haproxy_servers_parse(buf_text(text), text->size_bytes, &observation->servers);
	if (haproxy_stats_query(socket_path, STATS_TIMEOUT_MS, &observation->stats, &err) < 0)
		log_debug("load balancer %s: %s", id->text, err.text);
}

/* -ENOENT: no such load balancer, not even one of LVS listeners alone. */
static int observe(const struct deploy_site *site, const struct id *id,
	struct observation *ret_observation, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_buf struct buf model_text = BUF_INIT(HTTP_BODY_MAX_BYTES);
	char etag[MD5_HEX_SIZE + 1];
	int r = lvs_listener_list_read(site, id, &ret_observation->lvs_listeners, err);

	if (r < 0)
		return r;
	r = haproxy_instance_read(site->haproxy, id, &text, err);
	if (r < 0 && (r != -ENOENT || ret_observation->lvs_listeners.count == 0))
		return r;
	haproxy_observe(site->haproxy, id, &text, ret_observation);
	deployment_read(site, id, &model_text, etag, &ret_observation->model, NULL);
	return 0;
}

void status_get(const struct call *call, struct http_reply *ret_reply)
{
	const struct deploy_site *site = agent_deploy(call->agent);
	CLEANUP(observation_deinit) struct observation observation = {NULL};
	struct err err = ERR_NONE;
	struct id id;
	int r;

	if (call_id(call, 0, "load balancer id", &id, ret_reply) < 0)
		return;
	r = observe(site, &id, &observation, &err);
	if (r == -ENOENT) {
		reply_no_load_balancer(ret_reply, &id);
		return;
	}
	if (r < 0) {
		reply_failure(ret_reply, r, "Error reading the load balancer", &err);
		return;
	}
	reply_json(ret_reply, 200,
		status_tree(&(const struct status_input){
			.id = &id,
			.model = observation.model,
			.config = &observation.config,
			.servers = &observation.servers,
			.stats = &observation.stats,
			.stopped = haproxy_instance_is_stopped(site->haproxy, &id),
			.lvs_listeners = &observation.lvs_listeners,
		}));
}
