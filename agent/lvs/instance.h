/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One LVS listener's keepalived: its config installed, its process started, reloaded, stopped,
 * everything of it deleted (amphora-api.md, "LVS listeners"). Used by the agent.
 *
 * Readers take a site and an id and no lock. Whoever changes something acquires the instance first,
 * which waits for others that do, and calls with it. Who acquires several does so in the order of
 * their ids (strcmp), and after its load balancer (haproxy/instance.h).
 *
 * An upload equal to what is installed, and a reload of what runs with exactly that, do nothing:
 * any change of any listener of a load balancer uploads and reloads all of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "keepalived/site.h"

/* Of an installed config: the largest upload, of which nothing is ever rewritten. */
enum { LVS_CONFIG_MAX_BYTES = 16 * MIB };

struct lvs_site; /* the keepalived site and the locks */

/*
 * keepalived must outlive the site. Makes BASE/lvs, or removes what was half written in it: nobody
 * may be writing there yet.
 */
int lvs_site_new(
	const struct keepalived_site *keepalived, struct lvs_site **ret_site, struct err *err);
void lvs_site_free(struct lvs_site *site);
const char *lvs_site_base_path(const struct lvs_site *site);

bool lvs_instance_exists(const struct lvs_site *site, const struct id *listener);
/* Appends the installed config. -ENOENT: no such listener. */
int lvs_instance_read(const struct lvs_site *site, const struct id *listener, struct buf *ret_text,
	struct err *err);
bool lvs_instance_is_running(const struct lvs_site *site, const struct id *listener);
/* By request: not to be started at boot, and no part of the VRRP check. */
bool lvs_instance_is_stopped(const struct lvs_site *site, const struct id *listener);

/* As GET listeners reports it. */
enum lvs_instance_state {
	LVS_INSTANCE_ACTIVE,
	LVS_INSTANCE_OFFLINE, /* stopped by request, or its config serves nothing */
	LVS_INSTANCE_ERROR,   /* it ought to run and does not */
};
enum lvs_instance_state lvs_instance_state(const struct lvs_site *site, const struct id *listener);

struct lvs_instance {
	struct lvs_site *site;
	struct id id;
};

/* Waits until nobody else changes this listener, which need not exist. */
struct lvs_instance *lvs_instance_acquire(struct lvs_site *site, const struct id *listener);
/* Accepts NULL. */
void lvs_instance_release(struct lvs_instance *instance);
DEFINE_CLEANUP(struct lvs_instance *, lvs_instance_release);
#define cleanup_lvs_instance CLEANUP(cleanup_lvs_instance_release)

/*
 * Whether keepalived can run with a config; what is installed is not asked about again. -EBADMSG:
 * it cannot, see ret_output.
 */
int lvs_instance_check(const struct lvs_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);
/* Puts a checked config in place, byte for byte and durably; what runs is not touched. */
int lvs_instance_install(
	struct lvs_instance *instance, const char *text, size_t size_bytes, struct err *err);
/* check and install: on any failure the installed config stays. */
int lvs_instance_upload(struct lvs_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);

enum lvs_applied { LVS_APPLIED_NONE, LVS_APPLIED_RELOAD, LVS_APPLIED_START, LVS_APPLIED_STOP };
const char *lvs_applied_text(enum lvs_applied applied);

/*
 * All three: -ENOENT: no such listener. -ECHILD: keepalived ended, err tells its words. Start and
 * reload forget the marker `stopped`, stop sets it.
 */
/* Starts what does not run. */
int lvs_instance_start(
	struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err);
int lvs_instance_stop(
	struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err);
/*
 * What runs takes up the installed config: by a real reload, or a restart where keepalived is too
 * old (keepalived/version.h); not at all when it has already. Starts what does not run.
 */
int lvs_instance_reload(
	struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err);
/* Nothing of it is left. One that never existed is fine. */
int lvs_instance_delete(struct lvs_instance *instance, struct err *err);

/*
 * At the agent's start: what ought to run runs, with what is installed, and is watched again. What
 * fails is logged.
 */
void lvs_restore(struct lvs_site *site);
