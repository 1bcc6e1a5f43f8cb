/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UDP or SCTP listener as templates/keepalived-lvs.conf.mustache sees it: the decisions are made
 * here, the template only says them in keepalived's words, which name the keys. Used by render/
 * only.
 *
 *	{"load_balancer", "listener": {"id", "disabled"}, "net_namespace",
 *	 "families": [
 *	   {"group", "port", "addresses": ["198.51.100.10"], "lb_algo", "protocol",
 *	    "persistence": {"timeout", "granularity"},
 *	    "monitor": {"id", "delay_loop", "retry"},
 *	    "pool": {"id", "disabled"},
 *	    "members": [
 *	      {"id", "disabled", "address", "port", "weight", "uthreshold",
 *	       "misc_check": {"command", "timeout"},
 *	       "http_get": {"path", "status_codes": ["200", "202-204"], "version", "host",
 *	                    "connect_ip", "connect_port", "connect_timeout"},
 *	       "tcp_check": {"connect_ip", "connect_port", "connect_timeout"}}]}]}
 *
 * What does not apply is absent. Times are in seconds, as texts: "5", "1.500".
 */
#pragma once

#include <jansson.h>

#include "render/keepalived_lvs.h"

/* The caller's to json_decref(). */
json_t *keepalived_lvs_view(const struct load_balancer *load_balancer,
	const struct listener *listener, const struct keepalived_lvs_options *options);
