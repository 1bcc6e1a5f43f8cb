/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's own settings for every HAProxy: a second file behind the uploaded one, so that the
 * upload stays what the controller sent (architecture.md, "The agent's own HAProxy settings").
 * Rendered from templates/haproxy-agent.cfg.mustache at every start of the agent. Used by the
 * agent.
 */
#pragma once

#include "base/err.h"
#include "haproxy/site.h"

/*
 * Writes BASE/haproxy-default-user-group.conf anew, and RUNTIME/haproxy-check.cfg, which overrides
 * what must not count while a config is only checked (haproxy/check.h).
 */
int haproxy_own_config_store(const struct haproxy_site *site, struct err *err);
