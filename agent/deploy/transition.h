/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one state of the parts to another, and back: the steps of deploy/deployment.h. Used by
 * deploy/ only.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "deploy/applied.h"
#include "deploy/part.h"

/*
 * Installs what the parts ought to be and has it taken up. What they ought not to be any more is
 * stopped. Ends at the first failure; a daemon's words are in ret_output or err.
 */
int transition_advance(const struct parts *parts, enum applied *ret_applied, struct buf *ret_output,
	struct err *err);
/* What that would take. */
enum applied transition_predict(const struct parts *parts);
/* Removes what ought not to be any more. What cannot be removed is logged, and stays stopped. */
void transition_finish(const struct parts *parts);
/*
 * Makes the parts what they were. What fails is logged and does not stop the rest. failure: of
 * transition_advance(), 0 when an earlier agent did not get so far.
 */
void transition_undo(const struct parts *parts, int failure);
