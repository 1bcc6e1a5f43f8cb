/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the present worker of a load balancer runs with: the config it was started with or was
 * changed to at run time, the files that it read, and whose record this is. Kept in RUNTIME/LB
 * .running, so that a restarted agent knows it too; forgotten before anything is changed, so that
 * a record that is there is true. Used by the agent.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "haproxy/instance.h"

struct haproxy_running {
	struct buf config; /* haproxy.cfg */
	struct buf files;  /* haproxy/references.h, of haproxy.cfg and our own config */
};

void haproxy_running_deinit(struct haproxy_running *running);
#define cleanup_haproxy_running CLEANUP(haproxy_running_deinit)

/*
 * What a worker that started now would run with: text and the files as they are. -ENOTSUP as
 * haproxy_references_digest().
 */
int haproxy_running_observe(const struct haproxy_instance *instance, const char *text,
	size_t size_bytes, struct haproxy_running *ret_running, struct err *err);

/* -ENOENT: nothing is known of this worker. */
int haproxy_running_load(const struct haproxy_instance *instance, pid_t worker,
	struct haproxy_running *ret_running, struct err *err);
int haproxy_running_store(const struct haproxy_instance *instance, pid_t worker,
	const struct haproxy_running *running, struct err *err);
int haproxy_running_forget(const struct haproxy_instance *instance, struct err *err);
