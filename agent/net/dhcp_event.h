/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dhclient tells its script (dhclient-script(8)), made so on the interface: the address for as
 * long as it is leased, the routes of the lease, its MTU where that is smaller than the link's.
 * Never name servers, host name or time servers. In the namespace of the calling thread. Used by
 * amphora-dhcp-script.
 */
#pragma once

#include "base/err.h"

/*
 * variable tells the value of one of dhclient's variables ("reason", "interface", "new_ip_address"
 * …), NULL where it has none; context is handed on to it. A route that the kernel refuses is logged
 * and does not fail: for a failure dhclient declines the lease. Routes of a lease are of protocol
 * dhcp; one that is there already, of whatever protocol, stays. -EINVAL: a variable's value is not
 * what it ought to be; -ETIMEDOUT: no server answered and only an old lease is left, which is not
 * used, since nobody knows whose its address is by now.
 */
int dhcp_event_apply(const char *(*variable)(const char *name, const void *context),
	const void *context, struct err *err);
