/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LVS (UDP and SCTP) listeners' part of requests that are for load balancers and listeners
 * alike (amphora-api.md, "Endpoints"). Used by the agent's handlers.
 */
#pragma once

#include <jansson.h>

#include "api/action.h"
#include "api/route.h"

/* PUT loadbalancer/ID/ACTION where ID is an LVS listener. */
void udp_listener_act(const struct call *call, const struct id *listener, enum action action,
	struct http_reply *ret_reply);
/* DELETE listeners/ID likewise. */
void udp_listener_delete(
	const struct call *call, const struct id *listener, struct http_reply *ret_reply);
/* Appends {"status", "uuid", "type"} of each, for GET listeners. */
int udp_listeners_append(json_t *listeners, struct agent *agent, struct err *err);
