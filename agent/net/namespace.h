/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespace that HAProxy and keepalived live in: made with its sysctls, and filled again with
 * the plugged interfaces after a reboot (amphora-api.md, "Plugging"). Used by the agent and
 * amphora-interface. Where the site has no namespace, the agent's own one takes its place:
 * interfaces stay where they are, and no sysctl is touched.
 *
 * But for namespace_restore() the caller holds the site's lock, and the calling thread is in the
 * agent's own namespace, before and after.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/mac.h"
#include "net/description.h"
#include "net/site.h"

/*
 * The namespace is there, with `lo` up and its sysctls set; made if it was not: nobody finds it by
 * its name before it is whole. A sysctl that the kernel does not have, or refuses, is logged and
 * does not fail. Idempotent.
 */
int namespace_ensure(const struct net_site *site, struct err *err);

/*
 * The interface with the MAC lies in the namespace under that name: moved there, if it is still in
 * the agent's own. -ENODEV: it is in neither; -EEXIST: another interface there has the name, or it
 * has another one there.
 */
int namespace_take(
	const struct net_site *site, const struct mac *mac, const char *name, struct err *err);

/*
 * Makes an interface of the namespace what its description says, with its masquerading, and, where
 * it is SR-IOV, only once the allow-list is in force. *ret_changed, if not NULL: whether the
 * interface had to be changed. -ENODEV: no such interface there.
 */
int namespace_interface_up(const struct net_site *site,
	const struct interface_description *description, bool *ret_changed, struct err *err);
int namespace_interface_down(const struct net_site *site,
	const struct interface_description *description, struct err *err);

/*
 * What a boot leaves to do: the namespace, the plugged interfaces moved back in under their names,
 * the allow-list in force again, then every described interface up. They come up side by side,
 * since each waits for the duplicate address detection of its own addresses. What cannot be done is
 * logged and does not stop the rest; false if there was any. An interface that is described but not
 * there (its port was deleted) is nothing to fail for. Takes the site's lock. Where nothing has
 * changed, nothing is done: each start of the agent calls it.
 */
bool namespace_restore(const struct net_site *site);
