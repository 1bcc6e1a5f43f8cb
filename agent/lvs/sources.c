/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/condition.h"
#include "base/file.h"
#include "keepalived/process.h"
#include "lvs/config.h"
#include "lvs/running.h"
#include "lvs/site.h"
#include "lvs/traffic.h"

enum {
	/* keepalived does what it was told some milliseconds after that was recorded. */
	TAKE_UP_S = 2,
};

/* One listener, remembered from one observation to the next for its traffic and what the log was
 * told of it. */
struct source {
	struct id id;
	bool is_present; /* found by the present one */
	struct condition left_out;
	struct account traffic;
};

struct lvs_sources {
	char *base_path;
	struct ipvs *ipvs;
	struct lvs_limits limits;
	struct source *list; /* sorted by id */
	size_t count;
	struct condition unlisted;
	struct condition unread; /* the kernel's tables */
};

struct lvs_sources *lvs_sources_new(
	const char *base_path, struct ipvs *ipvs, const struct lvs_limits *limits)
{
	struct lvs_sources *sources = xcalloc(1, sizeof(*sources));

	sources->base_path = xstrdup(base_path);
	sources->ipvs = ipvs;
	sources->limits = *limits;
	return sources;
}

void lvs_observation_deinit(struct lvs_observation *observation)
{
	for (size_t i = 0; i < observation->listener_count; i++)
		lvs_status_free(observation->listeners[i].status);
	free(observation->listeners);
	*observation = LVS_OBSERVATION_INIT;
}

static void source_deinit(struct source *source)
{
	condition_deinit(&source->left_out);
	account_deinit(&source->traffic);
}

void lvs_sources_free(struct lvs_sources *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; i < sources->count; i++)
		source_deinit(&sources->list[i]);
	condition_deinit(&sources->unlisted);
	condition_deinit(&sources->unread);
	free(sources->list);
	free(sources->base_path);
	free(sources);
}

static bool has_file(
	const struct lvs_sources *sources, const struct id *listener, enum lvs_file file)
{
	cleanup_free char *path = lvs_path(sources->base_path, listener, file);

	return file_exists(path);
}

static int source_compare(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->id.text, ((const struct source *)b)->id.text);
}

static void source_note(struct lvs_sources *sources, const struct id *listener)
{
	for (size_t i = 0; i < sources->count; i++)
		if (id_equal(&sources->list[i].id, listener)) {
			sources->list[i].is_present = true;
			return;
		}
	sources->list = xrealloc_array(sources->list, sources->count + 1, sizeof(*sources->list));
	sources->list[sources->count++] = (struct source){.id = *listener, .is_present = true};
}

static void absent_sources_drop(struct lvs_sources *sources)
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
static bool sources_list(struct lvs_sources *sources)
{
	cleanup_free struct id *listeners = NULL;
	struct err err = ERR_NONE;
	size_t count = 0;

	if (lvs_listeners(sources->base_path, &listeners, &count, &err) < 0) {
		condition_raise(&sources->unlisted, err.code, "%s", err.text);
		return false;
	}
	condition_clear(&sources->unlisted, "LVS listeners can be listed again");
	for (size_t i = 0; i < sources->count; i++)
		sources->list[i].is_present = false;
	for (size_t i = 0; i < count; i++)
		if (!has_file(sources, &listeners[i], LVS_FILE_STOPPED))
			source_note(sources, &listeners[i]);
	absent_sources_drop(sources);
	return true;
}

/* Fills ret_table; returns it, or NULL when nobody knows what the kernel has. */
static const struct ipvs_table *kernel_read(
	struct lvs_sources *sources, int timeout_ms, struct ipvs_table *ret_table)
{
	struct err err = ERR_NONE;
	int r = -EBADF;

	if (sources->ipvs)
		r = ipvs_query(sources->ipvs, timeout_ms, ret_table, &err);
	else
		err_set(&err, r, "there was no way to the kernel's IPVS when this process started");
	if (r == 0) {
		condition_clear(&sources->unread, "the kernel's IPVS answers again");
		return ret_table;
	}
	if (r == -ENOENT) {
		condition_raise(&sources->unread, r, "LVS listeners serve nothing: %s", err.text);
		return ret_table;
	}
	condition_raise(&sources->unread, r,
		"LVS listeners are reported without traffic and pools: %s", err.text);
	return NULL;
}

