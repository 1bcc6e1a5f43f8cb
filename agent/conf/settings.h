/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's own settings, as oslo.config reads them (amphora-api.md, "Configuration file"): one
 * table of keys (conf/settings_table.c), parsed whole and checked, then applied. A plain value that
 * owns its texts; none of them is NULL once loaded. Used by the agent, the sender and the
 * Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "base/id.h"
#include "base/topology.h"

enum service_manager_kind { SERVICE_MANAGER_AUTO, SERVICE_MANAGER_SYSTEMD, SERVICE_MANAGER_DIRECT };

/* Paths are absolute and do not end in '/'. */
struct settings {
	/* [DEFAULT] */
	bool debug;

	/* [haproxy_amphora] */
	char *base_path;     /* /var/lib/octavia */
	char *base_cert_dir; /* BASE_PATH/certs */
	struct address bind_host;
	uint16_t bind_port; /* 0: any free one */
	char *haproxy_cmd;  /* absolute, or looked up in PATH */

	/* [health_manager]; targets as written, "HOST:PORT", of valid form; resolved by the sender
	 */
	char **controller_ip_port_list;
	size_t controller_count;
	unsigned heartbeat_interval_s;
	char *heartbeat_key; /* "" : none configured */

	/* [amphora_agent] */
	char *agent_server_ca;   /* path */
	char *agent_server_cert; /* path */
	char *agent_server_network_dir;
	unsigned agent_request_read_timeout_s;
	struct id amphora_id;
	bool tls_1_3_only; /* agent_tls_protocol = TLSv1.3; else TLSv1.2 and up */
	/*
	 * N of LOG_LOCALN. The controller's template writes them to [haproxy_amphora], the
	 * reference agent reads [amphora_agent]: the latter wins, the former is taken else.
	 */
	unsigned administrative_log_facility, user_log_facility;

	/* [controller_worker] */
	enum topology topology;

	/* [agent], ours alone */
	enum service_manager_kind service_manager;
	char *unit_dir;          /* where the service manager systemd puts units */
	char *network_namespace; /* "": none */
	char *template_dir;      /* "": found by the program (sys/installation.h) */
	char *runtime_dir;       /* /run/octavia */
	char *user;              /* whom the unprivileged programs run as; "nobody" */
	/*
	 * On 127.0.0.1, in the network namespace: the Prometheus proxy (0: there is none) and the
	 * exporter of HAProxy that it asks. Controllers' configs name 9102 and 9101.
	 */
	uint16_t prometheus_port;
	unsigned prometheus_exporter_port;
	/*
	 * A checked member that is new, or was administratively down, gets nothing before checks
	 * pass: one with HAProxy 3.1 and newer, max_retries of them with older ones, where that
	 * goes for members that come without a reload.
	 */
	bool members_start_down;
	char *keepalived_cmd; /* absolute, or looked up in PATH */
};

/*
 * What --config-file and --config-dir named. Every file is read, in their order, then the *.conf
 * files of every folder, sorted by name.
 */
struct settings_sources {
	char **files; /* the last one is what PUT /1.0/config replaces */
	size_t file_count;
	char **dirs;
	size_t dir_count;
};
void settings_sources_add_file(struct settings_sources *sources, const char *path);
void settings_sources_add_dir(struct settings_sources *sources, const char *path);
void settings_sources_deinit(struct settings_sources *sources);

/*
 * Reads every source, later wins, and checks the whole. -EINVAL with "FILE:LINE: [section] key:
 * what is wrong, what is allowed"; the errors of ini_read() (conf/ini.h) for a source that cannot
 * be read. Unknown sections and keys are ignored. Things that are legal but look wrong (a value
 * that is HTML-escaped, an unknown key in [agent]) are logged as warnings. *ret_settings is
 * untouched on failure.
 */
int settings_load(
	const struct settings_sources *sources, struct settings *ret_settings, struct err *err);
/*
 * The same, with text in place of the last of the files: what PUT /1.0/config would lead to.
 * -EINVAL when no file is among the sources.
 */
int settings_load_with(const struct settings_sources *sources, const char *text,
	size_t text_size_bytes, struct settings *ret_settings, struct err *err);
/* Frees everything, the key after it was wiped. Zeroed settings are fine. */
void settings_deinit(struct settings *settings);

/* What the program would do with these settings, for --check: lines for a person, no secrets. */
struct buf;
void settings_describe(const struct settings *settings, struct buf *ret_text);
