/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a value becomes part of a keepalived.conf without breaking out of its place. What keepalived
 * has no way to be told (model/keepalived_word.h), which no model holds, becomes '?', and what is
 * too long is cut. Used by the agent and amphoractl.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends text as one word: bare, or, where it holds anything that might mean something to
 * keepalived, between double quotes. A dialect's escape for render/mustache.h; a template writes no
 * quotes of its own.
 */
void escape_keepalived(const char *text, size_t size_bytes, struct buf *ret_text);
/*
 * The same for one argument of a command, which keepalived splits once more (misc_path, script):
 * what is appended still has to pass escape_keepalived(). Neither quotes nor backslashes can be
 * said there alike to all versions.
 */
void escape_keepalived_argument(const char *text, size_t size_bytes, struct buf *ret_text);
