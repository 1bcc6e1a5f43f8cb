/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LVS listeners of this amphora, as the sender's sources: each that has a config, unless it was
 * stopped by request (lvs/site.h). Their state is the kernel's, their keepaliveds are only looked
 * for. Owned by the sender.
 */
#pragma once

#include "base/buf.h"
#include "heartbeat/observation.h"
#include "sys/ipvs.h"

struct lvs_sources;

/* ipvs stays the caller's; NULL: the kernel cannot be asked. */
struct lvs_sources *lvs_sources_new(const char *base_path, struct ipvs *ipvs);
void lvs_sources_free(struct lvs_sources *sources);

/*
 * Adds the listeners whose keepalived lives, in the order of their ids; no kernel is asked when
 * there is no listener. One without a keepalived is left out, which makes the observation partial.
 * Where the kernel does not answer within timeout_ms the listeners are reported all the same,
 * without traffic and pools: the health manager wants every listener. A kernel without IPVS has
 * empty tables. The log hears of each trouble once, and once when it is over.
 */
void lvs_sources_observe(
	struct lvs_sources *sources, int timeout_ms, struct observation *observation);
/* Appends what is wrong with them. */
void lvs_sources_describe(const struct lvs_sources *sources, struct buf *ret_problems);
