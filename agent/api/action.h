/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last segment of PUT loadbalancer/ID/ACTION and PUT vrrp/ACTION. Used by the agent's handlers.
 */
#pragma once

#include "api/route.h"

enum action { ACTION_START, ACTION_STOP, ACTION_RELOAD };

/*
 * 0, or negative with the 400 in *ret_reply. The action's case does not matter (amphora-api.md,
 * "Endpoints").
 */
int call_action(const struct call *call, size_t parameter, enum action *ret_action,
	struct http_reply *ret_reply);
/* "start". */
const char *action_name(enum action action);
