/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the installed keepalived can do. Used by the agent.
 */
#pragma once

#include <stdbool.h>

#include "keepalived/site.h"

struct keepalived_version {
	unsigned major, minor, patch;
};

/* Reads what `keepalived -v` begins with: "Keepalived v2.2.7 (01/16,2022)". */
bool keepalived_version_parse(const char *text, struct keepalived_version *ret_version);

/*
 * Whether a reload keeps the state of the members that it does not change: from 2.0.14 on
 * (keepalived issue 1163). Asks the program; one that does not tell its version is taken for older.
 */
bool keepalived_reload_keeps_members(const struct keepalived_site *site);
