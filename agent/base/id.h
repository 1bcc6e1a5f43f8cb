/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The id of a load balancer, listener, pool, member or amphora: what may become part of a path, a
 * unit name or a proxy name. From a controller it is a UUID; by hand anything that matches
 * [0-9A-Za-z_][0-9A-Za-z_-]{0,63}, but none of the names that live beside load balancers under
 * base_path (amphora-api.md, "Endpoints"). A plain value. Used by every program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { ID_SIZE_MAX = 64 };

struct id {
	char text[ID_SIZE_MAX + 1];
};

/* Parses size_bytes bytes; -EINVAL with a text that says what an id is. what: "load balancer id".
 */
int id_parse(
	const char *data, size_t size_bytes, const char *what, struct id *ret_id, struct err *err);
bool id_is_valid(const char *text);
bool id_equal(const struct id *a, const struct id *b);
