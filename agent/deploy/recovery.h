/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deployments that an earlier agent was killed in: undone when the next one starts. Nobody was told
 * that they had succeeded. Used by the agent.
 */
#pragma once

#include "deploy/site.h"

struct recovery;

/*
 * Finds them and holds what they are of, so that requests for it wait: to be called before any
 * request is served.
 */
struct recovery *recovery_begin(const struct deploy_site *site);
/*
 * Undoes them and lets go. Called when the network is there, and before anything else is restored:
 * what ought to run and does not is left to the modules' own restore. What fails is logged. Accepts
 * NULL.
 */
void recovery_finish(struct recovery *recovery);
/* Lets go of them without a change: the agent does not start. Accepts NULL. */
void recovery_abandon(struct recovery *recovery);
