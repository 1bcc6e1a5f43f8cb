/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form that traffic has in files: {"bin", "bout", "ereq", "stot"}, HAProxy's names, as the
 * reference agent's counters file has it. Used by the agent and the sender.
 */
#pragma once

#include <jansson.h>

#include "traffic/traffic.h"

/* A number that is missing is 0. -EINVAL: it is something else; ret_traffic is untouched then. */
int traffic_parse(const json_t *json, struct traffic *ret_traffic);
/* The caller's. */
json_t *traffic_json(const struct traffic *traffic);
