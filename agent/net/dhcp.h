/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client of an interface: ISC's dhclient, in the namespace of the calling thread, with
 * lease and pid file where the reference agent has them (/var/lib/dhclient/dhclient-NAME.leases,
 * /run/dhclient-NAME.pid). It looks for a lease, and renews it, in the background; what a lease
 * changes is done by our amphora-dhcp-script (net/dhcp_event.h), never by dhclient's own script,
 * which would change the name servers. Used by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * The client runs when this returns; not yet with a lease. One that runs is left alone
 * (*ret_started false). -ENOENT: dhclient, or amphora-dhcp-script beside our program, is not
 * installed.
 */
int dhcp_start(const char *interface, bool *ret_started, struct err *err);
/*
 * Gives the lease back and ends the client. *ret_stopped: whether one ran. One that had not written
 * its lease down yet leaves what that put on the interface.
 */
int dhcp_stop(const char *interface, bool *ret_stopped, struct err *err);
