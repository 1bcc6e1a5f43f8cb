/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of LVS listeners, their pools and members, under the names and labels that those of
 * HAProxy have, to be put among them: a family's lines must lie together, so those of LVS come at
 * its end, and a family that HAProxy lacks comes after all others. Pure. Owned by a scrape. Used by
 * the Prometheus proxy.
 *
 * A family is written piece by piece. Where a piece ended is known by the ids of its last sample,
 * so each piece can come from an observation of its own, and a scrape that is slow keeps none.
 *
 * What nobody knows has no sample: counters while the kernel's IPVS does not answer, those and the
 * weight of a member that the kernel does not have. A member's state is that of the heartbeat: "no
 * check" is UP; one that keepalived is still to take up has none of the states.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"
#include "lvs/sources.h"

/* A text that holds as much is full. */
enum { LVS_SAMPLES_PIECE_BYTES = 32 * KIB };

/* Starts as {0}: nothing is written, and no family has begun. */
struct lvs_samples {
	uint64_t written;                /* a bit for each family that was begun */
	const struct lvs_family *family; /* which is being written, or NULL */
	bool needs_head;                 /* its HELP and TYPE */
	/* Its last sample's, "" before the first. */
	struct id listener;
	struct id member;
};

/*
 * HAProxy's lines of the family of that name have come: ours are to follow. Nothing follows in a
 * family that LVS listeners have nothing of, or that was begun already.
 */
void lvs_samples_begin(struct lvs_samples *samples, const char *name);
/* A family that was not begun yet: false when there is none. */
bool lvs_samples_begin_missing(struct lvs_samples *samples);
/*
 * Appends samples of the family that was begun, until the text is full. Whether these were the last
 * ones; nothing is left to do then, nor when none was begun. The listeners and the members of each
 * are in the order of their ids.
 */
bool lvs_samples_append(struct lvs_samples *samples, const struct lvs_observation *observation,
	struct buf *ret_text);
