/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/traffic.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id_lock.h"
#include "base/log.h"
#include "base/text.h"
#include "haproxy/master.h"
#include "haproxy/stats.h"
#include "sys/procfs.h"

/* "worker PID START-TICKS": its start time tells a process from a later one with its pid. */
enum { SOURCE_MAX = 64 };

DEFINE_CLEANUP(DIR *, closedir);

static const char file_suffix[] = ".traffic.json"; /* haproxy/site.h */
static const char source_format[] = "worker %d %" PRIu64;
static const char source_read[] = "worker %d %" SCNu64;

static char *path_of(const struct haproxy_traffic *traffic, enum haproxy_file file)
{
	return haproxy_site_path(traffic->site, &traffic->id, file);
}

struct haproxy_traffic *haproxy_traffic_open(struct haproxy_site *site, const struct id *id)
{
	struct haproxy_traffic *traffic = xcalloc(1, sizeof(*traffic));
	cleanup_free char *path = haproxy_site_path(site, id, HAPROXY_FILE_TRAFFIC);
	struct err err = ERR_NONE;
	int r;

	traffic->site = site;
	traffic->id = *id;
	id_lock_acquire(site->traffic_locks, id);
	r = ledger_load(path, &traffic->ledger, &err);
	if (r < 0)
		traffic->ledger = ledger_new();
	if (r < 0 && r != -ENOENT)
		log_warning("load balancer %s: its traffic is counted from now on: %s", id->text,
			err.text);
	return traffic;
}

void haproxy_traffic_close(struct haproxy_traffic *traffic)
{
	if (!traffic)
		return;
	id_lock_release(traffic->site->traffic_locks, &traffic->id);
	ledger_free(traffic->ledger);
	free(traffic);
}

static bool has_ended(pid_t worker, uint64_t ticks)
{
	uint64_t ticks_now;

	return procfs_process_start_time(worker, &ticks_now) < 0 || ticks_now != ticks;
}

/* Whether a source is a worker that has ended. */
static bool worker_is_gone(const void *context, const char *source)
{
	uint64_t ticks;
	int pid;

	(void)context;
	return sscanf(source, source_read, &pid, &ticks) == 2 && has_ended(pid, ticks);
}

static void rows_take(
	struct haproxy_traffic *traffic, const char *source, const struct haproxy_stats *stats)
{
	for (size_t i = 0; i < stats->row_count; i++) {
		const struct haproxy_stat *row = &stats->rows[i];

		if (row->kind == HAPROXY_STAT_FRONTEND)
			ledger_read(traffic->ledger, row->proxy, source,
				&(struct traffic){
					.bytes_in = row->bytes_in,
					.bytes_out = row->bytes_out,
					.errors_request = row->errors_request,
					.sessions_total = row->sessions_total,
				},
				row->sessions);
	}
}

static int worker_read(
	struct haproxy_traffic *traffic, const char *master_socket, pid_t worker, struct err *err)
{
	/* Frontends only: members would be a megabyte that nobody looks at. */
	static const char command[] = "show stat -1 1 -1";
	cleanup_buf struct buf answer = BUF_INIT(HAPROXY_STATS_MAX_BYTES);
	struct haproxy_stats stats;
	struct err failure = ERR_NONE;
	char source[SOURCE_MAX];
	uint64_t ticks;
	int r;

	/* It may have ended since it was listed. */
	if (procfs_process_start_time(worker, &ticks) < 0)
		return 0;
	r = haproxy_master_command(master_socket, worker, command, &answer, &failure);
	/* It only starts, or ends. */
	if (r == -ESRCH)
		return 0;
	if (r == 0)
		r = haproxy_stats_parse(buf_take_text(&answer), &stats, &failure);
	if (r < 0)
		return has_ended(worker, ticks) ? 0 : err_set(err, r, "%s", failure.text);
	snprintf(source, sizeof(source), source_format, (int)worker, ticks);
	rows_take(traffic, source, &stats);
	haproxy_stats_deinit(&stats);
	return 0;
}

int haproxy_traffic_read(struct haproxy_traffic *traffic, struct err *err)
{
	cleanup_free char *master_socket = path_of(traffic, HAPROXY_FILE_MASTER_SOCKET);
	cleanup_free pid_t *workers = NULL;
	struct err failure = ERR_NONE;
	size_t count = 0;
	int r = haproxy_master_workers(master_socket, &workers, &count, &failure);

	/* Nobody listens: it does not run, by request or after a crash. */
	if (r == -ENOENT || r == -ECONNREFUSED)
		r = 0;
	if (r < 0)
		err_set(err, r, "%s", failure.text);
	for (size_t i = 0; i < count; i++) {
		int one = worker_read(traffic, master_socket, workers[i], err);

		r = one < 0 ? one : r;
	}
	ledger_settle(traffic->ledger, worker_is_gone, NULL);
	return r;
}

int haproxy_traffic_store(struct haproxy_traffic *traffic, struct err *err)
{
	cleanup_free char *path = path_of(traffic, HAPROXY_FILE_TRAFFIC);

	return ledger_store(traffic->ledger, path, err);
}

static void store_or_log(struct haproxy_traffic *traffic)
{
	struct err err = ERR_NONE;

	if (haproxy_traffic_store(traffic, &err) < 0)
		log_warning("load balancer %s: its traffic: %s", traffic->id.text, err.text);
}

void haproxy_traffic_record(const struct haproxy_instance *instance)
{
	cleanup_haproxy_traffic struct haproxy_traffic *traffic =
		haproxy_traffic_open(instance->site, &instance->id);
	struct err err = ERR_NONE;

	if (haproxy_traffic_read(traffic, &err) < 0)
		log_warning("load balancer %s: its traffic of late is not counted: %s",
			instance->id.text, err.text);
	store_or_log(traffic);
}

void haproxy_traffic_begin(const struct haproxy_instance *instance)
{
	cleanup_haproxy_traffic struct haproxy_traffic *traffic =
		haproxy_traffic_open(instance->site, &instance->id);

	store_or_log(traffic);
}

int haproxy_traffic_forget(struct haproxy_site *site, const struct id *id, struct err *err)
{
	cleanup_free char *path = haproxy_site_path(site, id, HAPROXY_FILE_TRAFFIC);

	scoped_id_lock(site->traffic_locks, id);
	return file_remove(path, err);
}

int haproxy_traffic_list(
	const struct haproxy_site *site, struct id **ret_ids, size_t *ret_count, struct err *err)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(site->base_path);
	cleanup_free struct id *ids = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!folder)
		return err_set_errno(err, -errno, "looking for ledgers in %s", site->base_path);
	while ((entry = readdir(folder))) {
		size_t id_size = strcspn(entry->d_name, ".");
		struct id id;

		if (!text_equal(entry->d_name + id_size, file_suffix) ||
			id_parse(entry->d_name, id_size, "ledger", &id, NULL) < 0)
			continue;
		ids = xrealloc_array(ids, count + 1, sizeof(*ids));
		ids[count++] = id;
	}
	*ret_ids = take_ptr(ids);
	*ret_count = count;
	return 0;
}
