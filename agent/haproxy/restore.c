/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/restore.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/text.h"
#include "haproxy/instance.h"
#include "haproxy/server_state.h"

/* Starting is mostly waiting for HAProxy, which has its own work to do. */
enum { THREADS = 4 };

DEFINE_CLEANUP(DIR *, closedir);

struct restoration {
	struct haproxy_site *site;
	const struct id *ids;
	atomic_size_t failed;
};

/*
 * What a reload that our predecessor did not see the end of was to hand over: old by the time when
 * another process starts.
 */
static void state_forget(const struct haproxy_instance *instance)
{
	struct err err = ERR_NONE;

	if (haproxy_server_state_reset(instance, &err) < 0)
		log_warning("load balancer %s: %s", instance->id.text, err.text);
}

/* What was half written when the agent was killed: a certificate's key may be among it. */
static void folders_sweep(const struct haproxy_site *site, const struct id *id)
{
	cleanup_free char *folder = haproxy_site_path(site, id, HAPROXY_FILE_FOLDER);
	cleanup_free char *certificates = haproxy_site_path(site, id, HAPROXY_FILE_CERTIFICATES);

	directory_sweep(folder);
	directory_sweep(certificates);
}

static int load_balancer_restore(struct haproxy_site *site, const struct id *id)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site, id);
	cleanup_free char *marker = haproxy_site_path(site, id, HAPROXY_FILE_STOPPED);
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	enum haproxy_applied applied;
	struct err err = ERR_NONE;
	int r;

	folders_sweep(site, id);
	if (file_exists(marker))
		r = haproxy_instance_stop(instance, &applied, &err);
	else
		r = haproxy_instance_start(instance, &applied, &output, &err);
	if (r == 0)
		state_forget(instance);
	/* Deleted by a request meanwhile. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		log_error("load balancer %s: %s%s%s", id->text, err.text,
			output.size_bytes ? "; it says: " : "", buf_text(&output));
	else
		log_info("load balancer %s: found; %s", id->text, haproxy_applied_text(applied));
	return r;
}

static void load_balancer_restore_one(void *context, size_t i)
{
	struct restoration *restoration = context;

	if (load_balancer_restore(restoration->site, &restoration->ids[i]) < 0)
		atomic_fetch_add(&restoration->failed, 1);
}

/* Folders of load balancers whose deletion was cut short: they are gone but for the bytes. */
static void deletions_finish(const struct haproxy_site *site)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(site->base_path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		cleanup_free char *path = xformat("%s/%s", site->base_path, entry->d_name);
		struct err err = ERR_NONE;

		if (entry->d_name[0] != '.' || !text_ends_with(entry->d_name, ".deleted"))
			continue;
		if (directory_remove(path, &err) < 0)
			log_warning("%s", err.text);
	}
}

size_t haproxy_restore_all(struct haproxy_site *site)
{
	struct restoration restoration = {.site = site};
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	struct err err = ERR_NONE;

	deletions_finish(site);
	if (haproxy_site_load_balancers(site, &ids, &count, &err) < 0) {
		log_error("%s", err.text);
		return 0;
	}
	restoration.ids = ids;
	parallel_run(count, THREADS, load_balancer_restore_one, &restoration);
	return restoration.failed;
}
