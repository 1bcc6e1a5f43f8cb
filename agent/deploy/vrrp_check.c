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

/* Of haproxy-vrrp-check. */
struct arguments {
	char **items;
	size_t count;
};

static void arguments_deinit(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free(arguments->items[i]);
	free(arguments->items);
}

/* Takes item over. */
static void arguments_add(struct arguments *arguments, char *item)
{
	arguments->items =
		xrealloc_array(arguments->items, arguments->count + 1, sizeof(*arguments->items));
	arguments->items[arguments->count++] = item;
}

/* Whether it answers, and serves all of its listeners. */
static void haproxy_ask(
	const struct haproxy_site *site, const struct id *id, struct arguments *arguments)
{
	cleanup_free char *partial = haproxy_site_path(site, id, HAPROXY_FILE_PARTIAL);

	arguments_add(arguments, haproxy_site_path(site, id, HAPROXY_FILE_STATS_SOCKET));
	arguments_add(arguments, xformat("--unless=%s", partial));
}

static int haproxys_ask(
	const struct haproxy_site *site, struct arguments *arguments, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = haproxy_site_load_balancers(site, &ids, &count, err);

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *stopped = haproxy_site_path(site, &ids[i], HAPROXY_FILE_STOPPED);

		if (!file_exists(stopped))
			haproxy_ask(site, &ids[i], arguments);
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

static int lvs_listeners_ask(const char *base_path, struct arguments *arguments, struct err *err)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	int r = lvs_listeners(base_path, &ids, &count, err);

	for (size_t i = 0; i < count; i++) {
		cleanup_free char *pid_file = lvs_path(base_path, &ids[i], LVS_FILE_PID);

		if (is_part(base_path, &ids[i]))
			arguments_add(arguments, xformat("--pid-file=%s", pid_file));
	}
	return r;
}

static int refresh(const struct deploy_site *deploy, struct err *err)
{
	const struct keepalived_site *site = deploy->keepalived;
	CLEANUP(arguments_deinit) struct arguments arguments = {0};
	int r = haproxys_ask(deploy->haproxy, &arguments, err);

	if (r == 0)
		r = lvs_listeners_ask(site->base_path, &arguments, err);
	if (r < 0)
		return r;
	return check_script_store(site, (const char *const *)arguments.items, arguments.count, err);
}

void vrrp_check_refresh(const struct deploy_site *site)
{
	struct err err = ERR_NONE;

	scoped_lock(&refresh_mutex);
	if (refresh(site, &err) < 0)
		log_error("VRRP check: %s", err.text);
}
