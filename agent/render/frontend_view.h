/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener: a frontend. Used by render/ only.
 *
 *	{"id", "maxconn", "redirects_to_https",
 *	 "hsts": {"max_age", "includes_subdomains", "preloads"},
 *	 "binds": [address and port, …],
 *	 "tls": {"certificates" or "crt_list", "client_ca", "client_verification", "client_crl",
 *	         and render/tls_view.h},
 *	 "mode", "is_logged_as_http", "has_clients", "clients": [[networks], …],
 *	 render/l7policy_view.h, "default_backend" or "serves_metrics", "timeout_client",
 *	 "inspect_delay"}
 *
 * Timeouts are in milliseconds. "clients" are who may connect, as many networks at a time as a line
 * takes; none: everybody.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "model/listener.h"
#include "render/haproxy_scope.h"

json_t *frontend_view(const struct haproxy_scope *scope, const struct listener *listener);
/* In connections; nothing in HAProxy is unlimited. */
long frontend_connection_limit(const struct listener *listener);
/* Whether HAProxy takes its connections for HTTP of clients. */
bool frontend_speaks_http(const struct listener *listener);
