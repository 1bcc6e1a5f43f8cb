/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VIPs are advertised once what serves them was started or reloaded, in SINGLE topology
 * (amphora-api.md, "Endpoints", start and reload): in a pair that is keepalived's business. Used by
 * the agent's handlers.
 */
#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/id.h"

struct agent;

/* Waits for nobody; what fails is logged. */
void vips_advertise(struct agent *agent, const struct address *addresses, size_t count);
/* The addresses that the installed haproxy.cfg binds. */
void vips_advertise_load_balancer(struct agent *agent, const struct id *id);
