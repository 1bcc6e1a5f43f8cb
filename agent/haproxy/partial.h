/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A haproxy.cfg less what its files are missing for: the frontends that a certificate is, and the
 * servers. Listeners' certificates lie in memory only, and a machine that was rebooted has none;
 * HAProxy would refuse the whole config, and every listener would pay for the one with TLS. Used by
 * the agent (haproxy/launch.h).
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends text without the frontends whose bind lines, and the server lines that name a
 * certificate, a crt-list, a CA or a CRL by an absolute path where no file is; all else byte for
 * byte. ret_notes gets a line for each frontend, and for all servers of a backend that lack the
 * same file, which says what and why: empty when nothing is missing. A crt-list that is there is
 * not looked into.
 */
void haproxy_partial_cut(
	const char *text, size_t size_bytes, struct buf *ret_text, struct buf *ret_notes);
