/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is changed in an uploaded haproxy.cfg, and nothing else ever is (amphora-api.md,
 * "Endpoints"): lines that older controllers send and that HAProxy, or our second file, cannot live
 * with. Pure. Used by the agent.
 *
 * - `group NAME` in global is dropped: the group comes from our own second file;
 * - `option http-use-htx` is dropped: HAProxy 3.0 and later refuse it;
 * - `option httpchk M U HTTP/1.1\r\nHost:\ X` becomes `option httpchk M U HTTP/1.1` and
 *   `http-check send hdr Host X`; with nothing behind `\r\n`, that is dropped;
 * - `external-check` glued to the end of a `cpu-map` line gets its line of its own (a missing
 *   newline in the controller's template).
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the text to install to ret_text and one line per change ("line 12: …", for the log) to
 * ret_notes: empty when nothing was changed and ret_text is the upload byte for byte.
 */
void haproxy_upload_rewrite(
	const char *text, size_t size_bytes, struct buf *ret_text, struct buf *ret_notes);
