/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/vrrp_check.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scoped_lock.h"
#include "haproxy/site.h"
#include "keepalived/check_script.h"
#include "lvs/site.h"

/* Whoever looks last writes last. */
static pthread_mutex_t refresh_mutex = PTHREAD_MUTEX_INITIALIZER;

struct paths {
	char **items;
	size_t count;
};

static void paths_deinit(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

/* Takes path over. */
static void paths_add(struct paths *paths, char *path)
{
	paths->items = xrealloc_array(paths->items, paths->count + 1, sizeof(*paths->items));
	paths->items[paths->count++] = path;
}

static int sockets_find(const struct haproxy_site *site, struct paths *ret_sockets, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = haproxy_site_load_balancers(site, &ids, &count, err);

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *stopped = haproxy_site_path(site, &ids[i], HAPROXY_FILE_STOPPED);

		if (!file_exists(stopped))
			paths_add(ret_sockets,
				haproxy_site_path(site, &ids[i], HAPROXY_FILE_STATS_SOCKET));
	}
	return r;
}

/* Stopped ones, and those whose config no keepalived has taken up, are no part of it. */
static bool is_part(const char *base_path, const struct id *listener)
{
	cleanup_free char *stopped = lvs_path(base_path, listener, LVS_FILE_STOPPED);
	cleanup_free char *running = lvs_path(base_path, listener, LVS_FILE_RUNNING);

	return !file_exists(stopped) && file_exists(running);
}

static int pid_files_find(const char *base_path, struct paths *ret_pid_files, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = lvs_listeners(base_path, &ids, &count, err);

	for (size_t i = 0; i < count; i++)
		if (is_part(base_path, &ids[i]))
			paths_add(ret_pid_files, lvs_path(base_path, &ids[i], LVS_FILE_PID));
	return r;
}

static int refresh(const struct deploy_site *deploy, struct err *err)
{
	const struct keepalived_site *site = deploy->keepalived;
	CLEANUP(paths_deinit) struct paths sockets = {0};
	CLEANUP(paths_deinit) struct paths pid_files = {0};
	int r = sockets_find(deploy->haproxy, &sockets, err);

	if (r == 0)
		r = pid_files_find(site->base_path, &pid_files, err);
	if (r < 0)
		return r;
	return check_script_store(site, (const char *const *)sockets.items, sockets.count,
		(const char *const *)pid_files.items, pid_files.count, err);
}

void vrrp_check_refresh(const struct deploy_site *site)
{
	struct err err = ERR_NONE;

	scoped_lock(&refresh_mutex);
	if (refresh(site, &err) < 0)
		log_error("VRRP check: %s", err.text);
}
