/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of LVS listeners in force (deploy/clients.h, net/client_filter.h): always those that
 * the installed configs name. RUNTIME/clients tells, until the next boot, that there are any. Used
 * by the agent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "deploy/site.h"

/*
 * Puts in force what the installed configs name. Nothing is done where none names anything and none
 * did before.
 */
int admission_enforce(const struct deploy_site *site, struct err *err);
/*
 * The same, and what configs name that will be installed next, for the time until they are: of two
 * lists for one address and port both count.
 */
int admission_enforce_both(const struct deploy_site *site, const struct buf *const *texts,
	size_t count, struct err *err);
/*
 * admission_enforce() after a listener was started, reloaded, stopped or deleted by itself; at no
 * cost where nothing is in force. What fails is logged.
 */
void admission_refresh(const struct deploy_site *site);
/*
 * At the agent's start, before the listeners run: where it fails, those with a list are stopped,
 * and the log says so.
 */
void admission_restore(const struct deploy_site *site);
