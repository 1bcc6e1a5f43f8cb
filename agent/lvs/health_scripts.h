/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scripts that controllers' configs name as health checks (amphora-api.md, "Names of files,
 * units, helpers"). Each execs amphora-health-checker, which asks. Used by the agent.
 *
 *	BASE/lvs/check/udp_check.sh ADDRESS PORT    MISC_CHECK of UDP members, in keepalived.conf
 *	BASE/ping-wrapper.sh                        external-check of PING monitors, in haproxy.cfg;
 *	                                            HAProxy names the server in HAPROXY_SERVER_ADDR
 */
#pragma once

#include "base/err.h"

/* Writes those that are missing or say something else; 0755. */
int health_scripts_store(const char *base_path, struct err *err);
