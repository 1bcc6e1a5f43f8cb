/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What HAProxy's servers hand from one process to the next (server-state-file, configuration.txt;
 * `show servers state`, management.txt): which of them health checks found up or down, so that a
 * reload neither sends traffic to a dead server nor waits for a live one to be checked anew.
 *
 * HAProxy would take more from that file than health: the old port, checks and TLS switched off,
 * weight, drain and maintenance as the Runtime API left them. All that must come from haproxy.cfg,
 * so what is handed on is only the health of servers that are the same in the new config. The file
 * is valid at the moment of a reload: before any other start it is empty, since minutes later a
 * server that was down then may have long been up. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "haproxy/instance.h"
#include "haproxy/server.h"

/*
 * Pure: appends to ret_text, in the form of a state file, the lines of state (the answer to `show
 * servers state`) that may be handed to the servers of a new config: those with the same address
 * and port that are checked, not disabled, and were not in maintenance.
 */
void haproxy_server_state_carry(
	const char *state, const struct haproxy_servers *servers, struct buf *ret_text);

/* Asks worker, and leaves what a process with the config text may take over in servers-state. */
int haproxy_server_state_save(const struct haproxy_instance *instance, pid_t worker,
	const char *text, size_t size_bytes, struct err *err);
/* Empties servers-state. */
int haproxy_server_state_reset(const struct haproxy_instance *instance, struct err *err);
