/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a config asks of what runs: nothing, a change at run time, a reload, a start; found out
 * before anything is changed, then done. Behind haproxy/instance.h. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "haproxy/running.h"
#include "haproxy/runtime.h"

struct haproxy_intent {
	enum haproxy_applied applied; /* not STOP; what was really done once it is fulfilled */
	pid_t worker;                 /* 0: none answers */
	bool knows_before;
	bool knows_after;
	struct haproxy_running before; /* empty unless known */
	struct haproxy_running after;
	struct haproxy_runtime_plan plan; /* for RUNTIME */
};

void haproxy_intent_make(const struct haproxy_instance *instance, const char *text,
	size_t size_bytes, struct haproxy_intent *ret_intent);
void haproxy_intent_deinit(struct haproxy_intent *intent);
#define cleanup_haproxy_intent CLEANUP(haproxy_intent_deinit)

/*
 * Does it; text is the one that the intent was made for, and lies in haproxy.cfg. A change at run
 * time that HAProxy does not take becomes a reload. -EBADMSG: HAProxy refused the config, its words
 * are in ret_output, and what ran goes on.
 */
int haproxy_intent_fulfil(struct haproxy_instance *instance, struct haproxy_intent *intent,
	const char *text, size_t size_bytes, struct buf *ret_output, struct err *err);
