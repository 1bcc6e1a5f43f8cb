/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traffic of load balancers, counted: all their sources are read into their ledgers, HAProxy's
 * workers (haproxy/traffic.h) and the kernel's services of their LVS listeners. Used by the agent's
 * main loop and handlers.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "haproxy/config.h"
#include "haproxy/traffic.h"

struct agent;

/* So much is lost of what somebody counted who is killed. */
enum { TRAFFIC_INTERVAL_S = 10 };

/* A load balancer's listeners, and what they have transferred. */
struct traffic_count {
	struct haproxy_config config; /* its HAProxy listeners */
	struct id *lvs_listeners;
	size_t lvs_listener_count;
	struct haproxy_traffic *traffic; /* in hand, its ledger up to date */
};

/*
 * Reads all sources and keeps the sums. -ENOENT: no such load balancer, not even one of LVS
 * listeners alone. What could not be read or kept is no failure: the ledger holds what it has, and
 * *ret_trouble, an empty one before, says so.
 */
int traffic_count(struct agent *agent, const struct id *load_balancer,
	struct traffic_count *ret_count, struct err *ret_trouble, struct err *err);
/* Starts as {0}. */
void traffic_count_deinit(struct traffic_count *count);
#define cleanup_traffic_count CLEANUP(traffic_count_deinit)

/* The same for all of them, every TRAFFIC_INTERVAL_S. */
void traffic_count_all(struct agent *agent);
/*
 * The LVS listeners of one load balancer, or of that which a listener's config names, before their
 * services may go. No HAProxy is asked: one that hangs holds up nobody who does not need it.
 */
void traffic_count_lvs(struct agent *agent, const struct id *load_balancer);
void traffic_count_listener(struct agent *agent, const struct id *listener);
