/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VRRP instance of this amphora: a controller's keepalived config, and the keepalived that runs
 * with it (amphora-api.md, "Endpoints", vrrp/…). There is one. Readers take no lock; whoever
 * changes it acquires it first, which waits for others that do, and after every load balancer and
 * LVS listener that is to be acquired as well. Used by the agent.
 *
 * What ought to run after a restart of the agent or the machine is a config without the marker
 * `stopped`. keepalived forgets a check script that is not there when it reads its config:
 * keepalived/check_script.h comes first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "keepalived/site.h"

enum { VRRP_CONFIG_MAX_BYTES = MIB };

/* Appends the installed config. -ENOENT: there is none. */
int vrrp_read(const struct keepalived_site *site, struct buf *ret_text, struct err *err);
bool vrrp_is_running(const struct keepalived_site *site);
/* By request: not to be started at boot. */
bool vrrp_is_stopped(const struct keepalived_site *site);

struct vrrp *vrrp_acquire(const struct keepalived_site *site);
/* Accepts NULL. */
void vrrp_release(struct vrrp *vrrp);
DEFINE_CLEANUP(struct vrrp *, vrrp_release);
#define cleanup_vrrp CLEANUP(cleanup_vrrp_release)

/*
 * Whether keepalived can run with a config. -EBADMSG: it cannot, see ret_output (empty when it says
 * nothing); -EINVAL: too large.
 */
int vrrp_check_config(const struct vrrp *vrrp, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);
/* Puts a checked config in place, durably; what runs is not touched. */
int vrrp_install(struct vrrp *vrrp, const char *text, size_t size_bytes, struct err *err);
/* check and install: on any failure the installed config stays. */
int vrrp_upload(struct vrrp *vrrp, const char *text, size_t size_bytes, struct buf *ret_output,
	struct err *err);
/*
 * Forgets the marker; starts what does not run (*ret_started), reloads what does. -ENOENT: nothing
 * was uploaded. Errors of keepalived/process.h.
 */
int vrrp_start(struct vrrp *vrrp, bool *ret_started, struct err *err);
/* Sets the marker and ends what runs. Without a config there is nothing to do. */
int vrrp_stop(struct vrrp *vrrp, struct err *err);
/* Nothing of it is left but the check script. One that never was is fine. */
int vrrp_delete(struct vrrp *vrrp, struct err *err);

/* At the agent's start: what ought to run runs, nothing else does. What fails is logged. */
void vrrp_restore(const struct keepalived_site *site);
