/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an interface what its description says, and undoes that: desired against actual, so that a
 * second time changes nothing (amphora-api.md, "Plugging"). The calling thread is in the
 * namespace where the interface is (net/namespace.h) and holds the site's lock. Used by the agent
 * and amphora-interface.
 *
 * Ours, and so removed when no longer described: routes of protocol static on the interface; on the
 * VIP's, rules that are neither the kernel's nor keepalived's; permanent addresses that we added.
 * Those are marked (sys/netlink.h); a kernel that keeps no marks leaves no choice but to take every
 * permanent address that is not described for ours. Never touched: link-local, DHCP's and
 * router-advertised addresses, what keepalived added.
 */
#pragma once

#include "base/err.h"
#include "net/description.h"

/*
 * A bad route is logged and does not fail; a failing address or rule does. Waits for duplicate
 * address detection, at most 30 s, before it adds routes, so that none is refused for an address
 * that is not settled; an address that another machine has is logged, and tried again the next
 * time. A DHCP client that had to be started is given 25 s, and then goes on in the background.
 * An MTU that is described is set whenever the link has another. *ret_changed, if not NULL: whether
 * anything had to be done. -ENODEV: there is no such interface, or no longer.
 */
int interface_up(
	const struct interface_description *description, bool *ret_changed, struct err *err);
/*
 * Removes what is ours, gives a DHCP lease back, and takes the link down. Goes on after a failure
 * and tells the first.
 */
int interface_down(const struct interface_description *description, struct err *err);
