/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interface while it is made what its description says, and the parts of that. Each compares
 * what is with what is wanted, and does what is missing. Used by net/interface*.c only.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/description.h"
#include "sys/netlink.h"

struct interface {
	const struct interface_description *wanted;
	struct netlink *netlink;
	struct netlink_link link; /* as it was found */
	bool changed;             /* something had to be done */
};

/* net/interface_address.c */
int interface_remove_stale_addresses(struct interface *interface, struct err *err);
/* Those that a DHCP client which runs no more has left behind, because it was killed in between. */
int interface_remove_leased_addresses(struct interface *interface, struct err *err);
int interface_add_addresses(struct interface *interface, struct err *err);
/*
 * Waits until the described addresses can be used, and, with wants_lease, for a DHCP address. When
 * that takes too long it is logged, and fine.
 */
int interface_await_addresses(struct interface *interface, bool wants_lease, struct err *err);

/* net/interface_route.c */
int interface_apply_routes(struct interface *interface, struct err *err);
int interface_remove_leased_routes(struct interface *interface, struct err *err);
int interface_apply_rules(struct interface *interface, struct err *err);
