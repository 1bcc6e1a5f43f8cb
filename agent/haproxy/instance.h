/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load balancer's HAProxy: its config file installed, its process started, reloaded, stopped,
 * everything of it deleted. Used by the agent (api/).
 *
 * Readers take a site and an id and no lock. Whoever changes something acquires the instance
 * first, which waits for others that do, and calls with it; two steps under one acquire (a model
 * that is stored and applied) are one step for everybody else.
 *
 * What ought to run after a restart of the agent or the machine is what has a haproxy.cfg and no
 * marker `stopped`.
 *
 * ret_output, where a call has it, gets HAProxy's own words when HAProxy is what failed (empty
 * otherwise); err always says what was tried. Each call is idempotent, and may be repeated after a
 * crash at any of its steps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "haproxy/check.h"
#include "haproxy/site.h"

/* Of an installed haproxy.cfg: the largest upload, and what haproxy/upload.h may add to it. */
enum { HAPROXY_CONFIG_MAX_BYTES = 17 * MIB };

/* What a change took. The names are those of PUT /model's "applied" (model.md). */
enum haproxy_applied {
	HAPROXY_APPLIED_NONE,    /* it ran with exactly this already */
	HAPROXY_APPLIED_RUNTIME, /* the running worker was told; no reload */
	HAPROXY_APPLIED_RELOAD,
	HAPROXY_APPLIED_START,
	HAPROXY_APPLIED_STOP,
};
const char *haproxy_applied_text(enum haproxy_applied applied);

/* haproxy.cfg is there. */
bool haproxy_instance_exists(const struct haproxy_site *site, const struct id *id);
/* Appends the installed haproxy.cfg. -ENOENT: no such load balancer. */
int haproxy_instance_read(const struct haproxy_site *site, const struct id *id,
	struct buf *ret_text, struct err *err);
/* It has the marker `stopped`. */
bool haproxy_instance_is_stopped(const struct haproxy_site *site, const struct id *id);
/* A process of it runs (whether or not it answers). */
bool haproxy_instance_is_running(const struct haproxy_site *site, const struct id *id);
/* The process that serves now; 0: none. */
pid_t haproxy_instance_worker(const struct haproxy_site *site, const struct id *id);

struct haproxy_instance {
	struct haproxy_site *site;
	struct id id;
};

/* Waits until nobody else changes this load balancer, which need not exist. */
struct haproxy_instance *haproxy_instance_acquire(struct haproxy_site *site, const struct id *id);
void haproxy_instance_release(struct haproxy_instance *instance);
DEFINE_CLEANUP(struct haproxy_instance *, haproxy_instance_release);
#define cleanup_haproxy_instance CLEANUP(cleanup_haproxy_instance_release)

/*
 * Has HAProxy check a config that holds nothing for haproxy/upload.h to rewrite; nothing is kept of
 * it. 0 with HAProxy's warnings, -EBADMSG with its refusal.
 */
int haproxy_instance_check(struct haproxy_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);
/* What a reload would take if this config were installed. */
enum haproxy_applied haproxy_instance_predict(
	struct haproxy_instance *instance, const char *text, size_t size_bytes);
/* Puts a checked config in place, byte for byte and durably. Nothing that runs is touched. */
int haproxy_instance_install(
	struct haproxy_instance *instance, const char *text, size_t size_bytes, struct err *err);
/* The opposite: no config, no process, no socket. What else lies in its folders stays. */
int haproxy_instance_uninstall(struct haproxy_instance *instance, struct err *err);
/* Keeps a config that HAProxy refused as haproxy.cfg.new-failed, for whoever wonders why. */
void haproxy_instance_keep_refused(
	struct haproxy_instance *instance, const char *text, size_t size_bytes);

/*
 * Installs a config: rewritten as haproxy/upload.h says, checked, put in place durably. Nothing
 * that runs is touched. -EBADMSG: HAProxy refuses it, see ret_output; the text is kept as
 * haproxy.cfg.new-failed and the installed one stays, as it does on every other failure.
 */
int haproxy_instance_upload(struct haproxy_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err);

/*
 * Starts what does not run; forgets the marker `stopped`. Returns when the worker answers. -ENOENT:
 * no such load balancer. -EBADMSG: HAProxy does not start with this config, and is not tried again
 * by itself.
 */
int haproxy_instance_start(struct haproxy_instance *instance, enum haproxy_applied *ret_applied,
	struct buf *ret_output, struct err *err);
/* Stops it and sets the marker. -ENOENT: no such load balancer. */
int haproxy_instance_stop(
	struct haproxy_instance *instance, enum haproxy_applied *ret_applied, struct err *err);
/*
 * Makes what runs equal to haproxy.cfg and the files it names: not at all when it is equal, through
 * the Runtime API where that can do it, else by a reload; starts what does not run. Certificates
 * that nothing refers to any more are removed afterwards. -ENOENT: no such load balancer. -EBADMSG:
 * HAProxy refused, and goes on with what it ran with.
 */
int haproxy_instance_reload(struct haproxy_instance *instance, enum haproxy_applied *ret_applied,
	struct buf *ret_output, struct err *err);

/*
 * Stops it and removes its files, certificates and sockets: nothing of it is left. One that never
 * existed is fine.
 */
int haproxy_instance_delete(struct haproxy_instance *instance, struct err *err);
