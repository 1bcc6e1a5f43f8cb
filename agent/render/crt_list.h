/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of a listener that has more of them than a `bind` line takes: a file beside
 * them, one path a line, default certificate first (HAProxy's `crt-list`). It is named after its
 * content, so it may lie there before the config that names it, and never changes what a running
 * one means. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/certificate_name.h"
#include "model/listener.h"

/* More than any list has. */
enum { CRT_LIST_MAX_BYTES = 16 * MIB };

bool crt_list_is_needed(const struct listener *listener);
/*
 * Appends the list's text. folder: where the load balancer's certificates lie, and this file will
 * (struct haproxy_cfg_options' base_cert_dir, and in it LB).
 */
void crt_list_render(const struct listener *listener, const char *folder, struct buf *ret_text,
	struct certificate_name *ret_name);
