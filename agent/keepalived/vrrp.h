/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VRRP instance of this amphora: a controller's keepalived config, and the keepalived that runs
 * with it (amphora-api.md, "Endpoints", vrrp/…). Calls wait for each other. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "keepalived/site.h"

/* A config is installed: what runs ought to run, unless it was stopped by request. */
bool vrrp_is_configured(const struct keepalived_site *site);

/*
 * Checked beside the live file, then put in its place; what runs is not touched. -EBADMSG:
 * keepalived cannot run with it, see ret_output; nothing changed.
 */
int vrrp_upload(const struct keepalived_site *site, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);
/* -ENOENT: nothing was uploaded. Start of a running one is a reload. */
int vrrp_start(const struct keepalived_site *site, struct err *err);
int vrrp_stop(const struct keepalived_site *site, struct err *err);
int vrrp_reload(const struct keepalived_site *site, struct err *err);

/* At the agent's start: what ought to run runs. What fails is logged. */
void vrrp_restore(const struct keepalived_site *site);
