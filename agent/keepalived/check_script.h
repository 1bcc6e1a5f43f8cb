/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BASE/vrrp/check_script.sh, which a controller's keepalived config runs every 5 s: whether this
 * amphora should hold the VIP (amphora-api.md, "VRRP check"). It execs haproxy-vrrp-check once.
 * Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "keepalived/site.h"

/*
 * Replaces the script by one that gives haproxy-vrrp-check these arguments; untouched when it does
 * so already. 0755.
 */
int check_script_store(const struct keepalived_site *site, const char *const *arguments,
	size_t argument_count, struct err *err);
