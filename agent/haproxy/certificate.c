/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/certificate.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "haproxy/config.h"

DEFINE_CLEANUP(DIR *, closedir);

enum {
	CERTIFICATE_MAX_BYTES = 16 * MIB,
	/* An upload that no config names yet is left alone for so long. */
	UNREFERENCED_S = 60 * 60,
};

static char *certificate_path(
	const struct haproxy_site *site, const struct id *id, const struct certificate_name *name)
{
	cleanup_free char *folder = haproxy_site_path(site, id, HAPROXY_FILE_CERTIFICATES);

	return xformat("%s/%s", folder, name->text);
}

int haproxy_certificate_store(struct haproxy_instance *instance,
	const struct certificate_name *name, const char *data, size_t size_bytes, struct err *err)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_CERTIFICATES);
	cleanup_free char *path = certificate_path(instance->site, &instance->id, name);
	int r = directory_make(folder, 0700, err);

	if (r < 0)
		return r;
	return file_replace(path, data, size_bytes, 0600, err);
}

int haproxy_certificate_md5(const struct haproxy_site *site, const struct id *id,
	const struct certificate_name *name, char ret_hex[static MD5_HEX_SIZE + 1], struct err *err)
{
	cleanup_free char *path = certificate_path(site, id, name);
	cleanup_buf struct buf content = BUF_INIT(CERTIFICATE_MAX_BYTES);
	int r = file_read(path, &content, err);

	if (r < 0)
		return r;
	digest_md5_hex(buf_text(&content), content.size_bytes, ret_hex);
	return 0;
}

int haproxy_certificate_delete(
	struct haproxy_instance *instance, const struct certificate_name *name, struct err *err)
{
	cleanup_free char *path = certificate_path(instance->site, &instance->id, name);

	return file_remove(path, err);
}

/* A file in the folder, while it is decided what of it goes. */
struct candidate {
	char *path;
	struct certificate_name name;
	time_t changed_s;
	bool referenced;
};

struct candidates {
	struct candidate *items;
	size_t count;
};

static void candidates_deinit(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++)
		free(candidates->items[i].path);
	free(candidates->items);
}

static void candidates_list(const char *folder, struct candidates *ret_candidates)
{
	CLEANUP(cleanup_closedir) DIR *listing = opendir(folder);
	struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		cleanup_free char *path = xformat("%s/%s", folder, entry->d_name);
		struct candidate candidate = {0};
		struct stat status;

		if (certificate_name_parse(
			    entry->d_name, strlen(entry->d_name), &candidate.name, NULL) < 0 ||
			lstat(path, &status) < 0 || !S_ISREG(status.st_mode))
			continue;
		candidate.path = take_ptr(path);
		candidate.changed_s = status.st_mtime;
		ret_candidates->items = xrealloc_array(ret_candidates->items,
			ret_candidates->count + 1, sizeof(*ret_candidates->items));
		ret_candidates->items[ret_candidates->count++] = candidate;
	}
}

static int mark_by_configs(struct candidates *candidates, const struct haproxy_site *site,
	const char *folder, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = haproxy_site_load_balancers(site, &ids, &count, err);

	if (r < 0)
		return r;
	for (size_t lb = 0; lb < count; lb++) {
		cleanup_buf struct buf config = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);

		r = haproxy_instance_read(site, &ids[lb], &config, err);
		/* Deleted meanwhile. */
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		for (size_t i = 0; i < candidates->count; i++)
			if (haproxy_config_mentions(buf_text(&config), config.size_bytes, folder,
				    candidates->items[i].name.text))
				candidates->items[i].referenced = true;
	}
	return 0;
}

/* What a crt-list names is referenced if the list is. Only lists hold names that end in .pem. */
static int mark_by_lists(struct candidates *candidates, struct err *err)
{
	for (size_t list = 0; list < candidates->count; list++) {
		cleanup_buf struct buf content = BUF_INIT(CERTIFICATE_MAX_BYTES);
		int r;

		if (!candidates->items[list].referenced)
			continue;
		r = file_read(candidates->items[list].path, &content, err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < candidates->count; i++)
			if (strstr(buf_text(&content), candidates->items[i].name.text))
				candidates->items[i].referenced = true;
	}
	return 0;
}

static bool is_due(const struct candidate *candidate, const char *files_before)
{
	cleanup_free char *line_end = xformat(" %s\n", candidate->path);

	return !candidate->referenced &&
	       (strstr(files_before, line_end) ||
		       candidate->changed_s + UNREFERENCED_S < time(NULL));
}

void haproxy_certificate_prune(struct haproxy_instance *instance, const char *files_before)
{
	cleanup_free char *folder =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_CERTIFICATES);
	CLEANUP(candidates_deinit) struct candidates candidates = {0};
	struct err err = ERR_NONE;
	int r;

	candidates_list(folder, &candidates);
	r = mark_by_configs(&candidates, instance->site, folder, &err);
	if (r == 0)
		r = mark_by_lists(&candidates, &err);
	/* Whatever is not read may name any of them. */
	if (r < 0) {
		log_warning("load balancer %s: no unused certificate is removed: %s",
			instance->id.text, err.text);
		return;
	}
	for (size_t i = 0; i < candidates.count; i++) {
		if (!is_due(&candidates.items[i], files_before))
			continue;
		if (file_remove(candidates.items[i].path, &err) < 0)
			log_warning("load balancer %s: %s", instance->id.text, err.text);
		else
			log_info("load balancer %s: nothing refers to %s any more; removed",
				instance->id.text, candidates.items[i].name.text);
	}
}
