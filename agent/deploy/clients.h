/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients that a model allows its LVS listener (model.md, "allowed_cidrs"), in the config of
 * the listener's keepalived, behind its first line (deploy/origin.h): so they are in force as long
 * as that config is, and end with an upload in its place. keepalived takes them for comments. Pure.
 * Used by the agent.
 *
 *	# Only clients of 192.0.2.0/24
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/cidr.h"

/* Appends a line for each. */
void clients_append(const struct cidr *clients, size_t count, struct buf *ret_text);
/* Those of a config; none: everybody may, or the config was uploaded. The caller frees
 * *ret_clients. */
void clients_parse(const char *text, struct cidr **ret_clients, size_t *ret_count);
