/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a client with the member that it had before (model.md, "The JSON"). A plain checked
 * value; its pool owns it. Used by the agent and amphoractl.
 */
#pragma once

#include "model/pool_protocol.h"

enum session_persistence_type {
	PERSISTENCE_NONE,
	PERSISTENCE_SOURCE_IP,
	PERSISTENCE_HTTP_COOKIE,
	PERSISTENCE_APP_COOKIE,
};

struct session_persistence {
	enum session_persistence_type type;
	char *cookie_name;  /* PERSISTENCE_APP_COOKIE; else NULL */
	unsigned timeout_s; /* LVS; 0: Octavia's default, 360 s */
	char *granularity;  /* LVS: "255.255.255.0" or, for IPv6, "64"; NULL: single addresses */
};

struct reader;

/* Reads the persistence of a pool; faults go to the reader's. */
void session_persistence_parse(struct reader *reader, enum pool_protocol pool_protocol,
	struct session_persistence *ret_persistence);
void session_persistence_deinit(struct session_persistence *persistence);
