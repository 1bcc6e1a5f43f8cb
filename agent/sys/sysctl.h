/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel settings below /proc/sys. Those below net/ are of the network namespace in which the
 * calling thread is. Used by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* name: "net/ipv4/ip_forward". -ENOENT: this kernel has none of that name. */
int sysctl_set(const char *name, const char *value, struct err *err);
bool sysctl_exists(const char *name);
