/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether keepalived can run with a config. A controller's configs hold words that keepalived 2.2
 * does not know and ignores (`gateway` in virtual_routes), and `keepalived -t` complains of them:
 * only what keepalived cannot run with is refused, the rest is logged (amphora-api.md, "What a
 * controller really sends"). Used by the agent, for VRRP and for LVS listeners.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "keepalived/site.h"

enum { KEEPALIVED_OUTPUT_MAX_BYTES = 64 * KIB };

/*
 * Checks the file. -EBADMSG: keepalived cannot run with it; its words are in ret_output (empty
 * otherwise). what: "VRRP configuration", for the log.
 */
int keepalived_check(const struct keepalived_site *site, const char *path, const char *what,
	struct buf *ret_output, struct err *err);
