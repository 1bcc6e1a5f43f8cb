/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults as a compiler prints them, for terminals and for editors that jump to them. Used by
 * amphoractl.
 *
 *	lb.json:12:24: error: /listeners/0/protocol_port: must be at least 1
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "model/fault.h"

/* What 2 * FAULTS_MAX of them may take. */
enum { FAULT_LINES_MAX = 2 * MIB };

/*
 * Appends a line for each error and warning, in the order of their places in the text that they are
 * about, which is size_bytes long, and one for how many are left out. Control characters become
 * '?': a model must not send commands to a terminal.
 */
void fault_lines_append(const struct faults *faults, const char *file, const char *text,
	size_t size_bytes, struct buf *ret_lines);
