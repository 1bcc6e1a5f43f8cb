/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load balancers of this amphora that run on HAProxy, as the sender's sources: every folder
 * BASE_PATH/LB with a haproxy.cfg, unless the file "stopped" lies beside it. Each is asked once per
 * beat at its stats socket, BASE_PATH/LB.sock. Owned by the sender.
 */
#pragma once

#include "base/buf.h"
#include "heartbeat/observation.h"

struct haproxy_sources;

struct haproxy_sources *haproxy_sources_new(const char *base_path);
void haproxy_sources_free(struct haproxy_sources *sources);

/*
 * Asks them all side by side and adds what they say, in the order of the load balancers' ids. One
 * that does not answer within timeout_ms is left out, which makes the observation partial; the log
 * says so once, when it is so for a second time (before, it may just be about to start), and once
 * when it is back.
 */
void haproxy_sources_observe(
	struct haproxy_sources *sources, int timeout_ms, struct observation *observation);
/* Appends which of them are silent. */
void haproxy_sources_describe(const struct haproxy_sources *sources, struct buf *ret_problems);
