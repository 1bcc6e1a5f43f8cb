/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which LVS listeners belong to a load balancer. A model names its own; a controller uploads each
 * by itself, and never says for which load balancer: an amphora of Octavia's has one. So those that
 * no model names belong to the load balancer without a model, if it is the only one. Used by the
 * agent's handlers.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/id.h"

struct agent;

/* Those of them that have a config, sorted; the caller frees *ret_listeners. */
int lvs_listeners_of(struct agent *agent, const struct id *load_balancer, struct id **ret_listeners,
	size_t *ret_count, struct err *err);
