/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which interface, known by its MAC, belongs into the namespace under which name: what a boot goes
 * by. Lines "MAC NAME", as the reference agent keeps them. Used by the agent and amphora-interface.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mac.h"

struct plugged_interface {
	struct mac mac;
	char name[IFNAMSIZ];
};

/* A file that is not there has none; a line that is none is logged and passed over. */
int plugged_interfaces_load(const char *path, struct plugged_interface **ret_interfaces,
	size_t *ret_count, struct err *err);
/* Adds the line, or changes that of the MAC; a name that another MAC had is taken from it. */
int plugged_interfaces_set(
	const char *path, const struct mac *mac, const char *name, struct err *err);
