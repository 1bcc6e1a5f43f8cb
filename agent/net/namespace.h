/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespace that HAProxy and keepalived live in: made with its sysctls, and filled again with
 * the plugged interfaces after a reboot (amphora-api.md, "Plugging"). Used by the agent and
 * amphora-interface.
 */
#pragma once

#include "base/err.h"
#include "net/site.h"

/*
 * The namespace is there, with `lo` up and its sysctls set; made if it was not. Where the site has
 * none, nothing is done. Idempotent. The caller holds the site's lock.
 */
int namespace_ensure(const struct net_site *site, struct err *err);

/*
 * What a boot leaves to do: the namespace, the plugged interfaces moved back in under their names,
 * each made as its description says, the allow-list in force again before the first of them is up.
 * What cannot be done is logged and does not stop the rest. Takes the site's lock.
 */
void namespace_restore(const struct net_site *site);
