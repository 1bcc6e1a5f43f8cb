/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock for each load balancer or listener: whoever changes it (files, process) holds it; readers
 * take none, files are replaced atomically. Waiting has no time-out: every change is bounded by
 * itself, and a busy lock must never become an error (amphora-api.md, "How the driver treats
 * answers"). Entries exist while somebody holds or awaits them. Owned by a site (haproxy/site.h,
 * lvs/instance.h). Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/id.h"

struct id_locks;

struct id_locks *id_locks_new(void);
/* Nobody may hold or await a lock any more. Accepts NULL. */
void id_locks_free(struct id_locks *locks);

/* Waits until no other thread holds id. Not recursive. */
void id_lock_acquire(struct id_locks *locks, const struct id *id);
void id_lock_release(struct id_locks *locks, const struct id *id);
/* How many ids are held or awaited: for tests. */
size_t id_locks_count(struct id_locks *locks);
