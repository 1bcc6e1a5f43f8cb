/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VRRP instance of this amphora: a controller's keepalived config, and the keepalived that runs
 * with it (amphora-api.md, "Endpoints", vrrp/…). There is one: calls wait for each other. Used by
 * the agent.
 *
 * What ought to run after a restart of the agent or the machine is a config without the marker
 * `stopped`. keepalived forgets a check script that is not there when it reads its config:
 * keepalived/check_script.h comes first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "keepalived/site.h"

enum { VRRP_CONFIG_MAX_BYTES = MIB };

/*
 * Checked beside the live file, then put in its place durably; what runs is not touched. -EBADMSG:
 * keepalived cannot run with it, see ret_output (empty when it says nothing); -EINVAL: too large.
 * Nothing changed.
 */
int vrrp_upload(const struct keepalived_site *site, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);
/*
 * Forgets the marker; starts what does not run (*ret_started), reloads what does. -ENOENT: nothing
 * was uploaded. Errors of keepalived/process.h.
 */
int vrrp_start(const struct keepalived_site *site, bool *ret_started, struct err *err);
/* Sets the marker and ends what runs. Without a config there is nothing to do. */
int vrrp_stop(const struct keepalived_site *site, struct err *err);

/* At the agent's start: what ought to run runs, nothing else does. What fails is logged. */
void vrrp_restore(const struct keepalived_site *site);
