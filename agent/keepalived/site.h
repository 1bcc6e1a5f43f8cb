/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keepalived processes share: the program, where it runs, who supervises it. An LVS
 * listener is a keepalived of its own (lvs/), so it uses this folder too. Made once at start,
 * immutable then. Used by the agent.
 *
 *	BASE/vrrp/octavia-keepalived.conf      the VRRP instance, as a controller uploaded it
 *	BASE/vrrp/octavia-keepalived.conf.new  an upload while it is checked
 *	BASE/vrrp/octavia-keepalived.pid       its main process
 *	BASE/vrrp/octavia-keepalived.vrrp.pid  its child that speaks VRRP
 *	BASE/vrrp/stopped                      marker: stopped by request, not to be started at boot
 *	BASE/vrrp/check_script.sh              what its config runs every few seconds
 *	RUNTIME/octavia-keepalived.output      what it wrote lately (keepalived/process.h)
 */
#pragma once

#include "base/err.h"
#include "conf/settings.h"
#include "sys/service.h"

struct keepalived_site {
	char *base_path;
	char *runtime_dir;
	char *network_namespace; /* "": none */
	char *command;           /* [agent] keepalived_cmd */
	unsigned administrative_log_facility;
	struct service_manager *services;
};

/* Copies what it needs; makes BASE/vrrp. services must outlive the site. */
int keepalived_site_new(const struct settings *settings, struct service_manager *services,
	struct keepalived_site **ret_site, struct err *err);
/* Accepts NULL. What runs goes on running. */
void keepalived_site_free(struct keepalived_site *site);
