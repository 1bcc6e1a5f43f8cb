/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/site.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char prefix[] = "octavia-keepalivedlvs-";
static const char config_suffix[] = ".conf";

DEFINE_CLEANUP(DIR *, closedir);

char *lvs_path(const char *base_path, const struct id *listener, enum lvs_file file)
{
	static const char *const suffixes[] = {
		[LVS_FILE_CONFIG] = config_suffix,
		[LVS_FILE_CONFIG_NEW] = ".conf.new",
		[LVS_FILE_PID] = ".pid",
		[LVS_FILE_VRRP_PID] = ".vrrp.pid",
		[LVS_FILE_CHECK_PID] = ".check.pid",
		[LVS_FILE_STOPPED] = ".stopped",
		[LVS_FILE_RUNNING] = ".running",
	};

	return xformat("%s/lvs/%s%s%s", base_path, prefix, listener->text, suffixes[file]);
}

/* Whether a file name is that of a listener's config. */
static bool listener_of(const char *name, struct id *ret_listener)
{
	size_t ends = strlen(prefix) + strlen(config_suffix);
	size_t size = strlen(name);

	if (size <= ends || !text_starts_with(name, prefix) || !text_ends_with(name, config_suffix))
		return false;
	return id_parse(name + strlen(prefix), size - ends, "listener id", ret_listener, NULL) == 0;
}

static int id_compare(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->text, ((const struct id *)b)->text);
}

int lvs_listeners(const char *base_path, struct id **ret_ids, size_t *ret_count, struct err *err)
{
	cleanup_free char *path = xformat("%s/lvs", base_path);
	CLEANUP(cleanup_closedir) DIR *folder = opendir(path);
	cleanup_free struct id *ids = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!folder && errno != ENOENT)
		return err_set_errno(err, -errno, "listing folder %s", path);
	while (folder && (entry = readdir(folder))) {
		struct id listener;

		if (!listener_of(entry->d_name, &listener))
			continue;
		ids = xrealloc_array(ids, count + 1, sizeof(*ids));
		ids[count++] = listener;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), id_compare);
	*ret_ids = take_ptr(ids);
	*ret_count = count;
	return 0;
}
