/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load balancer as templates/haproxy.cfg.mustache sees it: the decisions are made here, the
 * template only says them in HAProxy's words, which name the keys. Used by render/ only.
 *
 *	{"load_balancer": {"id", "project_id"}, "log_socket", "user_log_facility",
 *	 "administrative_log_facility", "stats_socket", "server_state_file", "maxconn",
 *	 "frontends": [
 *	   {"id", "maxconn", "bind", "mode", "is_http", "default_backend", "timeout_client",
 *	    "inspect_delay", "backends": [
 *	      {"name", "mode", "reuses_connections", "balance", "fullconn", "timeout_connect",
 *	       "timeout_server", "timeout_tunnel",
 *	       "check": {"timeout", "interval", "fall", "rise",
 *	                 "http": {"method", "path", "version", "host", "expected"}},
 *	       "servers": [{"id", "address", "weight", "disabled"}]}]}]}
 *
 * What does not apply is absent. Timeouts are in milliseconds, but for those of "check", which are
 * texts with their unit.
 */
#pragma once

#include <jansson.h>

#include "render/haproxy_cfg.h"

/* The caller's to json_decref(). Its size is that of the model: servers are shared by backends. */
json_t *haproxy_view(
	const struct load_balancer *load_balancer, const struct haproxy_cfg_options *options);
