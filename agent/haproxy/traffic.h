/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a load balancer's listeners have transferred since it was made, over reloads, crashes and
 * reboots: its ledger (traffic/ledger.h), BASE/LB.traffic.json. Each worker, the present one and
 * old ones that still serve connections of theirs, is a source, asked through the master CLI; the
 * kernel's services of its LVS listeners are others, which api/traffic.h adds. Used by the agent,
 * which alone writes the file.
 *
 * The workers are read before each reload and stop (haproxy/launch.h), every TRAFFIC_INTERVAL_S
 * (api/traffic.h) and when somebody asks. Lost is what a worker counts after its last reading: when
 * it is killed, what came since then; at a stop the connections that it cuts; of an old worker the
 * last connections, since it ends with them (HAProxy counts a connection's bytes when that ends,
 * unless its config says `option contstats`).
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "haproxy/site.h"
#include "traffic/ledger.h"

struct haproxy_traffic {
	struct haproxy_site *site;
	struct id id;
	struct ledger *ledger;
};

/*
 * Takes the ledger in hand: others wait. One that is missing or cannot be read is begun anew, which
 * the log says in the second case. To be closed.
 */
struct haproxy_traffic *haproxy_traffic_open(struct haproxy_site *site, const struct id *id);
/*
 * Asks all workers, and settles those that are no more. err is set only when this fails, because
 * one that runs does not answer; what the others said is in the ledger all the same.
 */
int haproxy_traffic_read(struct haproxy_traffic *traffic, struct err *err);
/* Keeps what was read. */
int haproxy_traffic_store(struct haproxy_traffic *traffic, struct err *err);
void haproxy_traffic_close(struct haproxy_traffic *traffic);
DEFINE_CLEANUP(struct haproxy_traffic *, haproxy_traffic_close);
#define cleanup_haproxy_traffic CLEANUP(cleanup_haproxy_traffic_close)

/* All of this, before its processes are replaced or end; failures are logged. */
void haproxy_traffic_record(const struct haproxy_instance *instance);
/*
 * A load balancer gets its HAProxy: counts from now on, unless UDP listeners have made it before.
 * One that was deleted has left no ledger.
 */
void haproxy_traffic_begin(const struct haproxy_instance *instance);
/* It is no more. */
int haproxy_traffic_forget(struct haproxy_site *site, const struct id *id, struct err *err);
/* Those that have a ledger, in no order; the caller frees *ret_ids. */
int haproxy_traffic_list(
	const struct haproxy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err);
