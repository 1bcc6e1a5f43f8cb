/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the neighbours who has an address now: gratuitous ARP, unsolicited neighbour advertisement
 * (amphora-api.md, "Plugging", last words on GARP and NA). Used by the agent and amphora-interface.
 */
#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/err.h"
#include "net/site.h"

/* Sends one from the link in the calling thread's namespace. */
int advertisement_send(const char *interface, const struct address *address, struct err *err);

/*
 * Advertises each of the addresses that an interface of the site has; what fails is logged, since
 * the neighbours find out by themselves in the end.
 */
void advertise_all(const struct net_site *site, const struct address *addresses, size_t count);
