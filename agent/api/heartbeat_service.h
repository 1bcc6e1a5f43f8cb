/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender of heartbeats as a service of the agent: the same sources, a process of its own. New
 * settings mean a new sender, whose counters on disk make that lossless (heartbeat.md). Used by
 * api/agent.c.
 */
#pragma once

#include "base/err.h"
#include "conf/settings.h"
#include "sys/service.h"

/*
 * Always anew: one that an earlier agent left may have other settings, or be of another version.
 * Then it is kept running.
 */
int heartbeat_service_restart(struct service_manager *services,
	const struct settings_sources *sources, const struct settings *settings, struct err *err);
void heartbeat_service_stop(struct service_manager *services);
