/* SPDX-License-Identifier: Apache-2.0 */
#include "render/haproxy_view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "render/backend_view.h"
#include "render/escape.h"
#include "render/frontend_view.h"
#include "render/haproxy_scope.h"
#include "render/peer_name.h"
#include "render/view.h"

/* Octavia's figures. */
enum {
	MAXCONN_MAX = 1000 * 1000,
	PEERS_PORT = 1025,
	CONNECTION_MEMORY_KIB = 32,
	TLS_CACHE_MIN_KIB = 5000, /* what HAProxy takes by itself */
	TLS_CACHE_BLOCKS_PER_KIB = 4,
};

/* A thread group of HAProxy has no more. */
enum { THREADS_MAX = 64 };

/* 1 GiB: HAProxy fills its cache before it serves, a second long at each reload. */
enum { TLS_CACHE_MAX_KIB = 1024 * 1024 };

/* As they stand in a log-format, where "-" is the word for nothing. */
static json_t *view_names(const struct load_balancer *load_balancer)
{
	const char *project_id = load_balancer->project_id;
	cleanup_buf struct buf escaped = BUF_INIT(1 * KIB);
	json_t *names = json_object();

	escape_log_format(project_id, strlen(project_id), &escaped);
	view_set_text(names, "id", load_balancer->id.text);
	view_set_text(names, "project_id", project_id[0] ? buf_text(&escaped) : "-");
	return names;
}

/* What the listeners allow together, also while the load balancer is down. */
static long maxconn(const struct load_balancer *load_balancer)
{
	long sum = 0;

	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];

		if (listener->admin_state_up && !listener_is_lvs(listener))
			sum += frontend_connection_limit(listener);
	}
	return sum > 0 && sum < MAXCONN_MAX ? sum : MAXCONN_MAX;
}

static bool has_listener(const struct load_balancer *load_balancer, enum listener_protocol protocol)
{
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (load_balancer->listeners[i].protocol == protocol)
			return true;
	return false;
}

/* In blocks; nothing when HAProxy's own size will do. */
static void set_tls_cache(json_t *view, const struct load_balancer *load_balancer,
	const struct haproxy_cfg_options *options)
{
	uint64_t connections_kib = CONNECTION_MEMORY_KIB * (uint64_t)maxconn(load_balancer);
	uint64_t cache_kib;

	if (options->available_memory_kib <= connections_kib ||
		!has_listener(load_balancer, LISTENER_TERMINATED_HTTPS))
		return;
	cache_kib = (options->available_memory_kib - connections_kib) * 2 / 5;
	if (cache_kib > TLS_CACHE_MAX_KIB)
		cache_kib = TLS_CACHE_MAX_KIB;
	if (cache_kib > TLS_CACHE_MIN_KIB)
		view_set_number(view, "tls_cache", (long)(cache_kib * TLS_CACHE_BLOCKS_PER_KIB));
}

/* All CPUs but the first. */
static void set_threads(json_t *view, unsigned cpu_count)
{
	if (cpu_count > THREADS_MAX)
		view_set_number(view, "threads", THREADS_MAX);
	else if (cpu_count > 1)
		view_set_number(view, "threads", cpu_count - 1);
}

static json_t *view_peer(const struct amphora *amphora)
{
	cleanup_free char *name = peer_name_of(&amphora->id);
	json_t *peer = json_object();

	view_set_text(peer, "name", name);
	view_set_end(peer, "address", &amphora->vrrp_ip, PEERS_PORT);
	return peer;
}

/* The section is named after the load balancer, without hyphens. */
static json_t *view_peers(const struct load_balancer *load_balancer)
{
	cleanup_buf struct buf name = BUF_INIT(KIB);
	json_t *members = json_array();
	json_t *peers = json_object();

	for (const char *c = load_balancer->id.text; *c; c++)
		if (*c != '-')
			buf_append_char(&name, *c);
	buf_append_text(&name, "_peers");
	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		view_append(members, view_peer(&load_balancer->amphorae[i]));
	view_set_text(peers, "name", buf_text(&name));
	view_set(peers, "members", members);
	return peers;
}

static json_t *view_metrics(const struct haproxy_cfg_options *options)
{
	json_t *metrics = json_object();

	view_set_number(metrics, "exporter_port", options->prometheus_exporter_port);
	if (options->prometheus_port)
		view_set_number(metrics, "proxy_port", options->prometheus_port);
	return metrics;
}

static json_t *view_backends(struct haproxy_scope *scope, const struct listener *listener)
{
	size_t count = 0;
	cleanup_free const struct pool **pools = listener_pools(listener, &count);
	json_t *backends = json_array();

	for (size_t i = 0; i < count; i++)
		if (pools[i]->admin_state_up)
			view_append(backends, backend_view(scope, pools[i], listener));
	return backends;
}

static json_t *view_listeners(struct haproxy_scope *scope)
{
	const struct load_balancer *load_balancer = scope->load_balancer;
	json_t *listeners = json_array();

	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];
		json_t *view;

		if (!load_balancer->admin_state_up || !listener->admin_state_up ||
			listener_is_lvs(listener))
			continue;
		view = json_object();
		view_set(view, "frontend", frontend_view(scope, listener));
		view_set(view, "backends", view_backends(scope, listener));
		view_append(listeners, view);
	}
	return listeners;
}

static void set_global(json_t *view, const struct load_balancer *load_balancer,
	const struct haproxy_cfg_options *options)
{
	const char *id = load_balancer->id.text;
	cleanup_free char *stats_socket = xformat("%s/%s.sock", options->base_path, id);
	cleanup_free char *state_file = xformat("%s/%s/servers-state", options->base_path, id);

	view_set(view, "load_balancer", view_names(load_balancer));
	view_set_text(view, "log_socket", options->log_socket);
	view_set_number(view, "user_log_facility", options->user_log_facility);
	view_set_number(view, "administrative_log_facility", options->administrative_log_facility);
	view_set_text(view, "stats_socket", stats_socket);
	view_set_text(view, "server_state_file", state_file);
	view_set_number(view, "maxconn", maxconn(load_balancer));
	set_tls_cache(view, load_balancer, options);
	set_threads(view, options->cpu_count);
	view_set_text(view, "stick_table_size", options->stick_table_size);
}

json_t *haproxy_view(
	const struct load_balancer *load_balancer, const struct haproxy_cfg_options *options)
{
	cleanup_free char *certificates =
		xformat("%s/%s", options->base_cert_dir, load_balancer->id.text);
	json_auto_t *servers = json_object();
	struct haproxy_scope scope = {
		.load_balancer = load_balancer,
		.options = options,
		.certificates = certificates,
		.servers = servers,
	};
	json_t *view = json_object();

	set_global(view, load_balancer, options);
	if (load_balancer->topology == TOPOLOGY_ACTIVE_STANDBY)
		view_set(view, "peers", view_peers(load_balancer));
	if (has_listener(load_balancer, LISTENER_PROMETHEUS))
		view_set(view, "metrics", view_metrics(options));
	view_set(view, "listeners", view_listeners(&scope));
	view_set_flag(view, "has_ping", scope.has_ping);
	return view;
}
