/* SPDX-License-Identifier: Apache-2.0 */
#include "render/backend_view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/frontend_view.h"
#include "render/health_check_view.h"
#include "render/tls_view.h"
#include "render/view.h"

static json_t *view_server(const struct member *member)
{
	json_t *server = json_object();

	view_set_text(server, "id", member->id.text);
	view_set_end(server, "address", &member->address, member->protocol_port);
	view_set_number(server, "weight", member->weight);
	if (member->backup)
		view_set_flag(server, "backup", true);
	if (!member->admin_state_up)
		view_set_flag(server, "disabled", true);
	if (member->monitor_address.family != 0)
		view_set_host(server, "check_address", &member->monitor_address);
	if (member->monitor_port)
		view_set_number(server, "check_port", member->monitor_port);
	return server;
}

/* What most servers say nothing of is found beside them. */
static void set_server_defaults(json_t *backend)
{
	view_set_flag(backend, "backup", false);
	view_set_flag(backend, "disabled", false);
	view_set_text(backend, "check_address", NULL);
	view_set_text(backend, "check_port", NULL);
}

static json_t *view_servers(const struct pool *pool)
{
	json_t *servers = json_array();

	for (size_t i = 0; i < pool->member_count; i++)
		view_append(servers, view_server(&pool->members[i]));
	return servers;
}

/* What the listeners of a pool show of its members is the same, and kept once. */
static void set_servers(struct haproxy_scope *scope, json_t *backend, const struct pool *pool)
{
	json_t *servers = json_object_get(scope->servers, pool->id.text);

	if (!servers) {
		servers = view_servers(pool);
		view_set(scope->servers, pool->id.text, servers);
	}
	view_set(backend, "servers", json_incref(servers));
	set_server_defaults(backend);
}

/* How members are told of clients; NULL: they are not. */
static const char *proxy_protocol(const struct pool *pool, const struct listener *listener)
{
	if (pool->protocol == POOL_PROXY)
		return "send-proxy";
	if (pool->protocol != POOL_PROXYV2)
		return NULL;
	return listener->protocol == LISTENER_TERMINATED_HTTPS ? "send-proxy-v2-ssl-cn"
							       : "send-proxy-v2";
}

/* A pool of PROXY speaks what its listener speaks. */
static void set_mode(json_t *backend, const struct pool *pool, const struct listener *listener)
{
	bool speaks_proxy = pool->protocol == POOL_PROXY || pool->protocol == POOL_PROXYV2;
	bool is_http = speaks_proxy ? frontend_speaks_http(listener) : pool->protocol == POOL_HTTP;

	view_set_text(backend, "mode", is_http ? "http" : "tcp");
	view_set_flag(backend, "reuses_connections", is_http);
	view_set_text(backend, "proxy_protocol", proxy_protocol(pool, listener));
}

static void set_balance(json_t *backend, const struct pool *pool)
{
	static const char *const words[] = {
		[LB_ROUND_ROBIN] = "roundrobin",
		[LB_LEAST_CONNECTIONS] = "leastconn",
		[LB_SOURCE_IP] = "source",
	};

	view_set_text(backend, "balance", words[pool->lb_algorithm]);
}

static void set_persistence(json_t *backend, const struct session_persistence *persistence)
{
	cleanup_buf struct buf name = BUF_INIT(16 * KIB);

	view_set_flag(backend, "sticks_to_source", persistence->type == PERSISTENCE_SOURCE_IP);
	view_set_flag(backend, "sets_cookie", persistence->type == PERSISTENCE_HTTP_COOKIE);
	if (persistence->type != PERSISTENCE_APP_COOKIE)
		return;
	escape_sample_argument(persistence->cookie_name, strlen(persistence->cookie_name), &name);
	view_set_text(backend, "sticks_to_cookie", buf_text(&name));
}

/*
 * HAProxy has one word for how a server's certificate is verified, for its traffic and its checks:
 * a check over TLS must not take from a pool what its CA was given for.
 */
static void set_tls(const struct haproxy_scope *scope, json_t *backend, const struct pool *pool)
{
	const struct pool_tls *pool_tls = &pool->tls;
	const char *verify = NULL;
	json_t *tls;

	if (pool_tls->enabled && pool_tls->ca_certificate.text[0])
		verify = "required";
	else if (pool_tls->enabled || health_check_is_over_tls(pool))
		verify = "none";
	view_set_text(backend, "verify", verify);
	if (!pool_tls->enabled) {
		view_set(backend, "tls", json_null());
		return;
	}
	tls = json_object();
	tls_view_set_certificate(tls, "certificate", scope, &pool_tls->client_certificate);
	tls_view_set_certificate(tls, "ca", scope, &pool_tls->ca_certificate);
	/* What is not verified cannot be revoked. */
	if (pool_tls->ca_certificate.text[0])
		tls_view_set_certificate(tls, "crl", scope, &pool_tls->crl);
	tls_view_set(tls, &pool_tls->tls);
	view_set(backend, "tls", tls);
}

static bool inserts(
	const struct pool *pool, const struct listener *listener, enum insert_header header)
{
	bool is_tls = listener->protocol == LISTENER_TERMINATED_HTTPS;

	if (!listener->insert_headers[header])
		return false;
	if (header == INSERT_X_FORWARDED_FOR || header == INSERT_X_FORWARDED_PORT)
		return pool->protocol == POOL_HTTP;
	if (header == INSERT_X_FORWARDED_PROTO)
		return listener->protocol == LISTENER_HTTP || is_tls;
	return is_tls;
}

static void set_headers(json_t *backend, const struct pool *pool, const struct listener *listener)
{
	json_t *headers = json_object();

	for (enum insert_header header = 0; header < INSERT_HEADER_COUNT; header++)
		view_set_flag(headers, insert_header_name(header), inserts(pool, listener, header));
	if (json_is_true(json_object_get(headers, "X-Forwarded-Proto")))
		view_set_text(headers, "X-Forwarded-Proto",
			listener->protocol == LISTENER_TERMINATED_HTTPS ? "https" : "http");
	view_set(backend, "headers", headers);
}

json_t *backend_view(
	struct haproxy_scope *scope, const struct pool *pool, const struct listener *listener)
{
	cleanup_free char *name = xformat("%s:%s", pool->id.text, listener->id.text);
	json_t *backend = json_object();

	view_set_text(backend, "name", name);
	set_mode(backend, pool, listener);
	set_balance(backend, pool);
	set_persistence(backend, &pool->session_persistence);
	if (health_check_is_on(pool))
		view_set(backend, "check", health_check_view(scope, pool));
	set_headers(backend, pool, listener);
	view_set_number(backend, "fullconn", frontend_connection_limit(listener));
	view_set_number(backend, "timeout_connect", listener->timeout_member_connect_ms);
	view_set_number(backend, "timeout_server", listener->timeout_member_data_ms);
	if (frontend_speaks_http(listener))
		view_set_number(backend, "timeout_tunnel", listener->timeout_client_data_ms);
	set_tls(scope, backend, pool);
	set_servers(scope, backend, pool);
	return backend;
}
