/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links by their number, which nobody outside needs. Used by sys/netlink*.c only.
 */
#pragma once

#include "sys/netlink.h"

/* -ENODEV: none of that number. */
int netlink_find_index(
	struct netlink *netlink, int index, struct netlink_link *ret_link, struct err *err);
