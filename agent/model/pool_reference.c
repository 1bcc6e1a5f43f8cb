/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pool_reference.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/reader.h"
#include "model/text_index.h"

/* The pools by what may refer to them. */
struct pool_directory {
	struct text_index ids, names;
	struct text_index shared_names; /* of several pools: no reference */
};

static void directory_deinit(struct pool_directory *directory)
{
	text_index_deinit(&directory->ids);
	text_index_deinit(&directory->names);
	text_index_deinit(&directory->shared_names);
}

static void directory_fill(struct pool_directory *directory, const struct pool_list *pools)
{
	for (size_t i = 0; i < pools->count; i++) {
		const struct pool *pool = pools->items[i];

		text_index_add(&directory->ids, pool->id.text, i);
		if (pool->name[0] && !text_index_add(&directory->names, pool->name, i))
			text_index_add(&directory->shared_names, pool->name, i);
	}
}

/* The pool that is meant, or NULL with a fault. */
static const struct pool *directory_find(const struct pool_directory *directory,
	const struct pool_list *pools, const struct pool_reference *reference,
	struct faults *faults, const struct place *place)
{
	const char *text = reference->id ? reference->id : reference->name;
	size_t number;

	if (!text)
		return NULL;
	if (reference->id && text_index_find(&directory->ids, reference->id, &number))
		return pools->items[number];
	if (!reference->name || !text_index_find(&directory->names, reference->name, &number))
		faults_add(faults, place, reference->key, "there is no pool '%s'", text);
	else if (text_index_find(&directory->shared_names, reference->name, &number))
		faults_add(faults, place, reference->key,
			"several pools are called '%s': refer to one by its id", text);
	else
		return pools->items[number];
	return NULL;
}

/* A pool whose protocol is at fault itself is of none. */
static void check_fit(const struct pool *pool, const struct pool_fit *fit, struct faults *faults,
	const struct place *place, const char *key)
{
	if (pool->protocol != POOL_PROTOCOL_UNKNOWN && !fit->takes[pool->protocol])
		faults_add(faults, place, key, "%s pools cannot serve %s listeners",
			pool_protocol_name(pool->protocol), fit->listener_protocol);
}

/* {"name": …} or {"id": …}, with nothing that would describe a pool. */
static bool read_reference(struct reader *pool, struct pool_reference *reference)
{
	size_t keys = (size_t)reader_has(pool, "id") + (size_t)reader_has(pool, "name");

	if (keys == 0 || json_object_size(pool->object) != keys)
		return false;
	reference->key = pool->place.key;
	reference->id = reader_text(pool, "id", READER_NAME_MAX);
	if (!reference->id)
		reference->name = reader_text(pool, "name", READER_NAME_MAX);
	return true;
}

void pool_reference_parse(struct reader *reader, const struct pool_use *use, struct naming *naming,
	struct pool_list *pools, const struct pool **ret_pool, struct pool_reference *ret_reference)
{
	struct reader inner;
	struct pool *pool;

	*ret_reference = (struct pool_reference){.fit = use->fit};
	if (reader_has(reader, use->key) && reader_has(reader, use->id_key)) {
		reader_fault(reader, use->id_key, "must not stand beside %s", use->key);
	} else if (reader_has(reader, use->id_key)) {
		ret_reference->key = use->id_key;
		ret_reference->id = reader_text(reader, use->id_key, READER_NAME_MAX);
		ret_reference->name = ret_reference->id;
	}
	if (json_is_string(reader_value(reader, use->key))) {
		reader_fault(reader, use->key,
			"must be an object: a pool, or {\"name\": …} of another; '%s' takes a text",
			use->id_key);
		return;
	}
	if (!reader_enter_object(reader, use->key, &inner) || read_reference(&inner, ret_reference))
		return;
	pool = pool_list_add(pools);
	pool_parse(&inner, naming, use->user_id, pool);
	check_fit(pool, use->fit, inner.faults, &inner.place, "protocol");
	*ret_pool = pool;
}

void pool_references_add(struct pool_references *references, const struct pool_reference *added)
{
	if (!added->key)
		return;
	if (references->count == references->capacity) {
		references->capacity = references->capacity ? 2 * references->capacity : 16;
		references->items = xrealloc_array(
			references->items, references->capacity, sizeof(*references->items));
	}
	references->items[references->count++] = *added;
}

static void resolve(const struct pool_reference *reference, const struct pool_directory *directory,
	const struct pool_list *pools, const struct reader_list *listeners)
{
	const struct place listener = {
		.parent = &listeners->place, .index = reference->listener_index};
	const struct place l7policies = {.parent = &listener, .key = "l7policies"};
	const struct place l7policy = {.parent = &l7policies, .index = reference->l7policy_index};
	const struct place *place =
		reference->l7policy_index == POOL_REFERENCE_DEFAULT ? &listener : &l7policy;
	const struct pool *pool =
		directory_find(directory, pools, reference, listeners->faults, place);

	if (!pool)
		return;
	check_fit(pool, reference->fit, listeners->faults, place, reference->key);
	*reference->target = pool;
}

void pool_references_resolve(const struct pool_references *references,
	const struct pool_list *pools, const struct reader_list *listeners)
{
	CLEANUP(directory_deinit) struct pool_directory directory = {0};

	directory_fill(&directory, pools);
	for (size_t i = 0; i < references->count; i++)
		resolve(&references->items[i], &directory, pools, listeners);
}

void pool_references_deinit(struct pool_references *references)
{
	free(references->items);
}
