/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HAProxy's own opinion of a config file: `haproxy -c`. Run in the network namespace in which the
 * real one runs, with our own settings behind it and a small TLS session cache: HAProxy allocates
 * the cache even to check, and gigabytes of it take longer than a controller waits
 * (amphora-api.md). Used by the agent.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/site.h"

enum { HAPROXY_OUTPUT_MAX_BYTES = 64 * KIB };

/*
 * 0: HAProxy would start with it (ret_output may hold warnings). -EBADMSG: it refuses, its words
 * are in ret_output. Any other error: the check itself did not work.
 */
int haproxy_check(const struct haproxy_site *site, const char *config_path, struct buf *ret_output,
	struct err *err);
