/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/running.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "haproxy/references.h"
#include "sys/procfs.h"

enum {
	FILES_MAX_BYTES = MIB,
	OWN_CONFIG_MAX_BYTES = 64 * KIB,
	RECORD_MAX_BYTES = HAPROXY_CONFIG_MAX_BYTES + FILES_MAX_BYTES + KIB,
};

/* "worker PID, started at TICKS; FILES_SIZE bytes of files, then the config\n" */
static const char header_write[] = "worker %d, started at %llu; %zu bytes of files, then the "
				   "config\n";
static const char header_read[] = "worker %d, started at %llu; %zu bytes of files, then the "
				  "config%n";

static const struct haproxy_running nothing = {
	.config = {.max_bytes = HAPROXY_CONFIG_MAX_BYTES},
	.files = {.max_bytes = FILES_MAX_BYTES},
};

void haproxy_running_deinit(struct haproxy_running *running)
{
	buf_deinit(&running->config);
	buf_deinit(&running->files);
}

int haproxy_running_observe(const struct haproxy_instance *instance, const char *text,
	size_t size_bytes, struct haproxy_running *ret_running, struct err *err)
{
	cleanup_free char *own_config = haproxy_site_own_config_path(instance->site);
	cleanup_free char *state =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_SERVERS_STATE);
	cleanup_buf struct buf own_text = BUF_INIT(OWN_CONFIG_MAX_BYTES);
	cleanup_haproxy_running struct haproxy_running running = nothing;
	int r = file_read(own_config, &own_text, err);

	if (r < 0)
		return r;
	buf_append(&running.files, buf_text(&own_text), own_text.size_bytes);
	r = haproxy_references_digest(text, size_bytes, state, &running.files, err);
	if (r < 0)
		return r;
	buf_append(&running.config, text, size_bytes);
	if (buf_error(&running.config))
		return err_set_errno(err, buf_error(&running.config), "remembering the config");
	*ret_running = running;
	running = nothing;
	return 0;
}

static char *record_path(const struct haproxy_instance *instance)
{
	return haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_RUNNING);
}

/* Takes a record apart; -EBADMSG when it is none, or another process's. */
static int record_parse(const struct buf *record, pid_t worker, uint64_t worker_started,
	struct haproxy_running *ret_running)
{
	const char *text = buf_text(record);
	unsigned long long started;
	size_t files_size;
	int header_size = 0;
	int pid;

	if (sscanf(text, header_read, &pid, &started, &files_size, &header_size) != 3 ||
		header_size == 0 || pid != worker || started != worker_started ||
		record->size_bytes < (size_t)header_size + 1 ||
		record->size_bytes - (size_t)header_size - 1 < files_size)
		return -EBADMSG;
	text += header_size + 1;
	*ret_running = nothing;
	buf_append(&ret_running->files, text, files_size);
	text += files_size;
	buf_append(
		&ret_running->config, text, record->size_bytes - (size_t)(text - buf_text(record)));
	return 0;
}

int haproxy_running_load(const struct haproxy_instance *instance, pid_t worker,
	struct haproxy_running *ret_running, struct err *err)
{
	cleanup_free char *path = record_path(instance);
	cleanup_buf struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	uint64_t started;
	int r = file_read(path, &record, err);

	if (r < 0)
		return r;
	if (procfs_process_start_time(worker, &started) < 0 ||
		record_parse(&record, worker, started, ret_running) < 0)
		return err_set(err, -ENOENT, "%s is not worker %d's", path, (int)worker);
	return 0;
}

int haproxy_running_store(const struct haproxy_instance *instance, pid_t worker,
	const struct haproxy_running *running, struct err *err)
{
	cleanup_free char *path = record_path(instance);
	cleanup_buf struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	uint64_t started;
	int r = procfs_process_start_time(worker, &started);

	if (r < 0)
		return err_set_errno(err, r, "remembering what worker %d runs with", (int)worker);
	buf_append_format(&record, header_write, (int)worker, (unsigned long long)started,
		running->files.size_bytes);
	buf_append(&record, buf_text(&running->files), running->files.size_bytes);
	buf_append(&record, buf_text(&running->config), running->config.size_bytes);
	return file_replace_nosync(path, buf_text(&record), record.size_bytes, 0600, err);
}

int haproxy_running_forget(const struct haproxy_instance *instance, struct err *err)
{
	cleanup_free char *path = record_path(instance);

	return file_remove(path, err);
}
