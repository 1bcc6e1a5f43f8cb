/* SPDX-License-Identifier: Apache-2.0 */
#include "render/health_check_view.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "render/escape.h"
#include "render/view.h"

bool health_check_is_on(const struct pool *pool)
{
	return pool->health_monitor && pool->health_monitor->admin_state_up;
}

/*
 * What the members of a pool without TLS make of a handshake is between them and their clients:
 * they may ask for a certificate that we have not. So a TLS-HELLO monitor of such a pool is no more
 * than a hello.
 */
static bool is_hello(const struct pool *pool)
{
	return pool->health_monitor->type == HEALTH_MONITOR_TLS_HELLO && !pool->tls.enabled;
}

bool health_check_is_over_tls(const struct pool *pool)
{
	return health_check_is_on(pool) &&
	       (pool->health_monitor->type == HEALTH_MONITOR_HTTPS ||
		       (pool->health_monitor->type == HEALTH_MONITOR_TLS_HELLO &&
			       pool->tls.enabled));
}

/* "60s", as Octavia writes it, or "1500ms". */
static void set_duration(json_t *object, const char *key, long duration_ms)
{
	char text[32];

	if (duration_ms % 1000 == 0)
		snprintf(text, sizeof(text), "%lds", duration_ms / 1000);
	else
		snprintf(text, sizeof(text), "%ldms", duration_ms);
	view_set_text(object, key, text);
}

/* "200|201", a regular expression. */
static void set_expected(json_t *http, const struct health_monitor_request *request)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);

	for (size_t i = 0; i < request->code_count; i++)
		buf_append_format(&text, "%s%u", i ? "|" : "", request->codes[i]);
	view_set_text(http, "expected", buf_text(&text));
}

/*
 * HTTP/1.1 asks for a Host header, without which members answer 400: where the monitor names none,
 * the VIP is what a client without a name would send.
 */
static void set_host(const struct haproxy_scope *scope, json_t *http,
	const struct health_monitor_request *request)
{
	cleanup_buf struct buf host = BUF_INIT(4 * KIB);

	if (!request->version || !text_equal(request->version, "1.1"))
		return;
	if (!request->host) {
		view_set_host(http, "host", &scope->load_balancer->vips[0].address);
		return;
	}
	escape_log_format(request->host, strlen(request->host), &host);
	view_set_text(http, "host", buf_text(&host));
}

static json_t *view_request(
	const struct haproxy_scope *scope, const struct health_monitor_request *request)
{
	json_t *http = json_object();

	view_set_text(http, "method", request->method);
	view_set_text(http, "path", request->path);
	if (request->version)
		view_set_text(http, "version", request->version);
	set_host(scope, http, request);
	set_expected(http, request);
	return http;
}

/*
 * The name in the handshake, with which members choose a certificate. Where certificates are
 * verified HAProxy would want that name in them, which nobody asked for.
 */
static void set_sni(json_t *check, const struct pool *pool)
{
	const struct health_monitor *monitor = pool->health_monitor;
	bool is_verified = pool->tls.enabled && pool->tls.ca_certificate.text[0];

	view_set_text(check, "sni",
		monitor->type == HEALTH_MONITOR_HTTPS && !is_verified ? monitor->request.host
								      : NULL);
}

static void set_tls(json_t *check, const struct pool *pool)
{
	view_set_flag(check, "hello", is_hello(pool));
	view_set_flag(check, "over_tls", health_check_is_over_tls(pool));
	set_sni(check, pool);
	view_set_text(check, "alpn",
		pool->tls.enabled && pool->tls.tls.alpn_protocols[0] ? pool->tls.tls.alpn_protocols
								     : NULL);
}

json_t *health_check_view(struct haproxy_scope *scope, const struct pool *pool)
{
	const struct health_monitor *monitor = pool->health_monitor;
	json_t *check = json_object();

	set_duration(check, "timeout", monitor->timeout_ms);
	set_duration(check, "interval", monitor->delay_ms);
	view_set_number(check, "fall", monitor->max_retries_down);
	view_set_number(check, "rise", monitor->max_retries);
	view_set_flag(check, "starts_down", scope->options->members_start_down);
	set_tls(check, pool);
	if (monitor->type == HEALTH_MONITOR_HTTP || monitor->type == HEALTH_MONITOR_HTTPS)
		view_set(check, "http", view_request(scope, &monitor->request));
	if (monitor->type == HEALTH_MONITOR_PING) {
		cleanup_free char *command =
			xformat("%s/ping-wrapper.sh", scope->options->base_path);

		view_set_text(check, "ping", command);
		scope->has_ping = true;
	}
	return check;
}
