/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which config a listener's keepalived last took up: its MD5 in LVS_FILE_RUNNING (lvs/site.h,
 * 0644). The agent writes it once a start or a reload has succeeded, and removes it before another
 * config is put in place. So while it is there and names the installed config, whatever runs now
 * has read exactly that, however often it was started again since; no process needs to be named in
 * it. Where it is missing or names another config, the next reload is a real one, and until then
 * members that the kernel does not have yet are RESTARTING for the heartbeat, not DOWN.
 *
 * keepalived reads its config some milliseconds after it was told to, which is after the record's
 * time of change. Used by the agent, which writes it, the sender and the Prometheus
 * proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"

/* Whether the listener's keepalived, if it runs, has taken up this text, the installed config. */
bool lvs_running_has(
	const char *base_path, const struct id *listener, const char *text, size_t size_bytes);

/* Records that it has. What is lost in a power cut costs one reload. */
int lvs_running_store(const char *base_path, const struct id *listener, const char *text,
	size_t size_bytes, struct err *err);
/* Durably: the config may change once this has returned. */
int lvs_running_forget(const char *base_path, const struct id *listener, struct err *err);
