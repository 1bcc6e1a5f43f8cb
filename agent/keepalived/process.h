/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running keepalived: started by the service manager in the site's namespace, reloaded by its
 * signal, found by its pid file. Used by the agent and (is_running) by the sender.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "keepalived/site.h"

struct keepalived_process {
	const char *service;        /* "octavia-keepalived", "octavia-keepalivedlvs-L" */
	const char *config;         /* -f */
	const char *pid_file;       /* -p */
	const char *vrrp_pid_file;  /* -r; NULL: keepalived's default */
	const char *check_pid_file; /* -c; NULL: keepalived's default */
	bool only_vrrp;             /* -P */
	bool only_check;            /* -C */
};

/* Starts what does not run; returns when its pid file names it. */
int keepalived_process_start(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err);
/* A real reload: it keeps its children's state. Starts what does not run (*ret_started). */
int keepalived_process_reload(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err);
/* Ended in order (its addresses and routes go) when this returns; one that does not run is fine. */
int keepalived_process_stop(const struct keepalived_site *site,
	const struct keepalived_process *process, struct err *err);

/*
 * The keepalived that a pid file names: 0 when the file is absent, names none, or names a process
 * that has ended or is another program by now. Works for every user.
 */
pid_t keepalived_pid(const char *pid_file);
