/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up root for good. Used by the programs that need it at their start only (the
 * sender, the Prometheus proxy).
 */
#pragma once

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct privilege_user {
	uid_t uid;
	gid_t gid; /* the primary group */
};

bool privilege_is_root(void);
/* -ENOENT: there is no such user. */
int privilege_find_user(const char *name, struct privilege_user *ret_user, struct err *err);
/*
 * Makes the folder if it is missing and gives it to the user, mode 0755. Its parent must be root's:
 * a link in its place is refused. One that is the user's already needs no writable file system.
 */
int privilege_give_directory(const char *path, const struct privilege_user *user, struct err *err);
/* Capabilities are sets of these bits; capability: CAP_NET_ADMIN and the like (capabilities(7)). */
#define PRIVILEGE_CAPABILITY(capability) (UINT64_C(1) << (capability))

/*
 * Becomes the user with no supplementary group, of its capabilities at most those in kept (0:
 * none), which no program that it starts inherits, and no way back (no_new_privs). To be called
 * while there is one thread. On failure the process is in between: end it.
 */
int privilege_drop(const struct privilege_user *user, uint64_t kept, struct err *err);
