/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager: starts, watches and restarts the programs that do the work (haproxy,
 * amphora-heartbeat, keepalived …). Two implementations fit this interface: "direct"
 * (sys/service_direct.c), where the agent itself supervises, and "systemd" (template units, jobs
 * over D-Bus). Thread-safe: calls for one service wait for each other, calls for different ones do
 * not. Used by the agent only.
 *
 * A service is named PROGRAM@INSTANCE or PROGRAM, of letters, digits and "@_.-". "Wanted" services
 * are kept running: one that ends is started again, at once the first time, then after 100 ms, 200
 * ms and so on up to 30 s; ten seconds of running clear the slate.
 *
 * A service is its main process and the session that it leads. What remains of the session when
 * the main process has ended is killed before the service counts as ended or is started anew.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/process.h"

enum { SERVICE_NAME_MAX = 128 };

struct service_manager;

/*
 * What a service is. With systemd the static unit says the same, so that manager uses the name
 * only. The manager keeps copies; the caller's may go. process.output_path is renamed to
 * "PATH.old" at a start that finds it larger than 1 MiB; both files are the caller's to remove.
 */
struct service_spec {
	const char *name; /* "haproxy@LB", "amphora-heartbeat" */
	struct process_spec process;
	int stop_signal; /* asks it to end (0: SIGTERM); SIGKILL follows after stop_timeout_ms */
	int stop_timeout_ms; /* 0: 5 s */
	/*
	 * Pid files that the service writes and that keep it from starting when they name any live
	 * process: removed before each start. NULL at the end; NULL: none.
	 */
	const char *const *pid_files;
};

/*
 * runtime_dir: where "direct" keeps what it must find again after its own restart, in the folder
 * "services". What an earlier agent started and still runs is found here and watched, but started
 * again only once service_start() has said how. The caller sees to it that there is one manager at
 * a time for a runtime_dir.
 */
int service_manager_new_direct(
	const char *runtime_dir, struct service_manager **ret_manager, struct err *err);
/* Stops watching. What runs goes on running: the data plane outlives us. Accepts NULL. */
void service_manager_free(struct service_manager *manager);

/*
 * Makes the service wanted, and starts it unless it runs already (0; *ret_started, if not NULL,
 * tells which); spec then counts for later restarts. The caller checks readiness by the service's
 * own means (a socket that answers). When it cannot be started, a service that was not wanted
 * before is not wanted now. systemd: enables and starts the unit.
 */
int service_start(struct service_manager *manager, const struct service_spec *spec,
	bool *ret_started, struct err *err);
/*
 * No longer wanted; ended when this returns 0, after at most stop_timeout_ms and some seconds. A
 * service that does not run or exist is fine. -ETIMEDOUT when not even SIGKILL ended it. systemd:
 * stops the unit, which a boot starts again.
 */
int service_stop(struct service_manager *manager, const char *name, struct err *err);
/* service_stop() for good. systemd: stops and disables the unit. */
int service_remove(struct service_manager *manager, const char *name, struct err *err);
/* Stop and start in one step, for what takes up new settings by starting anew. */
int service_restart(
	struct service_manager *manager, const struct service_spec *spec, struct err *err);

/* The main process of a running service; 0 when it does not run. */
pid_t service_pid(struct service_manager *manager, const char *name);
/* How often the manager had to start it again since it became wanted. */
unsigned service_restart_count(struct service_manager *manager, const char *name);
