/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deployments that an earlier agent was killed in: undone when the next one starts. Nobody was told
 * that they had succeeded. Used by the agent.
 */
#pragma once

#include "deploy/site.h"

struct recovery;

/*
 * Finds them and puts back what was installed; what they are of is held from then on, so that
 * requests for it wait. To be called before any request is served.
 */
struct recovery *recovery_begin(const struct deploy_site *site);
/*
 * Has what runs take that up, and lets go. Called when the network is there, and before anything
 * else is restored: what ought to run and does not is left to the modules' own restore. What fails
 * is logged. Accepts NULL.
 */
void recovery_finish(struct recovery *recovery);
/* Lets go of them: the agent does not start, and the next one begins anew. Accepts NULL. */
void recovery_abandon(struct recovery *recovery);
