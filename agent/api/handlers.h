/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers of the route table, one file per resource: each parses, calls one thing below, and
 * replies (amphora-api.md, "Endpoints"; model.md, "Endpoints"). Used by api/route.c.
 */
#pragma once

#include "api/route.h"

typedef void api_handler(const struct call *call, struct http_reply *ret_reply);

/* info.c: what this amphora is. */
api_handler version_get;
api_handler info_get;
api_handler details_get;

/* load_balancer.c: a load balancer as the controller's haproxy.cfg. */
api_handler haproxy_put;
api_handler haproxy_get;
api_handler load_balancer_act;    /* start, stop, reload */
api_handler listener_delete;      /* a load balancer's HAProxy, or a UDP listener */
api_handler load_balancer_delete; /* all of it */
api_handler listeners_get;

/* udp_listener.c: a UDP or SCTP listener as the controller's keepalived.conf. */
api_handler udp_listener_put;
api_handler udp_listener_get;

/* model.c: a load balancer as data. */
api_handler model_put;
api_handler model_get;

/* status.c: how it and all below it are. */
api_handler status_get;

/* stats.c: what a load balancer has transferred. */
api_handler stats_get;

/* heartbeat.c: what the health managers are told. */
api_handler heartbeat_get;

/* certificate.c: PEM files of a load balancer. */
api_handler certificate_put;
api_handler certificate_get;
api_handler certificate_delete;

/* plug.c: the network interfaces. */
api_handler plug_vip_post;
api_handler plug_network_post;

/* vrrp.c: the keepalived of an active/standby pair. */
api_handler vrrp_config_put;
api_handler vrrp_act; /* start, stop, reload */

/* agent_config.c: the agent's own certificate and settings. */
api_handler server_certificate_put;
api_handler config_put;

/* interface.c: interfaces as they are, and who may reach the VIP's. */
api_handler interface_get;
api_handler interface_rules_put;
