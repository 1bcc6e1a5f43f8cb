/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool behind one of its listeners: a backend. Used by render/ only.
 *
 *	{"name", "mode", "reuses_connections", "balance",
 *	 "sticks_to_source" or "sticks_to_cookie": an argument of a sample fetch or "sets_cookie",
 *	 "check": render/health_check_view.h, "headers": {"X-Forwarded-For": true, …,
 *	 "X-Forwarded-Proto": "https", …}, "fullconn", "timeout_connect", "timeout_server",
 *	 "timeout_tunnel", "proxy_protocol": "send-proxy-v2", "verify",
 *	 "tls": {"certificate", "ca", "crl", and render/tls_view.h},
 *	 "servers": [{"id", "address", "weight", "backup", "disabled", "check_address",
 *	              "check_port"}]}
 *
 * Timeouts are in milliseconds. "verify" is there also where checks alone speak TLS.
 */
#pragma once

#include <jansson.h>

#include "model/listener.h"
#include "render/haproxy_scope.h"

json_t *backend_view(
	struct haproxy_scope *scope, const struct pool *pool, const struct listener *listener);
