/* SPDX-License-Identifier: Apache-2.0 */
#include "render/frontend_view.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "render/crt_list.h"
#include "render/l7policy_view.h"
#include "render/tls_view.h"
#include "render/view.h"

/* A line of HAProxy has 64 words. */
enum { NETWORKS_A_LINE = 32 };

long frontend_connection_limit(const struct listener *listener)
{
	return listener->connection_limit ? (long)listener->connection_limit
					  : LISTENER_CONNECTION_LIMIT_DEFAULT;
}

bool frontend_speaks_http(const struct listener *listener)
{
	return listener->protocol == LISTENER_HTTP ||
	       listener->protocol == LISTENER_TERMINATED_HTTPS;
}

static void set_binds(json_t *frontend, const struct load_balancer *load_balancer,
	const struct listener *listener)
{
	json_t *binds = json_array();

	for (size_t i = 0; i < load_balancer->vip_count; i++)
		view_append_end(binds, &load_balancer->vips[i].address, listener->protocol_port);
	view_set(frontend, "binds", binds);
}

static void set_client_authentication(
	const struct haproxy_scope *scope, json_t *tls, const struct listener_tls *listener_tls)
{
	static const char *const words[] = {
		[CLIENT_AUTH_NONE] = "none",
		[CLIENT_AUTH_OPTIONAL] = "optional",
		[CLIENT_AUTH_MANDATORY] = "required",
	};

	if (listener_tls->client_ca_certificate.text[0] == '\0')
		return;
	tls_view_set_certificate(tls, "client_ca", scope, &listener_tls->client_ca_certificate);
	tls_view_set_certificate(tls, "client_crl", scope, &listener_tls->client_crl);
	view_set_text(tls, "client_verification", words[listener_tls->client_authentication]);
}

static void set_crt_list(
	const struct haproxy_scope *scope, json_t *tls, const struct listener *listener)
{
	cleanup_buf struct buf list = BUF_INIT(CRT_LIST_MAX_BYTES);
	struct certificate_name name;

	crt_list_render(listener, scope->certificates, &list, &name);
	tls_view_set_certificate(tls, "crt_list", scope, &name);
}

static void set_certificates(
	const struct haproxy_scope *scope, json_t *tls, const struct listener_tls *listener_tls)
{
	json_t *certificates = json_array();

	tls_view_append_certificate(certificates, scope, &listener_tls->certificate);
	for (size_t i = 0; i < listener_tls->sni_certificate_count; i++)
		tls_view_append_certificate(
			certificates, scope, &listener_tls->sni_certificates[i]);
	view_set(tls, "certificates", certificates);
}

static json_t *view_tls(const struct haproxy_scope *scope, const struct listener *listener)
{
	json_t *tls = json_object();

	if (crt_list_is_needed(listener))
		set_crt_list(scope, tls, listener);
	else
		set_certificates(scope, tls, &listener->tls);
	set_client_authentication(scope, tls, &listener->tls);
	tls_view_set(tls, &listener->tls.tls);
	return tls;
}

static void set_hsts(json_t *frontend, const struct listener_tls *listener_tls)
{
	json_t *hsts;

	if (!listener_tls->has_hsts)
		return;
	hsts = json_object();
	view_set_number(hsts, "max_age", listener_tls->hsts_max_age_s);
	view_set_flag(hsts, "includes_subdomains", listener_tls->hsts_include_subdomains);
	view_set_flag(hsts, "preloads", listener_tls->hsts_preload);
	view_set(frontend, "hsts", hsts);
}

static void set_clients(json_t *frontend, const struct listener *listener)
{
	json_t *clients = json_array();
	json_t *networks = NULL;

	for (size_t i = 0; i < listener->allowed_cidr_count; i++) {
		char text[CIDR_TEXT_MAX];

		if (i % NETWORKS_A_LINE == 0) {
			networks = json_array();
			view_append(clients, networks);
		}
		cidr_format(&listener->allowed_cidrs[i], text);
		view_append_text(networks, text);
	}
	view_set(frontend, "clients", clients);
	view_set_flag(frontend, "has_clients", listener->allowed_cidr_count > 0);
}

static void set_default_backend(json_t *frontend, const struct listener *listener)
{
	const struct pool *pool = listener->default_pool;

	if (pool && pool->admin_state_up) {
		cleanup_free char *name = xformat("%s:%s", pool->id.text, listener->id.text);

		view_set_text(frontend, "default_backend", name);
	}
}

json_t *frontend_view(const struct haproxy_scope *scope, const struct listener *listener)
{
	bool is_tls = listener->protocol == LISTENER_TERMINATED_HTTPS;
	bool is_http = frontend_speaks_http(listener);
	bool is_metrics = listener->protocol == LISTENER_PROMETHEUS;
	json_t *frontend = json_object();

	view_set_text(frontend, "id", listener->id.text);
	view_set_number(frontend, "maxconn", frontend_connection_limit(listener));
	view_set_flag(frontend, "redirects_to_https", is_tls);
	if (is_tls)
		set_hsts(frontend, &listener->tls);
	set_binds(frontend, scope->load_balancer, listener);
	if (listener->tls.certificate.text[0])
		view_set(frontend, "tls", view_tls(scope, listener));
	view_set_text(frontend, "mode", is_http || is_metrics ? "http" : "tcp");
	view_set_flag(frontend, "is_logged_as_http", is_http);
	set_clients(frontend, listener);
	l7policy_view_set(frontend, listener);
	set_default_backend(frontend, listener);
	view_set_flag(frontend, "serves_metrics", is_metrics);
	view_set_number(frontend, "timeout_client", listener->timeout_client_data_ms);
	if (listener->timeout_tcp_inspect_ms)
		view_set_number(frontend, "inspect_delay", listener->timeout_tcp_inspect_ms);
	return frontend;
}
