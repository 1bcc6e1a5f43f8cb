/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a deployment changes, in a person's words, a line each: "member M of pool P on listener L
 * added" (model.md, "changes"). Pure. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "haproxy/changes.h"

enum { CHANGES_MAX = HAPROXY_CHANGES_MAX };

struct changes {
	char **lines;
	size_t count; /* at most CHANGES_MAX */
	size_t left_out;
};

void changes_deinit(struct changes *changes);
#define cleanup_changes CLEANUP(changes_deinit)

/* Takes line over. */
void changes_add(struct changes *changes, char *line);
/* Adds what differs between two haproxy.cfg; "": none. */
void changes_add_haproxy(struct changes *changes, const char *old_text, const char *new_text);
/* Adds what differs between two configs of an LVS listener; "": none. */
void changes_add_listener(struct changes *changes, const struct id *listener, const char *old_text,
	const char *new_text);
/* Adds what differs between two VRRP configs; "": none. */
void changes_add_vrrp(struct changes *changes, const char *old_text, const char *new_text);
