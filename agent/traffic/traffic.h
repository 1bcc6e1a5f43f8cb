/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a listener has transferred: counters that only grow, until whoever counts starts anew.
 * Plain values. Used by the agent, the sender and the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct traffic {
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors_request;
	uint64_t sessions_total;
};

void traffic_add(struct traffic *sum, const struct traffic *more);
/* Some counter is less than before: whoever counts has started anew. */
bool traffic_has_gone_down(const struct traffic *now, const struct traffic *before);
