/* SPDX-License-Identifier: Apache-2.0 */
#include "render/haproxy_view.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "render/escape.h"

enum { MAXCONN_MAX = 1000 * 1000 };

/* "[2001:db8::1]:65535" */
enum { END_TEXT_MAX = ADDRESS_TEXT_MAX + 8 };

/* Takes the value over. Without memory the program ends (base/alloc.h). */
static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) < 0)
		abort();
}

static void set_text(json_t *object, const char *key, const char *text)
{
	set(object, key, json_string_nocheck(text));
}

static void set_number(json_t *object, const char *key, long number)
{
	set(object, key, json_integer(number));
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		abort();
}

/* IPv6 in brackets, which HAProxy does not ask for but a reader may. */
static void set_end(json_t *object, const char *key, const struct address *address, in_port_t port)
{
	char text[ADDRESS_TEXT_MAX];
	char end[END_TEXT_MAX];

	address_format(address, text);
	snprintf(end, sizeof(end), address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	set_text(object, key, end);
}

/* "60s", as Octavia writes it, or "1500ms". */
static void set_duration(json_t *object, const char *key, long duration_ms)
{
	char text[32];

	if (duration_ms % 1000 == 0)
		snprintf(text, sizeof(text), "%lds", duration_ms / 1000);
	else
		snprintf(text, sizeof(text), "%ldms", duration_ms);
	set_text(object, key, text);
}

/* Nothing in HAProxy is unlimited. */
static long connection_limit(const struct listener *listener)
{
	return listener->connection_limit ? (long)listener->connection_limit
					  : LISTENER_CONNECTION_LIMIT_DEFAULT;
}

static json_t *view_servers(const struct pool *pool)
{
	json_t *servers = json_array();

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct member *member = &pool->members[i];
		json_t *server = json_object();

		set_text(server, "id", member->id.text);
		set_end(server, "address", &member->address, member->protocol_port);
		set_number(server, "weight", member->weight);
		if (!member->admin_state_up)
			set(server, "disabled", json_true());
		append(servers, server);
	}
	return servers;
}

/* "200|201", a regular expression. */
static void set_expected(json_t *object, const struct health_monitor_request *request)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);

	for (size_t i = 0; i < request->code_count; i++)
		buf_append_format(&text, "%s%u", i ? "|" : "", request->codes[i]);
	set_text(object, "expected", buf_text(&text));
}

static json_t *view_request(const struct health_monitor_request *request)
{
	json_t *http = json_object();

	set_text(http, "method", request->method);
	set_text(http, "path", request->path);
	if (request->version)
		set_text(http, "version", request->version);
	if (request->host)
		set_text(http, "host", request->host);
	set_expected(http, request);
	return http;
}

static json_t *view_check(const struct health_monitor *monitor)
{
	json_t *check = json_object();

	set_duration(check, "timeout", monitor->timeout_ms);
	set_duration(check, "interval", monitor->delay_ms);
	set_number(check, "fall", monitor->max_retries_down);
	set_number(check, "rise", monitor->max_retries);
	if (monitor->type == HEALTH_MONITOR_HTTP)
		set(check, "http", view_request(&monitor->request));
	return check;
}

/* servers: those of the pools that were viewed before, by the pool's id. */
static json_t *view_backend(
	const struct pool *pool, const struct listener *listener, const char *name, json_t *servers)
{
	json_t *backend = json_object();

	set_text(backend, "name", name);
	set_text(backend, "mode", pool->protocol == POOL_HTTP ? "http" : "tcp");
	if (pool->protocol == POOL_HTTP)
		set(backend, "reuses_connections", json_true());
	set_text(backend, "balance", "roundrobin");
	if (pool->health_monitor && pool->health_monitor->admin_state_up)
		set(backend, "check", view_check(pool->health_monitor));
	set_number(backend, "fullconn", connection_limit(listener));
	set_number(backend, "timeout_connect", listener->timeout_member_connect_ms);
	set_number(backend, "timeout_server", listener->timeout_member_data_ms);
	if (listener->protocol == LISTENER_HTTP)
		set_number(backend, "timeout_tunnel", listener->timeout_client_data_ms);
	if (!json_object_get(servers, pool->id.text))
		set(servers, pool->id.text, view_servers(pool));
	set(backend, "servers", json_incref(json_object_get(servers, pool->id.text)));
	return backend;
}

static json_t *view_frontend(
	const struct load_balancer *load_balancer, const struct listener *listener, json_t *servers)
{
	const struct pool *pool = listener->default_pool;
	json_t *frontend = json_object();
	json_t *backends = json_array();

	set_text(frontend, "id", listener->id.text);
	set_number(frontend, "maxconn", connection_limit(listener));
	set_end(frontend, "bind", &load_balancer->vips[0].address, listener->protocol_port);
	set_text(frontend, "mode", listener->protocol == LISTENER_HTTP ? "http" : "tcp");
	if (listener->protocol == LISTENER_HTTP)
		set(frontend, "is_http", json_true());
	set_number(frontend, "timeout_client", listener->timeout_client_data_ms);
	if (listener->timeout_tcp_inspect_ms)
		set_number(frontend, "inspect_delay", listener->timeout_tcp_inspect_ms);
	if (pool && pool->admin_state_up) {
		cleanup_free char *name = xformat("%s:%s", pool->id.text, listener->id.text);

		set_text(frontend, "default_backend", name);
		append(backends, view_backend(pool, listener, name, servers));
	}
	set(frontend, "backends", backends);
	return frontend;
}

static json_t *view_frontends(const struct load_balancer *load_balancer)
{
	json_t *frontends = json_array();
	json_auto_t *servers = json_object();

	if (!load_balancer->admin_state_up)
		return frontends;
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (load_balancer->listeners[i].admin_state_up)
			append(frontends, view_frontend(load_balancer, &load_balancer->listeners[i],
						  servers));
	return frontends;
}

/* What the listeners allow together, also while the load balancer is down. */
static long maxconn(const struct load_balancer *load_balancer)
{
	long sum = 0;

	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (load_balancer->listeners[i].admin_state_up)
			sum += connection_limit(&load_balancer->listeners[i]);
	return sum > 0 && sum < MAXCONN_MAX ? sum : MAXCONN_MAX;
}

/* As they stand in a log-format, where "-" is the word for nothing. */
static json_t *view_names(const struct load_balancer *load_balancer)
{
	const char *project_id = load_balancer->project_id;
	cleanup_buf struct buf escaped = BUF_INIT(1 * KIB);
	json_t *names = json_object();

	escape_log_format(project_id, strlen(project_id), &escaped);
	set_text(names, "id", load_balancer->id.text);
	set_text(names, "project_id", project_id[0] ? buf_text(&escaped) : "-");
	return names;
}

json_t *haproxy_view(
	const struct load_balancer *load_balancer, const struct haproxy_cfg_options *options)
{
	const char *id = load_balancer->id.text;
	cleanup_free char *stats_socket = xformat("%s/%s.sock", options->base_path, id);
	cleanup_free char *state_file = xformat("%s/%s/servers-state", options->base_path, id);
	json_t *view = json_object();

	set(view, "load_balancer", view_names(load_balancer));
	set_text(view, "log_socket", options->log_socket);
	set_number(view, "user_log_facility", options->user_log_facility);
	set_number(view, "administrative_log_facility", options->administrative_log_facility);
	set_text(view, "stats_socket", stats_socket);
	set_text(view, "server_state_file", state_file);
	set_number(view, "maxconn", maxconn(load_balancer));
	set(view, "frontends", view_frontends(load_balancer));
	return view;
}
