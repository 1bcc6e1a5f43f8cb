/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a value becomes part of a configuration without breaking out of its place. Used by the agent
 * and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends text so that HAProxy reads exactly these bytes back, in a bare word as well as between
 * double quotes (HAProxy's configuration manual, 2.2 "Quoting and escaping"). A NUL would end
 * HAProxy's word: no model holds one. A dialect's escape for render/mustache.h.
 */
void escape_haproxy(const char *text, size_t size_bytes, struct buf *ret_text);
/*
 * The same for a part of a log-format, where '%' begins a variable: what is appended still has to
 * pass escape_haproxy().
 */
void escape_log_format(const char *text, size_t size_bytes, struct buf *ret_text);
/*
 * The same for an argument of a sample fetch, such as NAME in req.hdr(NAME), which a comma, a
 * parenthesis or a quote would end: such names are put between double quotes of their own.
 */
void escape_sample_argument(const char *text, size_t size_bytes, struct buf *ret_text);
