/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids of one load balancer's parts while its model is parsed: read, or derived from what tells
 * the part from others to a person (a listener's protocol and port, a member's address and port, a
 * name), never from its position, so that inserting one changes no other. An L7 policy without a
 * name is known by all that it does: action, target and the conditions of its rules, whatever their
 * order; an L7 rule by its condition. Each id is used once. Used by model/ only.
 */
#pragma once

#include "base/id.h"
#include "model/reader.h"
#include "model/text_index.h"

enum naming_kind {
	NAMING_LISTENER,
	NAMING_POOL,
	NAMING_MEMBER,
	NAMING_HEALTH_MONITOR,
	NAMING_L7POLICY,
	NAMING_L7RULE,
	NAMING_KIND_COUNT,
};

struct naming {
	const struct id *load_balancer_id;
	struct text_index taken[NAMING_KIND_COUNT];
};

/* Borrows load_balancer_id. */
void naming_init(struct naming *ret_naming, const struct id *load_balancer_id);
void naming_deinit(struct naming *naming);

/*
 * The object's "id", or the one derived from identity: a text that is the part's alone among its
 * kind within the load balancer. identity is NULL when a fault (reported already) keeps it from
 * being known; the id is then empty, and the model refused anyway.
 */
void naming_read_id(struct naming *naming, struct reader *reader, enum naming_kind kind,
	const char *identity, struct id *ret_id);
/* The id of a load balancer that has none: derived from identity likewise. */
void naming_derive_load_balancer_id(const char *identity, struct id *ret_id);

#define cleanup_naming CLEANUP(naming_deinit)
