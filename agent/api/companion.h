/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A companion of the agent: a program of ours that it keeps running beside itself, as a service on
 * the same sources, a process of its own. It ends with an agent that ends in order, and outlives
 * one that is killed. Used by api/agent.c.
 */
#pragma once

#include "base/err.h"
#include "conf/settings.h"
#include "sys/service.h"

/* Whose counters on disk make starting anew lossless (heartbeat.md). */
#define COMPANION_SENDER "amphora-heartbeat"
/* Which holds nothing but scrapes under way. */
#define COMPANION_PROMETHEUS_PROXY "prometheus-proxy"

/*
 * Always anew: one that an earlier agent left may have other settings, or be of another version.
 * Then it is kept running.
 */
int companion_restart(struct service_manager *services, const char *name,
	const struct settings_sources *sources, const struct settings *settings, struct err *err);
void companion_stop(struct service_manager *services, const char *name);