/* What the agent has not told keepalived yet, or only just. */
static bool is_pending(
	const struct lvs_sources *sources, const struct id *listener, const struct buf *config)
{
	cleanup_free char *record = lvs_path(sources->base_path, listener, LVS_FILE_RUNNING);
	struct stat status;

	if (!lvs_running_has(sources->base_path, listener, buf_text(config), config->size_bytes))
		return true;
	return stat(record, &status) == 0 && time(NULL) - status.st_mtime < TAKE_UP_S;
}

/* left: what the observation may still hold. */
static int config_read(const struct lvs_sources *sources, const struct id *listener,
	struct lvs_limits *left, struct buf *ret_text, struct lvs_config *ret_config,
	struct err *err)
{
	cleanup_free char *path = lvs_path(sources->base_path, listener, LVS_FILE_CONFIG);
	cleanup_free char *pid_file = lvs_path(sources->base_path, listener, LVS_FILE_PID);
	int r;

	if (keepalived_pid(pid_file) == 0)
		return err_set(err, -ESRCH, "its keepalived does not run");
	r = file_read(path, ret_text, err);
	if (r < 0)
		return r;
	lvs_config_parse(buf_text(ret_text), ret_text->size_bytes, ret_config);
	if (ret_config->member_count > left->members)
		return err_set(err, -E2BIG, "with its %zu members there are more than %zu",
			ret_config->member_count, sources->limits.members);
	left->configs_bytes -= ret_text->size_bytes;
	left->members -= ret_config->member_count;
	return 0;
}

static void source_observe(struct lvs_sources *sources, struct source *source,
	const struct ipvs_table *kernel, struct lvs_limits *left,
	struct lvs_observation *observation)
{
	cleanup_buf struct buf text = BUF_INIT(left->configs_bytes);
	cleanup_lvs_config struct lvs_config config = {.members = NULL};
	struct lvs_status *status;
	struct err err = ERR_NONE;

	if (config_read(sources, &source->id, left, &text, &config, &err) < 0) {
		/* It may have been stopped or deleted since it was listed. */
		if (!has_file(sources, &source->id, LVS_FILE_CONFIG) ||
			has_file(sources, &source->id, LVS_FILE_STOPPED))
			return;
		observation->is_partial = true;
		condition_suspect(&source->left_out, err.code, "LVS listener %s is left out: %s",
			source->id.text, err.text);
		return;
	}
	condition_clear(&source->left_out, "LVS listener %s is reported again", source->id.text);
	if (config.is_disabled)
		return;
	status = lvs_status_conclude(
		&source->id, &config, kernel, is_pending(sources, &source->id, &text));
	if (status->is_read)
		lvs_traffic_update(&source->traffic, status);
	observation->listeners[observation->listener_count++] = (struct lvs_observed){
		.status = status,
		.total = account_total(&source->traffic),
		.carried = source->traffic.settled,
	};
}

void lvs_sources_observe(
	struct lvs_sources *sources, int timeout_ms, struct lvs_observation *ret_observation)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	struct lvs_limits left = sources->limits;
	const struct ipvs_table *kernel;

	if (!sources_list(sources))
		ret_observation->is_partial = true;
	if (sources->count == 0) {
		condition_clear(&sources->unread, "there is no LVS listener any more");
		return;
	}
	kernel = kernel_read(sources, timeout_ms, &table);
	ret_observation->listeners = xcalloc(sources->count, sizeof(*ret_observation->listeners));
	for (size_t i = 0; i < sources->count; i++)
		source_observe(sources, &sources->list[i], kernel, &left, ret_observation);
}

void lvs_sources_describe(const struct lvs_sources *sources, struct buf *ret_problems)
{
	condition_describe(&sources->unlisted, ret_problems);
	condition_describe(&sources->unread, ret_problems);
	for (size_t i = 0; i < sources->count; i++)
		condition_describe(&sources->list[i].left_out, ret_problems);
}
