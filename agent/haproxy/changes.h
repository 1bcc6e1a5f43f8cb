/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two haproxy.cfg of one load balancer, in a person's words: "member M of pool
 * P on listener L added" (model.md, "changes"). Pure; any texts will do. Used by the agent.
 */
#pragma once

#include <stddef.h>

enum { HAPROXY_CHANGES_MAX = 1000 };

struct haproxy_changes {
	char **lines; /* in the order of the new text; what was removed comes last */
	size_t count; /* at most HAPROXY_CHANGES_MAX */
	size_t left_out;
};

/* old_text "": everything was added. */
void haproxy_changes_find(
	const char *old_text, const char *new_text, struct haproxy_changes *ret_changes);
void haproxy_changes_deinit(struct haproxy_changes *changes);
