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
 * stopped. Ends at the first failure; a daemon's words are in ret_output or err, and *ret_failed is
 * the part whose step it was.
 */
int transition_advance(const struct parts *parts, enum applied *ret_applied,
	const struct part **ret_failed, struct buf *ret_output, struct err *err);
/* What that would take. */
enum applied transition_predict(const struct parts *parts);
/* Removes what ought not to be any more. What cannot be removed is logged, and stays stopped. */
void transition_finish(const struct parts *parts);
/*
 * Back to what the parts were, in two steps: what is installed, then what runs, but for parts that
 * were not there, which end with the first. What fails is logged and does not stop the rest.
 * silent: one whose daemon did not answer in time, and is not waited for again; or NULL.
 */
void transition_put_back(const struct parts *parts);
void transition_take_up_again(const struct parts *parts, const struct part *silent);
