/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock for each load balancer: whoever changes it (files, process) holds it; readers take none,
 * files are replaced atomically. Waiting has no time-out: every change is bounded by itself, and a
 * busy lock must never become an error (amphora-api.md, "How the driver treats answers").
 * Entries exist while somebody holds or awaits them. Owned by the site. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/id.h"

struct haproxy_locks;

struct haproxy_locks *haproxy_locks_new(void);
/* Nobody may hold or await a lock any more. Accepts NULL. */
void haproxy_locks_free(struct haproxy_locks *locks);

/* Waits until no other thread holds id. Not recursive. */
void haproxy_lock_acquire(struct haproxy_locks *locks, const struct id *id);
void haproxy_lock_release(struct haproxy_locks *locks, const struct id *id);
/* How many ids are held or awaited: for tests. */
size_t haproxy_locks_count(struct haproxy_locks *locks);
