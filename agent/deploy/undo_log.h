/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a deployment replaces, on disk from before its first change until all of it is in force or
 * undone: an agent that finds one was interrupted, and nobody was told of success. Used by deploy/
 * only.
 *
 *	BASE/LB/before/KIND-ID.conf     the config that was installed, or
 *	BASE/LB/before/KIND-ID.none     there was none
 *	BASE/LB/before/KIND-ID.stopped  it was stopped by request
 *	BASE/LB/before.new/             the same, not whole yet, or not in force any more
 *
 * KIND-ID is haproxy-LB, lvs-L or vrrp-LB. It is there whole or not at all: it comes and goes by
 * one rename.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "deploy/part.h"
#include "haproxy/instance.h"

/* Durably: what the parts that change were before. None changes: there is no log. */
int undo_log_store(const struct deploy_site *site, const struct id *load_balancer,
	const struct parts *parts, struct err *err);
/* Durably; one that is not there is fine. Once this has returned the change is made for good. */
int undo_log_remove(
	const struct deploy_site *site, const struct id *load_balancer, struct err *err);

/* Whose folders hold one; the caller frees *ret_ids. */
int undo_log_find(
	const struct deploy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err);

/* The parts that it tells of, acquired, and what they were before; instance is the caller's. */
int undo_log_load(const struct deploy_site *site, struct haproxy_instance *instance,
	struct parts *ret_parts, struct err *err);
