/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HAProxys of all load balancers share: where their files lie, how they are started, and
 * who may change one of them at a time. Made once at start from the settings (base paths change
 * only with a restart), immutable then, shared by all threads. Used by the agent.
 *
 * Files, LB the load balancer's id (amphora-api.md, "Names of files, units, helpers"):
 *
 *	BASE/LB/haproxy.cfg              what ought to run; its presence makes the load balancer
 *	BASE/LB/haproxy.cfg.new          an upload while it is checked
 *	BASE/LB/haproxy.cfg.new-failed   the last upload that HAProxy refused
 *	BASE/LB/model-DIGEST.json        the model behind haproxy.cfg (haproxy/stored_model.h)
 *	BASE/LB/LB.pid                   HAProxy's pid file
 *	BASE/LB/servers-state            state of the servers, from one process to the next
 *	BASE/LB/stopped                  marker: stopped by request, not to be started at boot
 *	BASE/.LB.deleted                 its folder while it is being removed
 *	BASE/LB.traffic.json             what its listeners have transferred (haproxy/traffic.h)
 *	BASE/LB.sock                     stats socket, as the controller's config names it
 *	BASE/haproxy-default-user-group.conf
 *	                                 our own settings, the second -f (haproxy/own_config.h)
 *	CERTS/LB/NAME.pem                certificates, crt-lists
 *	RUNTIME/LB.master.sock           master CLI
 *	RUNTIME/LB.running               what the present worker runs with (haproxy/running.h)
 *	RUNTIME/LB.output                what HAProxy wrote while starting
 *	RUNTIME/LB.partial.cfg           what it runs with while files are missing (partial.h)
 *	RUNTIME/LB.preview.cfg           a dry run's config while it is checked
 *	RUNTIME/haproxy-check.cfg        what only a check has behind them (haproxy/check.h)
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "conf/settings.h"
#include "sys/service.h"

struct haproxy_site {
	char *base_path;
	char *base_cert_dir;
	char *runtime_dir;
	char *haproxy_cmd;
	char *network_namespace; /* "": none */
	char *template_dir;      /* found: the configured one, or ours */
	unsigned user_log_facility, administrative_log_facility;
	in_port_t prometheus_port, prometheus_exporter_port; /* as in render/haproxy_cfg.h */
	bool members_start_down;                             /* as in conf/settings.h */
	char *peer_name; /* ours: haproxy -L (render/peer_name.h) */
	struct service_manager *services;
	struct id_locks *locks;         /* base/id_lock.h */
	struct id_locks *traffic_locks; /* of traffic.json: held for a reading, not for a reload */
};

/*
 * Copies what it needs of settings; services stays the caller's and must outlive the site. Makes
 * the folders, and removes what a killed agent half wrote in the first: nobody may be writing
 * there. -ENAMETOOLONG when a socket under runtime_dir or base_path could not be bound (see
 * haproxy_socket_path_check()).
 */
int haproxy_site_new(const struct settings *settings, struct service_manager *services,
	struct haproxy_site **ret_site, struct err *err);
/* Accepts NULL. What runs goes on running. */
void haproxy_site_free(struct haproxy_site *site);

enum haproxy_file {
	HAPROXY_FILE_FOLDER,  /* BASE/LB */
	HAPROXY_FILE_DELETED, /* BASE/.LB.deleted */
	HAPROXY_FILE_CONFIG,
	HAPROXY_FILE_CONFIG_NEW,
	HAPROXY_FILE_CONFIG_FAILED,
	HAPROXY_FILE_PID,
	HAPROXY_FILE_SERVERS_STATE,
	HAPROXY_FILE_TRAFFIC,
	HAPROXY_FILE_STOPPED,
	HAPROXY_FILE_STATS_SOCKET,
	HAPROXY_FILE_CERTIFICATES, /* CERTS/LB */
	HAPROXY_FILE_MASTER_SOCKET,
	HAPROXY_FILE_RUNNING,
	HAPROXY_FILE_OUTPUT,
	HAPROXY_FILE_PARTIAL,
	HAPROXY_FILE_PREVIEW,
};

/* The path of one load balancer's file; the caller frees it. */
char *haproxy_site_path(
	const struct haproxy_site *site, const struct id *id, enum haproxy_file file);
/* Our own settings, the second -f, and what only a check has behind them; the caller frees them. */
char *haproxy_site_own_config_path(const struct haproxy_site *site);
char *haproxy_site_check_config_path(const struct haproxy_site *site);

/*
 * The path of a UNIX socket ends at 107 bytes, and HAProxy wants ten more of its own while it binds
 * ("PATH.12345.tmp").
 */
enum { HAPROXY_SOCKET_PATH_MAX = 97 };
int haproxy_socket_path_check(const char *path, struct err *err);

/*
 * The load balancers that exist, sorted: folders with a valid id that hold a haproxy.cfg. The
 * caller frees *ret_ids.
 */
int haproxy_site_load_balancers(
	const struct haproxy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err);
