/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/haproxy_sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/condition.h"
#include "base/file.h"
#include "base/id.h"

/* One load balancer, remembered from beat to beat for what the log was told about it. */
struct source {
	struct id id;
	char *socket_path;
	bool is_present; /* found by the present beat */
	struct condition silent;
};

struct haproxy_sources {
	char *base_path;
	struct source *list; /* sorted by id */
	size_t count;
	struct condition unlisted;
};

DEFINE_CLEANUP(DIR *, closedir);

struct haproxy_sources *haproxy_sources_new(const char *base_path)
{
	struct haproxy_sources *sources = xcalloc(1, sizeof(*sources));

	sources->base_path = xstrdup(base_path);
	return sources;
}

static void source_deinit(struct source *source)
{
	condition_deinit(&source->silent);
	free(source->socket_path);
}

void haproxy_sources_free(struct haproxy_sources *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; i < sources->count; i++)
		source_deinit(&sources->list[i]);
	condition_deinit(&sources->unlisted);
	free(sources->list);
	free(sources->base_path);
	free(sources);
}

/* Whether the load balancer has a config and nobody stopped it. */
static bool ought_to_run(const struct haproxy_sources *sources, const char *id)
{
	cleanup_free char *config = xformat("%s/%s/haproxy.cfg", sources->base_path, id);
	cleanup_free char *stopped = xformat("%s/%s/stopped", sources->base_path, id);
	cleanup_free char *socket = xformat("%s/%s.sock", sources->base_path, id);

	if (file_exists(stopped))
		return false;
	/* A folder that our user may not look into is told by the socket beside it. */
	return file_exists(config) || (errno == EACCES && file_exists(socket));
}

static int source_compare(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->id.text, ((const struct source *)b)->id.text);
}

static struct source *source_find(struct haproxy_sources *sources, const char *id)
{
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->list[i].id.text, id) == 0)
			return &sources->list[i];
	return NULL;
}

static void source_note(struct haproxy_sources *sources, const char *name)
{
	struct source *source = source_find(sources, name);

	if (!source) {
		sources->list =
			xrealloc_array(sources->list, sources->count + 1, sizeof(*sources->list));
		source = &sources->list[sources->count++];
		*source = (struct source){
			.socket_path = xformat("%s/%s.sock", sources->base_path, name),
		};
		memcpy(source->id.text, name, strlen(name) + 1);
	}
	source->is_present = true;
}

static void absent_sources_drop(struct haproxy_sources *sources)
{
	size_t kept = 0;

	for (size_t i = 0; i < sources->count; i++)
		if (sources->list[i].is_present)
			sources->list[kept++] = sources->list[i];
		else
			source_deinit(&sources->list[i]);
	sources->count = kept;
	if (kept > 1)
		qsort(sources->list, kept, sizeof(*sources->list), source_compare);
}

/* Brings the list up to date. False when the folder cannot be read: then the old list stays. */
static bool sources_list(struct haproxy_sources *sources)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(sources->base_path);
	struct dirent *entry;

	if (!folder) {
		condition_raise(&sources->unlisted, -errno, "listing load balancers in %s: %s",
			sources->base_path, strerrordesc_np(errno));
		return false;
	}
	condition_clear(
		&sources->unlisted, "load balancers in %s can be listed again", sources->base_path);
	for (size_t i = 0; i < sources->count; i++)
		sources->list[i].is_present = false;
	while ((entry = readdir(folder)))
		if (id_is_valid(entry->d_name) && ought_to_run(sources, entry->d_name))
			source_note(sources, entry->d_name);
	absent_sources_drop(sources);
	return true;
}

static void answer_take(const struct haproxy_sources *sources, struct source *source,
	struct haproxy_stats_inquiry *inquiry, struct observation *observation)
{
	if (inquiry->result == 0) {
		condition_clear(&source->silent, "load balancer %s: HAProxy answers again",
			source->id.text);
		observation_add_haproxy(observation, &inquiry->stats);
		return;
	}
	/* It may have been stopped or deleted while it was asked. */
	if (!ought_to_run(sources, source->id.text))
		return;
	observation->is_partial = true;
	condition_suspect(&source->silent, inquiry->result,
		"load balancer %s is left out of the heartbeat: %s", source->id.text,
		inquiry->err.text);
}

void haproxy_sources_observe(
	struct haproxy_sources *sources, int timeout_ms, struct observation *observation)
{
	cleanup_free struct haproxy_stats_inquiry *inquiries = NULL;

	if (!sources_list(sources))
		observation->is_partial = true;
	inquiries = xcalloc(sources->count, sizeof(*inquiries));
	for (size_t i = 0; i < sources->count; i++)
		inquiries[i].socket_path = sources->list[i].socket_path;
	haproxy_stats_query_all(inquiries, sources->count, timeout_ms);
	for (size_t i = 0; i < sources->count; i++)
		answer_take(sources, &sources->list[i], &inquiries[i], observation);
}

void haproxy_sources_describe(const struct haproxy_sources *sources, struct buf *ret_problems)
{
	condition_describe(&sources->unlisted, ret_problems);
	for (size_t i = 0; i < sources->count; i++)
		condition_describe(&sources->list[i].silent, ret_problems);
}
