/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/undo_log.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

DEFINE_CLEANUP(DIR *, closedir);

static const char config_suffix[] = ".conf";
static const char none_suffix[] = ".none";
static const char stopped_suffix[] = ".stopped";

/* In the order in which they are acquired. */
static const struct part_kind *const kinds[] = {&part_haproxy, &part_lvs, &part_vrrp};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static char *log_path(
	const struct deploy_site *site, const struct id *load_balancer, const char *suffix)
{
	cleanup_free char *folder =
		haproxy_site_path(site->haproxy, load_balancer, HAPROXY_FILE_FOLDER);

	return xformat("%s/before%s", folder, suffix);
}

static int state_store(const char *folder, const struct part *part, struct err *err)
{
	const struct part_state *state = &part->before;
	cleanup_free char *name = xformat("%s/%s-%s", folder, part->kind->name, part->id.text);
	cleanup_free char *config =
		xformat("%s%s", name, state->is_installed ? config_suffix : none_suffix);
	cleanup_free char *stopped = xformat("%s%s", name, stopped_suffix);
	/* A VRRP config holds a password. */
	int r = file_replace(config, buf_text(&state->text), state->text.size_bytes, 0600, err);

	if (r == 0 && state->is_stopped)
		r = file_replace(stopped, "", 0, 0600, err);
	return r;
}

int undo_log_remove(const struct deploy_site *site, const struct id *load_balancer, struct err *err)
{
	cleanup_free char *path = log_path(site, load_balancer, "");
	cleanup_free char *new = log_path(site, load_balancer, ".new");
	int r;

	if (!file_exists(path))
		return 0;
	r = directory_remove(new, err);
	if (r == 0)
		r = file_rename(path, new, err);
	/* Litter from now on, which the next one removes. */
	if (r == 0)
		directory_remove(new, NULL);
	return r;
}

int undo_log_store(const struct deploy_site *site, const struct id *load_balancer,
	const struct parts *parts, struct err *err)
{
	cleanup_free char *path = log_path(site, load_balancer, "");
	cleanup_free char *new = log_path(site, load_balancer, ".new");
	bool changes_anything = false;
	/* One that is there could not be removed when it was done with. */
	int r = undo_log_remove(site, load_balancer, err);

	if (r == 0)
		r = directory_remove(new, err);

	for (size_t i = 0; r == 0 && i < parts->count; i++) {
		const struct part *part = &parts->items[i];

		if (!part->changes)
			continue;
		if (!changes_anything)
			r = directory_make(new, 0700, err);
		changes_anything = true;
		if (r == 0)
			r = state_store(new, part, err);
	}
	if (r == 0 && changes_anything)
		r = file_rename(new, path, err);
	return r;
}

int undo_log_find(
	const struct deploy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err)
{
	const char *base_path = site->haproxy->base_path;
	CLEANUP(cleanup_closedir) DIR *folder = opendir(base_path);
	cleanup_free struct id *ids = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!folder)
		return err_set_errno(err, -errno, "listing folder %s", base_path);
	while ((entry = readdir(folder))) {
		cleanup_free char *path = NULL;
		struct id id;

		if (id_parse(entry->d_name, strlen(entry->d_name), "load balancer id", &id, NULL) <
			0)
			continue;
		path = log_path(site, &id, "");
		if (!file_exists(path))
			continue;
		ids = xrealloc_array(ids, count + 1, sizeof(*ids));
		ids[count++] = id;
	}
	*ret_ids = take_ptr(ids);
	*ret_count = count;
	return 0;
}

/* A part as a file name tells it. */
struct entry {
	size_t rank; /* in kinds */
	struct id id;
};

/* "lvs-L.conf", "lvs-L.none"; false for any other name. */
static bool entry_parse(const char *name, struct entry *ret_entry)
{
	size_t end = strlen(name);

	if (!text_ends_with(name, config_suffix) && !text_ends_with(name, none_suffix))
		return false;
	end -= strlen(config_suffix);
	for (size_t i = 0; i < KINDS; i++) {
		size_t start = strlen(kinds[i]->name);

		if (!text_starts_with(name, kinds[i]->name) || name[start] != '-')
			continue;
		ret_entry->rank = i;
		return id_parse(name + start + 1, end - start - 1, "id", &ret_entry->id, NULL) == 0;
	}
	return false;
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *entry_a = a, *entry_b = b;

	if (entry_a->rank != entry_b->rank)
		return entry_a->rank < entry_b->rank ? -1 : 1;
	return strcmp(entry_a->id.text, entry_b->id.text);
}

static int entries_list(
	const char *path, struct entry **ret_entries, size_t *ret_count, struct err *err)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(path);
	cleanup_free struct entry *entries = NULL;
	struct dirent *found;
	size_t count = 0;

	if (!folder)
		return err_set_errno(err, -errno, "listing folder %s", path);
	while ((found = readdir(folder))) {
		struct entry entry;

		if (!entry_parse(found->d_name, &entry))
			continue;
		entries = xrealloc_array(entries, count + 1, sizeof(*entries));
		entries[count++] = entry;
	}
	if (count > 0)
		qsort(entries, count, sizeof(*entries), entry_compare);
	*ret_entries = take_ptr(entries);
	*ret_count = count;
	return 0;
}

/* Into the state before. */
static int state_load(const char *folder, struct part *part, struct err *err)
{
	struct part_state *state = &part->before;
	cleanup_free char *name = xformat("%s/%s-%s", folder, part->kind->name, part->id.text);
	cleanup_free char *config = xformat("%s%s", name, config_suffix);
	cleanup_free char *stopped = xformat("%s%s", name, stopped_suffix);

	part->changes = true;
	state->is_installed = file_exists(config);
	state->is_stopped = file_exists(stopped);
	buf_clear(&state->text);
	return state->is_installed ? file_read(config, &state->text, err) : 0;
}

int undo_log_load(const struct deploy_site *site, struct haproxy_instance *instance,
	struct parts *ret_parts, struct err *err)
{
	cleanup_free char *path = log_path(site, &instance->id, "");
	cleanup_free struct entry *entries = NULL;
	cleanup_parts struct parts parts = {NULL};
	size_t count = 0;
	int r = entries_list(path, &entries, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct part_kind *kind = kinds[entries[i].rank];

		r = parts_add(&parts, kind, site, &entries[i].id,
			kind == &part_haproxy ? instance : NULL, err);
		if (r == 0)
			r = state_load(path, &parts.items[i], err);
	}
	if (r < 0)
		return r;
	*ret_parts = parts;
	parts = (struct parts){NULL};
	return 0;
}
