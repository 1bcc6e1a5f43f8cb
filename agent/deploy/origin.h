/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a keepalived config comes from: one that a model led to says so in its first line, and
 * whose it is. So what belongs to a load balancer is known from what is installed, and a
 * controller's upload in its place takes it out of the model (deploy/deployment.h). Pure. Used by
 * the agent.
 *
 *	# Rendered by amphora-agent for load balancer LB
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/id.h"

/* Appends that line. */
void origin_append(const struct id *load_balancer, struct buf *ret_text);
/* The load balancer that a config was rendered for; false when it was uploaded. */
bool origin_parse(const char *text, struct id *ret_load_balancer);
/* Whether it is that one. */
bool origin_is(const char *text, const struct id *load_balancer);
