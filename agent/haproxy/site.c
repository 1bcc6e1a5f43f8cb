/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/site.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/id_lock.h"
#include "render/peer_name.h"
#include "sys/installation.h"

DEFINE_CLEANUP(DIR *, closedir);
DEFINE_CLEANUP(struct haproxy_site *, haproxy_site_free);

/* Of the length that a controller's ids have. */
static int socket_paths_check(const struct haproxy_site *site, struct err *err)
{
	static const struct id uuid = {.text = "00000000-0000-0000-0000-000000000000"};
	static const enum haproxy_file sockets[] = {
		HAPROXY_FILE_MASTER_SOCKET,
		HAPROXY_FILE_STATS_SOCKET,
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		cleanup_free char *path = haproxy_site_path(site, &uuid, sockets[i]);
		int r = haproxy_socket_path_check(path, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int haproxy_site_new(const struct settings *settings, struct service_manager *services,
	struct haproxy_site **ret_site, struct err *err)
{
	CLEANUP(cleanup_haproxy_site_free) struct haproxy_site *site = xcalloc(1, sizeof(*site));
	int r;

	site->base_path = xstrdup(settings->base_path);
	site->base_cert_dir = xstrdup(settings->base_cert_dir);
	site->runtime_dir = xstrdup(settings->runtime_dir);
	site->haproxy_cmd = xstrdup(settings->haproxy_cmd);
	site->network_namespace = xstrdup(settings->network_namespace);
	site->user_log_facility = settings->user_log_facility;
	site->administrative_log_facility = settings->administrative_log_facility;
	site->prometheus_port = settings->prometheus_port;
	site->prometheus_exporter_port = (in_port_t)settings->prometheus_exporter_port;
	site->members_start_down = settings->members_start_down;
	site->peer_name = peer_name_of(&settings->amphora_id);
	site->services = services;
	site->locks = id_locks_new();
	site->traffic_locks = id_locks_new();
	r = installation_find_templates(settings->template_dir, &site->template_dir, err);
	if (r < 0)
		return r;
	r = socket_paths_check(site, err);
	if (r < 0)
		return r;
	r = directory_make(site->base_path, 0755, err);
	if (r < 0)
		return r;
	/* What was half written when an agent was killed. */
	directory_sweep(site->base_path);
	r = directory_make(site->base_cert_dir, 0700, err);
	if (r < 0)
		return r;
	r = directory_make(site->runtime_dir, 0755, err);
	if (r < 0)
		return r;
	*ret_site = take_ptr(site);
	return 0;
}

void haproxy_site_free(struct haproxy_site *site)
{
	if (!site)
		return;
	free(site->base_path);
	free(site->base_cert_dir);
	free(site->runtime_dir);
	free(site->haproxy_cmd);
	free(site->network_namespace);
	free(site->template_dir);
	free(site->peer_name);
	id_locks_free(site->locks);
	id_locks_free(site->traffic_locks);
	free(site);
}

char *haproxy_site_path(
	const struct haproxy_site *site, const struct id *id, enum haproxy_file file)
{
	const char *base = site->base_path;
	const char *runtime = site->runtime_dir;
	const char *lb = id->text;

	switch (file) {
	case HAPROXY_FILE_FOLDER:
		return xformat("%s/%s", base, lb);
	case HAPROXY_FILE_DELETED:
		return xformat("%s/.%s.deleted", base, lb);
	case HAPROXY_FILE_CONFIG:
		return xformat("%s/%s/haproxy.cfg", base, lb);
	case HAPROXY_FILE_CONFIG_NEW:
		return xformat("%s/%s/haproxy.cfg.new", base, lb);
	case HAPROXY_FILE_CONFIG_FAILED:
		return xformat("%s/%s/haproxy.cfg.new-failed", base, lb);
	case HAPROXY_FILE_PID:
		return xformat("%s/%s/%s.pid", base, lb, lb);
	case HAPROXY_FILE_SERVERS_STATE:
		return xformat("%s/%s/servers-state", base, lb);
	case HAPROXY_FILE_TRAFFIC:
		return xformat("%s/%s.traffic.json", base, lb);
	case HAPROXY_FILE_STOPPED:
		return xformat("%s/%s/stopped", base, lb);
	case HAPROXY_FILE_STATS_SOCKET:
		return xformat("%s/%s.sock", base, lb);
	case HAPROXY_FILE_CERTIFICATES:
		return xformat("%s/%s", site->base_cert_dir, lb);
	case HAPROXY_FILE_MASTER_SOCKET:
		return xformat("%s/%s.master.sock", runtime, lb);
	case HAPROXY_FILE_RUNNING:
		return xformat("%s/%s.running", runtime, lb);
	case HAPROXY_FILE_PARTIAL:
		return xformat("%s/%s.partial.cfg", runtime, lb);
	case HAPROXY_FILE_PREVIEW:
		return xformat("%s/%s.preview.cfg", runtime, lb);
	case HAPROXY_FILE_OUTPUT:
		break;
	}
	return xformat("%s/%s.output", runtime, lb);
}

char *haproxy_site_own_config_path(const struct haproxy_site *site)
{
	return xformat("%s/haproxy-default-user-group.conf", site->base_path);
}

char *haproxy_site_check_config_path(const struct haproxy_site *site)
{
	return xformat("%s/haproxy-check.cfg", site->runtime_dir);
}

int haproxy_socket_path_check(const char *path, struct err *err)
{
	if (strlen(path) <= HAPROXY_SOCKET_PATH_MAX)
		return 0;
	return err_set(err, -ENAMETOOLONG,
		"socket %s: the path has %zu bytes, HAProxy can bind %d; choose a shorter "
		"runtime_dir or base_path",
		path, strlen(path), HAPROXY_SOCKET_PATH_MAX);
}

static int id_compare(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->text, ((const struct id *)b)->text);
}

int haproxy_site_load_balancers(
	const struct haproxy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(site->base_path);
	cleanup_free struct id *ids = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!folder)
		return err_set_errno(
			err, -errno, "looking for load balancers in %s", site->base_path);
	while ((entry = readdir(folder))) {
		cleanup_free char *config = NULL;
		struct id id;

		if (id_parse(entry->d_name, strlen(entry->d_name), "folder", &id, NULL) < 0)
			continue;
		config = haproxy_site_path(site, &id, HAPROXY_FILE_CONFIG);
		if (!file_exists(config))
			continue;
		ids = xrealloc_array(ids, count + 1, sizeof(*ids));
		ids[count++] = id;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), id_compare);
	*ret_ids = take_ptr(ids);
	*ret_count = count;
	return 0;
}
