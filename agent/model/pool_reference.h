/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool that a listener serves by default, or an L7 policy redirects to: described where it is
 * used, or referred to by {"id": …}, {"name": …} or "…_pool_id" (an id, or a name). What is
 * referred to may stand anywhere in the document, so references are kept until every pool is known.
 * Used by model/ only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/pool.h"

/* Which pools may serve a listener. */
struct pool_fit {
	const char *listener_protocol; /* "HTTP" */
	bool takes[POOL_PROTOCOL_COUNT];
};

/* The listener or policy that a pool is read for. */
struct pool_use {
	const char *key;          /* "default_pool" */
	const char *id_key;       /* "default_pool_id" */
	const struct id *user_id; /* names the pool when it has no name */
	const struct pool_fit *fit;
};

/* Texts are the document's. */
struct pool_reference {
	const char *key;  /* where it stands in its listener or policy; NULL: there is none */
	const char *id;   /* NULL: not by id */
	const char *name; /* NULL: not by name */
	const struct pool_fit *fit;
	size_t listener_index; /* in the document */
	size_t l7policy_index; /* in its listener; POOL_REFERENCE_DEFAULT: its default pool */
	const struct pool **target;
};
#define POOL_REFERENCE_DEFAULT SIZE_MAX

struct pool_references {
	struct pool_reference *items;
	size_t count;
	size_t capacity;
};

struct naming;
struct reader;
struct reader_list;

/*
 * Reads the pool for its use. Described there, it is added to pools, and *ret_pool is it; referred
 * to, ret_reference tells what to look for, and *ret_pool is left alone until then. Faults go to
 * the reader's.
 */
void pool_reference_parse(struct reader *reader, const struct pool_use *use, struct naming *naming,
	struct pool_list *pools, const struct pool **ret_pool,
	struct pool_reference *ret_reference);

/* Keeps a copy of the reference, unless there is none. Its target must stay where it is. */
void pool_references_add(struct pool_references *references, const struct pool_reference *added);
/*
 * Gives every target its pool, now that all are known; listeners is the list in the document.
 * Faults go to that list's.
 */
void pool_references_resolve(const struct pool_references *references,
	const struct pool_list *pools, const struct reader_list *listeners);
void pool_references_deinit(struct pool_references *references);

#define cleanup_pool_references CLEANUP(pool_references_deinit)
