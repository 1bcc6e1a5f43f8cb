/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/observation.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

static void listener_add(struct observation *observation, const struct haproxy_stat *row)
{
	observation->listeners[observation->listener_count++] = (struct observed_listener){
		.id = row->proxy,
		.status = row->status,
		.sessions = row->sessions,
		.total = {.bytes_in = row->bytes_in,
			.bytes_out = row->bytes_out,
			.errors_request = row->errors_request,
			.sessions_total = row->sessions_total},
	};
}

/* The pool that the row before belonged to, or a new one: the rows of a proxy lie together. */
static struct observed_pool *pool_of(struct observation *observation, const char *key)
{
	struct observed_pool *pool;

	if (observation->pool_count > 0) {
		pool = &observation->pools[observation->pool_count - 1];
		if (pool->status[0] == '\0' && text_equal(pool->key, key))
			return pool;
	}
	pool = &observation->pools[observation->pool_count++];
	*pool = (struct observed_pool){
		.key = key,
		.status = "",
		.first_member = observation->member_count,
	};
	return pool;
}

static void row_add(struct observation *observation, const struct haproxy_stat *row)
{
	switch (row->kind) {
	case HAPROXY_STAT_FRONTEND:
		listener_add(observation, row);
		break;
	case HAPROXY_STAT_SERVER:
		pool_of(observation, row->proxy)->member_count++;
		observation->members[observation->member_count++] = (struct observed_member){
			.id = row->server,
			.status = row->status,
		};
		break;
	case HAPROXY_STAT_BACKEND:
		pool_of(observation, row->proxy)->status = row->status;
		break;
	}
}

/* Room for what extra rows, or one listener and its members, may become: pages that stay unused are
 * never touched. */
static void make_room(struct observation *observation, size_t extra)
{
	observation->listeners = xrealloc_array(observation->listeners,
		observation->listener_count + extra, sizeof(*observation->listeners));
	observation->pools = xrealloc_array(
		observation->pools, observation->pool_count + extra, sizeof(*observation->pools));
	observation->members = xrealloc_array(observation->members,
		observation->member_count + extra, sizeof(*observation->members));
}

void observation_add_haproxy(struct observation *observation, struct haproxy_stats *stats)
{
	if (stats->row_count > 0)
		make_room(observation, stats->row_count);
	for (size_t i = 0; i < stats->row_count; i++)
		row_add(observation, &stats->rows[i]);
	observation->haproxy_stats = xrealloc_array(observation->haproxy_stats,
		observation->haproxy_count + 1, sizeof(*observation->haproxy_stats));
	observation->haproxy_stats[observation->haproxy_count++] = *stats;
	*stats = (struct haproxy_stats){.rows = NULL};
}

static void lvs_pool_add(struct observation *observation, const struct lvs_status *status)
{
	for (size_t i = 0; i < observation->pool_count; i++)
		if (text_equal(observation->pools[i].key, status->pool.text))
			return;
	observation->pools[observation->pool_count++] = (struct observed_pool){
		.key = status->pool.text,
		.status = status->pool_status,
		.first_member = observation->member_count,
		.member_count = status->member_count,
	};
	for (size_t i = 0; i < status->member_count; i++)
		observation->members[observation->member_count++] = (struct observed_member){
			.id = status->members[i].id.text,
			.status = status->members[i].status,
		};
}

static void lvs_listener_add(struct observation *observation, struct lvs_observed *lvs)
{
	struct lvs_status *status = take_ptr(lvs->status);

	make_room(observation, 1 + status->member_count);
	observation->listeners[observation->listener_count++] = (struct observed_listener){
		.id = status->listener.text,
		.status = "OPEN",
		.sessions = status->connections_active,
		.is_uncounted = !status->is_read,
		.total = lvs->total,
		.carried = lvs->carried,
	};
	if (status->has_pool)
		lvs_pool_add(observation, status);
	observation->lvs_statuses = xrealloc_array(observation->lvs_statuses,
		observation->lvs_count + 1, sizeof(*observation->lvs_statuses));
	observation->lvs_statuses[observation->lvs_count++] = status;
}

void observation_add_lvs(struct observation *observation, struct lvs_observation *lvs)
{
	observation->is_partial = observation->is_partial || lvs->is_partial;
	for (size_t i = 0; i < lvs->listener_count; i++)
		lvs_listener_add(observation, &lvs->listeners[i]);
}

/* A name and where it stands. */
struct place {
	const char *name;
	size_t index;
};

static int place_compare(const void *a, const void *b)
{
	const struct place *left = a;
	const struct place *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* Marks each index whose name stands at a lower one too; returns one such name or NULL. */
static const char *mark_duplicates(struct place *places, size_t count, bool *ret_marks)
{
	const char *duplicate = NULL;

	if (count > 1)
		qsort(places, count, sizeof(*places), place_compare);
	for (size_t i = 1; i < count; i++)
		if (text_equal(places[i].name, places[i - 1].name)) {
			ret_marks[places[i].index] = true;
			duplicate = places[i].name;
		}
	return duplicate;
}

_Static_assert(offsetof(struct observed_listener, id) == 0, "items start with their name");
_Static_assert(offsetof(struct observed_pool, key) == 0, "items start with their name");

static const char *drop_duplicates(void *items, size_t *count, size_t item_bytes)
{
	cleanup_free struct place *places = xcalloc(*count, sizeof(*places));
	cleanup_free bool *marks = xcalloc(*count, sizeof(*marks));
	char *from = items;
	char *to = items;
	const char *duplicate;
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		places[i] = (struct place){
			.name = *(const char *const *)(from + i * item_bytes),
			.index = i,
		};
	duplicate = mark_duplicates(places, *count, marks);
	for (size_t i = 0; i < *count; i++)
		if (!marks[i])
			memmove(to + kept++ * item_bytes, from + i * item_bytes, item_bytes);
	*count = kept;
	return duplicate;
}

const char *observation_drop_duplicates(struct observation *observation)
{
	/* The members of a dropped pool stay in the array, where no pool refers to them. */
	const char *pool = drop_duplicates(
		observation->pools, &observation->pool_count, sizeof(*observation->pools));
	const char *listener = drop_duplicates(observation->listeners, &observation->listener_count,
		sizeof(*observation->listeners));

	return listener ? listener : pool;
}

size_t observation_reported_members(const struct observation *observation)
{
	size_t count = 0;

	for (size_t i = 0; i < observation->pool_count; i++)
		count += observation->pools[i].member_count;
	return count;
}

void observation_deinit(struct observation *observation)
{
	for (size_t i = 0; i < observation->haproxy_count; i++)
		haproxy_stats_deinit(&observation->haproxy_stats[i]);
	for (size_t i = 0; i < observation->lvs_count; i++)
		lvs_status_free(observation->lvs_statuses[i]);
	free(observation->haproxy_stats);
	free(observation->lvs_statuses);
	free(observation->listeners);
	free(observation->pools);
	free(observation->members);
	*observation = OBSERVATION_INIT;
}
