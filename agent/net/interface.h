/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an interface what its description says, and undoes that: desired against actual, so that a
 * second time changes nothing (amphora-api.md, "Plugging"). The calling thread is in the
 * namespace where the interface is (net/namespace.h) and holds the site's lock. Used by the agent
 * and amphora-interface.
 *
 * Ours, and so removed when no longer described: routes of protocol static on the interface; on the
 * VIP's, rules that are neither the kernel's nor keepalived's; permanent addresses that we added.
 * Never touched: link-local, DHCP's and router-advertised addresses, what keepalived added.
 */
#pragma once

#include "base/err.h"
#include "net/description.h"

/*
 * A bad route is logged and does not fail; a failing address or rule does. Waits for duplicate
 * address detection, at most 30 s. *ret_changed, if not NULL: whether anything had to be done.
 * -ENODEV: there is no such interface.
 */
int interface_up(
	const struct interface_description *description, bool *ret_changed, struct err *err);
int interface_down(const struct interface_description *description, struct err *err);
