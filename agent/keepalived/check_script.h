/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BASE/vrrp/check_script.sh, which a controller's keepalived config runs every 5 s: whether this
 * amphora should hold the VIP (amphora-api.md, "VRRP check"). It execs haproxy-vrrp-check once; no
 * socket and no pid file means there is nothing to serve, and it fails. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "keepalived/site.h"

/*
 * Replaces the script by one that asks these HAProxys (paths of stats sockets) and these LVS
 * keepalived (paths of pid files); untouched when it says so already. 0755.
 */
int check_script_store(const struct keepalived_site *site, const char *const *sockets,
	size_t socket_count, const char *const *pid_files, size_t pid_file_count, struct err *err);
