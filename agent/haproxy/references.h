/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a haproxy.cfg makes HAProxy read: certificates, crt-lists and what they name, CAs,
 * CRLs, error pages … A controller replaces some of them and then asks for a reload with the
 * config unchanged, so "nothing has changed" needs their contents as well. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends a line "MD5 PATH" for every regular file that text names by an absolute path, and for
 * what the crt-lists among them name: two equal results mean equal files. except: a path that does
 * not count although it may be named. -ENOTSUP when text may make HAProxy read files that cannot be
 * told from it (a folder, a path relative to another).
 */
int haproxy_references_digest(const char *text, size_t size_bytes, const char *except,
	struct buf *ret_digest, struct err *err);
