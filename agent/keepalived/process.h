/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running keepalived: started by the service manager in the site's namespace, reloaded by its
 * signal, found by its pid file. What it writes goes to the system's log and to
 * RUNTIME/SERVICE.output. Used by the agent; keepalived_pid() by the sender and the Prometheus
 * proxy as well.
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
	/* -s: the site's namespace, if it has one, whatever the config's net_namespace names */
	bool overrides_namespace;
};

/*
 * Starts what does not run; returns when it has written its pid file and taken up its config.
 * -ECHILD: it ended instead, err tells its words; the service manager tries it again, because what
 * it lacks (an interface) may still come.
 */
int keepalived_process_start(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err);
/*
 * A real reload, which keeps its children's state, ended when this returns. Starts what does not
 * run (*ret_started), and what ends over it. Errors as above.
 */
int keepalived_process_reload(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err);
/* Ended in order (its addresses and routes go) when this returns; one that does not run is fine. */
int keepalived_process_stop(const struct keepalived_site *site,
	const struct keepalived_process *process, struct err *err);

/* Empties the outputs that have grown large. To be called now and then. */
void keepalived_process_trim_outputs(const struct keepalived_site *site);

/*
 * The keepalived that a pid file names: 0 when the file is absent, names none, or names a process
 * that has ended or is another one by now: a keepalived of ours has the file's path, spelled as
 * here, among its arguments. Works for every user that can read the file.
 */
pid_t keepalived_pid(const char *pid_file);
