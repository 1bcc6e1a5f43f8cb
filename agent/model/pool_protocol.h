/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pool speaks to its members (model.md, "The JSON"). Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>

enum pool_protocol {
	POOL_TCP,
	POOL_HTTP,
	POOL_HTTPS,   /* passed through: TCP to HAProxy */
	POOL_PROXY,   /* PROXY protocol, version 1 */
	POOL_PROXYV2, /* version 2 */
	POOL_UDP,     /* LVS's */
	POOL_SCTP,    /* LVS's */
	POOL_PROTOCOL_COUNT,
	/* While a model is parsed: at fault, so that nothing can be said of what has to fit it. */
	POOL_PROTOCOL_UNKNOWN = POOL_PROTOCOL_COUNT,
};

struct reader;

/* The object's "protocol", or POOL_PROTOCOL_UNKNOWN with a fault. */
enum pool_protocol pool_protocol_parse(struct reader *reader);
/* "TCP", as in the JSON. */
const char *pool_protocol_name(enum pool_protocol protocol);
/* Whether keepalived and the kernel's IPVS serve such pools; else HAProxy does. */
bool pool_protocol_is_lvs(enum pool_protocol protocol);
