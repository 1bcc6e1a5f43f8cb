/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of a deployment: one daemon's config, as it was before and as it ought to be: the load
 * balancer's HAProxy, one of its LVS listeners, or the VRRP instance. What a deployment does with
 * each is the same; how, is its kind's. A part holds the lock of what it is of from its beginning
 * to its end. Used by deploy/ only.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "deploy/applied.h"
#include "deploy/site.h"

struct part_state {
	bool is_installed;
	bool is_stopped; /* installed, but nothing ought to run */
	bool is_running; /* as it was seen; else false */
	struct buf text; /* of the config */
};

struct part;

struct part_kind {
	const char *name; /* as in the undo log's file names */
	/* Waits for whoever else changes it. The opposite accepts what was never acquired. */
	void (*acquire)(struct part *part);
	void (*release)(struct part *part);
	/* Appends the installed config; -ENOENT: there is none. */
	int (*read)(const struct part *part, struct buf *ret_text, struct err *err);
	bool (*is_stopped)(const struct part *part);
	bool (*is_running)(const struct part *part);
	/* -EBADMSG: the daemon cannot run with it; its words are in ret_output, else its warnings.
	 */
	int (*check)(const struct part *part, const struct buf *text, struct buf *ret_output,
		struct err *err);
	/* What take_up would take, were text installed. */
	enum applied (*predict)(const struct part *part, const struct buf *text);
	int (*install)(const struct part *part, const struct buf *text, struct err *err);
	/*
	 * What runs is what is installed, afterwards. -EBADMSG: the daemon refused, its words are
	 * in ret_output or err.
	 */
	int (*take_up)(const struct part *part, enum applied *ret_applied, struct buf *ret_output,
		struct err *err);
	/* Nothing runs, and nothing is started by a restart. */
	int (*stop)(const struct part *part, struct err *err);
	/* No config and no process. */
	int (*remove)(const struct part *part, struct err *err);
};

extern const struct part_kind part_haproxy, part_lvs, part_vrrp;

struct part {
	const struct part_kind *kind;
	const struct deploy_site *site;
	struct id id;     /* the load balancer's or the listener's */
	void *instance;   /* what was acquired */
	bool is_borrowed; /* from somebody who releases it */
	struct part_state before, after;
	bool changes; /* after differs from before, or an earlier agent may have begun to change it
		       */
};

/* In the order in which they are acquired: HAProxy, LVS listeners by id, VRRP. */
struct parts {
	struct part *items;
	size_t count;
};

/*
 * Acquires what a new part, the last one, is of, and reads what is installed into before; instance,
 * unless NULL, is the caller's, who has acquired it already. On failure the part is there as well.
 */
int parts_add(struct parts *parts, const struct part_kind *kind, const struct deploy_site *site,
	const struct id *id, void *instance, struct err *err);
/* Releases them. */
void parts_deinit(struct parts *parts);
#define cleanup_parts CLEANUP(parts_deinit)

/* Says what the part ought to be: text is copied; NULL: not there. */
void part_set_after(struct part *part, const struct buf *text, bool is_stopped);
/* "LVS listener L", for a person; the caller's to free. */
char *part_title(const struct part *part);
