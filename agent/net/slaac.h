/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel takes IPv6 addresses and routes from routers on an interface. It asks them
 * when the link comes up, so this is to be set before. In the namespace of the calling thread. Used
 * by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * *ret_changed is set to true when something had to be done, and else left alone. What routers have
 * given already stays until it expires. -ENOENT: no such interface, or a kernel without IPv6.
 */
int slaac_start(const char *interface, bool *ret_changed, struct err *err);
int slaac_stop(const char *interface, bool *ret_changed, struct err *err);
