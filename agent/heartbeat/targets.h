/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The health managers, taken in turn. Owned by the sender, and used by it alone.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct targets;

/*
 * Entries that are no HOST:PORT are left out, which the log says: the others still get beats. It
 * also says when none is left.
 */
struct targets *targets_new(const char *const *entries, size_t entry_count);
void targets_free(struct targets *targets);

/*
 * Sends to the next target in turn; if that fails, at once to the one after it, until one worked
 * or timeout_ms has passed; *ret_target is the entry of the one that worked (the targets' text).
 * The negative errno of the last failure when none did; -EDESTADDRREQ when there is no target at
 * all. Either way the log has been told.
 */
int targets_send(struct targets *targets, const void *datagram, size_t size_bytes, int timeout_ms,
	const char **ret_target);
/* Waits at most timeout_ms for names to be looked up: before the first beat. */
void targets_wait(struct targets *targets, int timeout_ms);
/* Appends what is wrong with each target. */
void targets_describe(const struct targets *targets, struct buf *ret_problems);
