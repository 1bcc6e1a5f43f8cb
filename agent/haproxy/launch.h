/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of one load balancer: HAProxy in master-worker mode under the service manager,
 * started, reloaded and stopped, each to a known end. What they are started with (config, server
 * state) lies in its files already; haproxy/instance.h sees to that. Used by the agent.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/instance.h"

/* The master process; 0: it does not run. */
pid_t haproxy_launch_master(const struct haproxy_site *site, const struct id *id);
/* The worker that serves now; 0: none, or the master does not answer. */
pid_t haproxy_launch_worker(const struct haproxy_site *site, const struct id *id);

/*
 * Starts it, or waits for one that is starting already, and returns when its worker answers. What
 * files are missing for is left out then (haproxy/partial.h), and said in the log.
 * One that was found running and ends meanwhile is started once more.
 * -EBADMSG: it ended instead, its words are in ret_output, and it is not tried again. -ETIMEDOUT:
 * it neither answered nor ended; one that this call started is stopped again.
 */
int haproxy_launch_start(const struct haproxy_instance *instance, pid_t *ret_worker,
	struct buf *ret_output, struct err *err);
/*
 * Puts a new worker in place of the present one; a new master, when what was left out at the start
 * can be served now. -EBADMSG: the new one did not start, HAProxy's words are in ret_output, and
 * the old one goes on.
 */
int haproxy_launch_reload(const struct haproxy_instance *instance, pid_t *ret_worker,
	struct buf *ret_output, struct err *err);
/* Ends master and workers, and what they leave behind under the site's runtime folder. */
int haproxy_launch_stop(const struct haproxy_instance *instance, struct err *err);
/* The same, and the service manager forgets it. */
int haproxy_launch_remove(const struct haproxy_instance *instance, struct err *err);

/*
 * HAProxy writes a line for every server that goes up or down into its file of output: empties
 * those that have grown large. To be called now and then.
 */
void haproxy_launch_trim_outputs(const struct haproxy_site *site);
