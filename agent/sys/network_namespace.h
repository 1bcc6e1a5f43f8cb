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

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct network_namespace_stay {
	int home; /* descriptor of the namespace to go back to; -1: nothing to undo */
};

#define NETWORK_NAMESPACE_STAY_NONE ((struct network_namespace_stay){.home = -1})

/*
 * Moves the calling thread into the namespace. name NULL or "": it stays where it is, and there is
 * nothing to undo. -EINVAL: no file name; -ENXIO: the file is no network namespace; -ENOENT: there
 * is none of that name; -EPERM: CAP_SYS_ADMIN is missing. The thread has not moved after a failure.
 * Needs /proc. Stays may be nested, and must then end in the opposite order. One that
 * network_namespace_make() is just making, in whatever process, is waited for, 15 s at most: not to
 * be called for it by its prepare().
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

/* Whether there is one; not so a file of the name that is no namespace. */
bool network_namespace_exists(const char *name);
/* A descriptor of it, the caller's to close. The errors of network_namespace_enter(). */
int network_namespace_open(const char *name, int *ret_fd, struct err *err);

/*
 * Makes the namespace, as `ip netns add` does, unless there is one. prepare() is called inside it
 * before it has its name: nobody ever finds one that is half prepared, and one that prepare()
 * failed for never appears. A file of the name without a namespace, which a crash left, is used.
 * Others that make one in the same way, at the same time, wait: `ip netns` included. *ret_made:
 * whether it was us. -EPERM: CAP_SYS_ADMIN is missing.
 */
int network_namespace_make(const char *name, int (*prepare)(const void *context, struct err *err),
	const void *context, bool *ret_made, struct err *err);
