/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager: starts, watches and restarts the programs that do the work (haproxy,
 * amphora-heartbeat, keepalived …). Two implementations fit this interface: "direct"
 * (sys/service_direct.c), where the agent itself supervises, and "systemd" (sys/service_systemd.c),
 * where units and jobs of the machine's systemd do. Thread-safe: calls for one service wait for
 * each other, calls for different ones do not. Used by the agent only.
 *
 * A service is named like its systemd unit without ".service", of letters, digits and "@_.-".
 * "Wanted" services are kept running: one that ends is started again. direct: at once the first
 * time, then after 100 ms, 200 ms and so on up to 30 s; ten seconds of running clear the slate.
 * systemd: after 200 ms each time, because Debian 12's knows no growing pauses.
 *
 * A service is its main process and what that has started: with direct the session that it leads,
 * with systemd the unit's control group. What remains of it when the main process has ended is
 * killed before the service counts as ended or is started anew.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/process.h"

enum { SERVICE_NAME_MAX = 128 };

struct service_manager;

/*
 * What a service is. The manager keeps copies; the caller's may go. process.output_path is the
 * caller's to keep small and to remove; direct renames it to "PATH.old", also the caller's, at a
 * start that finds it larger than 1 MiB.
 */
struct service_spec {
	const char *name; /* "haproxy-LB", "amphora-heartbeat" */
	struct process_spec process;
	int stop_signal; /* asks it to end (0: SIGTERM); SIGKILL follows after stop_timeout_ms */
	int stop_timeout_ms; /* 0: 5 s */
	/*
	 * Pid files that the service writes and that keep it from starting when they name any live
	 * process: removed before each start. NULL at the end; NULL: none.
	 */
	const char *const *pid_files;
	/*
	 * While it is wanted a boot starts it, before the agent does and without it. Needs a
	 * manager that outlives the agent: with direct the agent starts everything.
	 */
	bool starts_at_boot;
};

enum { SERVICE_STOP_TIMEOUT_MS = 5000 };

/*
 * runtime_dir: where "direct" keeps what it must find again after its own restart, in the folder
 * "services". What an earlier agent started and still runs is found here and watched, but started
 * again only once service_start() has said how. The caller sees to it that there is one manager at
 * a time for a runtime_dir.
 */
int service_manager_new_direct(
	const char *runtime_dir, struct service_manager **ret_manager, struct err *err);
/*
 * unit_dir: where systemd looks for the units of this machine, "/etc/systemd/system". Each service
 * is a unit file there; it is systemd that knows what runs. It need not answer yet.
 */
struct service_manager *service_manager_new_systemd(const char *unit_dir);
/* Stops watching. What runs goes on running: the data plane outlives us. Accepts NULL. */
void service_manager_free(struct service_manager *manager);

/*
 * Makes the service wanted, and starts it unless it runs already (0; *ret_started, if not NULL,
 * tells which); spec then counts for later restarts. 0 says that the program was executed: the
 * caller checks readiness by the service's own means (a socket that answers). When it cannot be
 * started, a service that was not wanted before is not wanted now.
 */
int service_start(struct service_manager *manager, const struct service_spec *spec,
	bool *ret_started, struct err *err);
/*
 * No longer wanted; ended when this returns 0, after at most stop_timeout_ms and some seconds. A
 * service that does not run or exist is fine. -ETIMEDOUT when not even SIGKILL ended it.
 */
int service_stop(struct service_manager *manager, const char *name, struct err *err);
/* service_stop() for good: systemd's unit file, which a stop leaves, goes as well. */
int service_remove(struct service_manager *manager, const char *name, struct err *err);
/* Stop and start in one step, for what takes up new settings by starting anew. */
int service_restart(
	struct service_manager *manager, const struct service_spec *spec, struct err *err);

/* The main process of a running service; 0 when it does not run, or nobody can tell. */
pid_t service_pid(struct service_manager *manager, const char *name);
/* How often the manager had to start it again since it became wanted. */
unsigned service_restart_count(struct service_manager *manager, const char *name);
