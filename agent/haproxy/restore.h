/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's start: what ought to run is every load balancer with a haproxy.cfg and without the
 * marker `stopped`, and after this it does. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "haproxy/site.h"

/*
 * Adopts what runs, starts what ought to run and does not, stops what a stop that was cut short
 * left running, and removes what a deletion left. Load balancers are taken side by side; one that
 * cannot be started is logged and keeps no other waiting. Requests may be served meanwhile. Returns
 * how many ought to run but do not.
 */
size_t haproxy_restore_all(struct haproxy_site *site);
