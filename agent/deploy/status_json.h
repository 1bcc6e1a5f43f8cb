/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of a status tree (deploy/status_tree.h), whoever serves a listener. Used by deploy/
 * only.
 */
#pragma once

#include <jansson.h>
#include <netinet/in.h>

#include "model/health_monitor.h"

/* From good to bad, so that the worst of several is their maximum. */
enum operating_status { STATUS_ONLINE, STATUS_DEGRADED, STATUS_ERROR, STATUS_COUNT };
/* Administratively down, or nobody knows. */
enum { STATUS_OFFLINE = STATUS_COUNT };

/* "ONLINE" … */
const char *operating_status_text(int status);
/* What is OFFLINE makes nothing worse. */
int operating_status_worst(int a, int b);

/*
 * A member. state: HAProxy's word for it, or the one that lvs/status.h borrows; NULL: nobody knows
 * it. observed, taken over, is put beside; NULL: nothing was.
 */
json_t *status_member_json(const char *id, const char *name, const char *address, in_port_t port,
	const char *state, json_t *observed);
/* Whether one of them is in ERROR. */
bool status_has_error(const json_t *members);
json_t *status_monitor_json(const struct health_monitor *monitor);
/* Take monitor, unless NULL, and lists over. */
json_t *status_pool_json(
	const char *id, const char *name, int status, json_t *monitor, json_t *members);
json_t *status_listener_json(const char *id, const char *name, int status, json_t *pools);
