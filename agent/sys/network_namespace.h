/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread's stay in a named network namespace (/run/netns/NAME, as ip-netns(8) keeps them). The
 * network namespace belongs to the thread, not to the process: the other threads stay where they
 * are, and a child that posix_spawn() starts, or a socket that is made, during the stay belongs to
 * the namespace for good. A plain value of the thread that entered. Used by every program.
 *
 *	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
 *	r = network_namespace_enter(name, &stay, err);
 *	if (r < 0)
 *		return r;
 *	… open, spawn, read …
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"

struct network_namespace_stay {
	int home; /* descriptor of the namespace to go back to; -1: nothing to undo */
};

#define NETWORK_NAMESPACE_STAY_NONE ((struct network_namespace_stay){.home = -1})

/*
 * Moves the calling thread into the namespace. name NULL or "": it stays where it is, and there is
 * nothing to undo. -EINVAL: no file name, or the file is no network namespace; -ENOENT: there is
 * none of that name; -EPERM: CAP_SYS_ADMIN is missing. The thread has not moved after a failure.
 * Needs /proc. Stays may be nested, and must then end in the opposite order.
 */
int network_namespace_enter(
	const char *name, struct network_namespace_stay *ret_stay, struct err *err);

/*
 * Takes the calling thread, which must be the one that entered, back. When the kernel refuses that
 * the program ends: a thread that goes on in the wrong namespace would serve the wrong network.
 * A stay that is over, or never began, is fine.
 */
void network_namespace_leave(struct network_namespace_stay *stay);

#define cleanup_network_namespace CLEANUP(network_namespace_leave)
