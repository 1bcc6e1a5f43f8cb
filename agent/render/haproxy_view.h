/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer as templates/haproxy.cfg.mustache sees it: the decisions are made here, the
 * template only says them in HAProxy's words, which name the keys. Used by render/ only.
 *
 *	{"load_balancer": {"id", "project_id"}, "log_socket", "user_log_facility",
 *	 "administrative_log_facility", "stats_socket", "server_state_file", "maxconn", "tls_cache",
 *	 "threads", "has_ping", "stick_table_size",
 *	 "peers": {"name", "members": [{"name", "address"}]},
 *	 "metrics": {"exporter_port", "proxy_port"},
 *	 "listeners": [{"frontend": render/frontend_view.h, "backends": [render/backend_view.h]}]}
 *
 * What does not apply is absent.
 */
#pragma once

#include <jansson.h>

#include "render/haproxy_cfg.h"

/* The caller's to json_decref(). Its size is that of the model: servers are shared by backends. */
json_t *haproxy_view(
	const struct load_balancer *load_balancer, const struct haproxy_cfg_options *options);
