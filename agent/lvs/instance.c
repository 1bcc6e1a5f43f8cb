/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/id_lock.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/text.h"
#include "keepalived/check.h"
#include "keepalived/process.h"
#include "keepalived/version.h"
#include "lvs/config.h"
#include "lvs/health_scripts.h"
#include "lvs/running.h"
#include "lvs/site.h"

/*
 * At the agent's start. Starting is mostly waiting: 14 s for one that hangs, and heartbeats must be
 * back before a controller gives this amphora up, after 60 s.
 */
enum { THREADS = 20 };

struct lvs_site {
	const struct keepalived_site *keepalived;
	struct id_locks *locks;
};

int lvs_site_new(
	const struct keepalived_site *keepalived, struct lvs_site **ret_site, struct err *err)
{
	cleanup_free char *folder = xformat("%s/lvs", keepalived->base_path);
	struct lvs_site *site;
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	/* What was half written when an agent was killed. */
	directory_sweep(folder);
	site = xcalloc(1, sizeof(*site));
	site->keepalived = keepalived;
	site->locks = id_locks_new();
	*ret_site = site;
	return 0;
}

void lvs_site_free(struct lvs_site *site)
{
	if (!site)
		return;
	id_locks_free(site->locks);
	free(site);
}

const char *lvs_site_base_path(const struct lvs_site *site)
{
	return site->keepalived->base_path;
}

static char *path_of(const struct lvs_site *site, const struct id *listener, enum lvs_file file)
{
	return lvs_path(site->keepalived->base_path, listener, file);
}

/* The listener's keepalived, and the texts that it is named by. */
struct lvs_process {
	char service[SERVICE_NAME_MAX + 1];
	char *config, *pid_file, *vrrp_pid_file, *check_pid_file;
	struct keepalived_process keepalived;
};

static void process_init(
	const struct lvs_site *site, const struct id *listener, struct lvs_process *ret_process)
{
	struct lvs_process *process = ret_process;

	_Static_assert(sizeof("octavia-keepalivedlvs-") + ID_SIZE_MAX < sizeof(process->service),
		"an id must fit");
	snprintf(process->service, sizeof(process->service), "octavia-keepalivedlvs-%s",
		listener->text);
	process->config = path_of(site, listener, LVS_FILE_CONFIG);
	process->pid_file = path_of(site, listener, LVS_FILE_PID);
	process->vrrp_pid_file = path_of(site, listener, LVS_FILE_VRRP_PID);
	process->check_pid_file = path_of(site, listener, LVS_FILE_CHECK_PID);
	process->keepalived = (struct keepalived_process){
		.service = process->service,
		.config = process->config,
		.pid_file = process->pid_file,
		.vrrp_pid_file = process->vrrp_pid_file,
		.check_pid_file = process->check_pid_file,
		.overrides_namespace = true,
	};
}

static void process_deinit(struct lvs_process *process)
{
	free(process->config);
	free(process->pid_file);
	free(process->vrrp_pid_file);
	free(process->check_pid_file);
}
#define cleanup_lvs_process CLEANUP(process_deinit)

bool lvs_instance_exists(const struct lvs_site *site, const struct id *listener)
{
	cleanup_free char *path = path_of(site, listener, LVS_FILE_CONFIG);

	return file_exists(path);
}

int lvs_instance_read(const struct lvs_site *site, const struct id *listener, struct buf *ret_text,
	struct err *err)
{
	cleanup_free char *path = path_of(site, listener, LVS_FILE_CONFIG);

	return file_read(path, ret_text, err);
}

bool lvs_instance_is_running(const struct lvs_site *site, const struct id *listener)
{
	cleanup_free char *path = path_of(site, listener, LVS_FILE_PID);

	return keepalived_pid(path) != 0;
}

/* Stopped by request: not to be started at boot, and no part of the VRRP check. */
bool lvs_instance_is_stopped(const struct lvs_site *site, const struct id *listener)
{
	cleanup_free char *path = path_of(site, listener, LVS_FILE_STOPPED);

	return file_exists(path);
}

static bool serves_anything(const struct lvs_site *site, const struct id *listener)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	cleanup_lvs_config struct lvs_config config = {0};

	if (lvs_instance_read(site, listener, &text, NULL) < 0)
		return false;
	lvs_config_parse(buf_text(&text), text.size_bytes, &config);
	return config.virtual_server_count > 0;
}

enum lvs_instance_state lvs_instance_state(const struct lvs_site *site, const struct id *listener)
{
	if (lvs_instance_is_running(site, listener))
		return serves_anything(site, listener) ? LVS_INSTANCE_ACTIVE : LVS_INSTANCE_OFFLINE;
	return lvs_instance_is_stopped(site, listener) ? LVS_INSTANCE_OFFLINE : LVS_INSTANCE_ERROR;
}

struct lvs_instance *lvs_instance_acquire(struct lvs_site *site, const struct id *listener)
{
	struct lvs_instance *instance = xcalloc(1, sizeof(*instance));

	instance->site = site;
	instance->id = *listener;
	id_lock_acquire(site->locks, listener);
	return instance;
}

void lvs_instance_release(struct lvs_instance *instance)
{
	if (!instance)
		return;
	id_lock_release(instance->site->locks, &instance->id);
	free(instance);
}

static bool is_installed(const struct lvs_instance *instance, const char *text, size_t size_bytes)
{
	cleanup_buf struct buf installed = BUF_INIT(LVS_CONFIG_MAX_BYTES);

	return lvs_instance_read(instance->site, &instance->id, &installed, NULL) == 0 &&
	       installed.size_bytes == size_bytes &&
	       memcmp(buf_text(&installed), text, size_bytes) == 0;
}

int lvs_instance_check(const struct lvs_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	cleanup_free char *new = path_of(instance->site, &instance->id, LVS_FILE_CONFIG_NEW);
	cleanup_free char *what = xformat("LVS configuration of listener %s", instance->id.text);
	int r;

	if (is_installed(instance, text, size_bytes))
		return 0;
	r = file_replace_nosync(new, text, size_bytes, 0644, err);
	if (r == 0)
		r = keepalived_check(instance->site->keepalived, new, what, ret_output, err);
	file_remove(new, NULL);
	return r;
}

int lvs_instance_install(
	struct lvs_instance *instance, const char *text, size_t size_bytes, struct err *err)
{
	const char *base_path = lvs_site_base_path(instance->site);
	cleanup_free char *path = path_of(instance->site, &instance->id, LVS_FILE_CONFIG);
	int r = health_scripts_store(base_path, err);

	if (r < 0 || is_installed(instance, text, size_bytes))
		return r;
	r = lvs_running_forget(base_path, &instance->id, err);
	return r < 0 ? r : file_replace(path, text, size_bytes, 0644, err);
}

int lvs_instance_upload(struct lvs_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	int r = lvs_instance_check(instance, text, size_bytes, ret_output, err);

	return r < 0 ? r : lvs_instance_install(instance, text, size_bytes, err);
}

const char *lvs_applied_text(enum lvs_applied applied)
{
	static const char *const texts[] = {
		[LVS_APPLIED_NONE] = "none",
		[LVS_APPLIED_RELOAD] = "reload",
		[LVS_APPLIED_START] = "start",
		[LVS_APPLIED_STOP] = "stop",
	};

	return texts[applied];
}

static int marker_set(const struct lvs_site *site, const struct id *listener, struct err *err)
{
	cleanup_free char *path = path_of(site, listener, LVS_FILE_STOPPED);

	return file_exists(path) ? 0 : file_replace(path, "", 0, 0644, err);
}

static int file_forget(
	const struct lvs_site *site, const struct id *listener, enum lvs_file file, struct err *err)
{
	cleanup_free char *path = path_of(site, listener, file);

	return file_remove(path, err);
}

/* What runs takes the config up anew. *ret_started: it did not run, or was too old for a reload. */
static int process_reload(const struct lvs_site *site, const struct lvs_process *process,
	bool *ret_started, struct err *err)
{
	int r;

	if (keepalived_reload_keeps_members(site->keepalived))
		return keepalived_process_reload(
			site->keepalived, &process->keepalived, ret_started, err);
	r = keepalived_process_stop(site->keepalived, &process->keepalived, err);
	if (r == 0)
		r = keepalived_process_start(
			site->keepalived, &process->keepalived, ret_started, err);
	return r;
}

/* What cannot be remembered costs a reload next time, no more. */
static void remember(const struct lvs_site *site, const struct id *listener, const struct buf *text)
{
	struct err err = ERR_NONE;

	if (lvs_running_store(site->keepalived->base_path, listener, buf_text(text),
		    text->size_bytes, &err) < 0)
		log_warning("listener %s: %s", listener->text, err.text);
}

/* A missing program or namespace is no missing listener, which is what -ENOENT tells. */
static int process_failure(int r)
{
	return r == -ENOENT ? -EIO : r;
}

/* It runs afterwards; with reloads also with exactly what is installed. */
static int instance_run(const struct lvs_site *site, const struct id *listener, bool reloads,
	enum lvs_applied *ret_applied, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(LVS_CONFIG_MAX_BYTES);
	cleanup_lvs_process struct lvs_process process;
	bool started = false;
	int r;

	process_init(site, listener, &process);
	r = lvs_instance_read(site, listener, &text, err);
	if (r == 0)
		r = file_forget(site, listener, LVS_FILE_STOPPED, err);
	if (r < 0)
		return r;
	/* Of one that runs this tells the service manager how to start it again. */
	r = keepalived_process_start(site->keepalived, &process.keepalived, &started, err);
	if (r < 0)
		return process_failure(r);
	*ret_applied = started ? LVS_APPLIED_START : LVS_APPLIED_NONE;
	if (!started) {
		if (!reloads || lvs_running_has(site->keepalived->base_path, listener,
					buf_text(&text), text.size_bytes))
			return 0;
		r = process_reload(site, &process, &started, err);
		if (r < 0)
			return process_failure(r);
		*ret_applied = LVS_APPLIED_RELOAD;
	}
	remember(site, listener, &text);
	return 0;
}

int lvs_instance_start(
	struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err)
{
	return instance_run(instance->site, &instance->id, false, ret_applied, err);
}

int lvs_instance_reload(
	struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err)
{
	return instance_run(instance->site, &instance->id, true, ret_applied, err);
}

static int instance_stop(const struct lvs_site *site, const struct id *listener, struct err *err)
{
	cleanup_lvs_process struct lvs_process process;
	int r;

	process_init(site, listener, &process);
	if (!file_exists(process.config))
		return err_set(err, -ENOENT, "no LVS listener %s", listener->text);
	r = marker_set(site, listener, err);
	if (r == 0)
		r = keepalived_process_stop(site->keepalived, &process.keepalived, err);
	return r;
}

int lvs_instance_stop(struct lvs_instance *instance, enum lvs_applied *ret_applied, struct err *err)
{
	int r = instance_stop(instance->site, &instance->id, err);

	if (r == 0)
		*ret_applied = LVS_APPLIED_STOP;
	return r;
}

/*
 * The config goes after what it made: cut short before, it is a listener still, and can be deleted
 * again. The marker outlives it: one that was stopped must not be started again in between.
 */
static int files_remove(const struct lvs_site *site, const struct id *listener, struct err *err)
{
	static const enum lvs_file files[] = {
		LVS_FILE_CONFIG_NEW,
		LVS_FILE_PID,
		LVS_FILE_VRRP_PID,
		LVS_FILE_CHECK_PID,
		LVS_FILE_RUNNING,
		LVS_FILE_CONFIG,
		LVS_FILE_STOPPED,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = file_forget(site, listener, files[i], err);
	return r;
}

int lvs_instance_delete(struct lvs_instance *instance, struct err *err)
{
	const struct keepalived_site *keepalived = instance->site->keepalived;
	cleanup_lvs_process struct lvs_process process;
	int r;

	process_init(instance->site, &instance->id, &process);
	r = keepalived_process_stop(keepalived, &process.keepalived, err);
	if (r == 0)
		r = service_remove(keepalived->services, process.service, err);
	if (r == 0)
		r = files_remove(instance->site, &instance->id, err);
	return r;
}

static void listener_restore(struct lvs_site *site, const struct id *listener)
{
	enum lvs_applied applied = LVS_APPLIED_NONE;
	struct err err = ERR_NONE;
	int r;

	scoped_id_lock(site->locks, listener);
	if (lvs_instance_is_stopped(site, listener))
		r = instance_stop(site, listener, &err);
	else
		r = instance_run(site, listener, true, &applied, &err);
	/* Deleted by a request meanwhile. */
	if (r == -ENOENT)
		return;
	if (r < 0)
		log_error("listener %s: %s", listener->text, err.text);
	else
		log_info("listener %s: found; %s", listener->text, lvs_applied_text(applied));
}

struct restoration {
	struct lvs_site *site;
	const struct id *ids;
};

static void listener_restore_one(void *context, size_t i)
{
	struct restoration *restoration = context;

	listener_restore(restoration->site, &restoration->ids[i]);
}

void lvs_restore(struct lvs_site *site)
{
	struct restoration restoration = {.site = site};
	cleanup_free struct id *ids = NULL;
	size_t count = 0;
	struct err err = ERR_NONE;

	if (lvs_listeners(site->keepalived->base_path, &ids, &count, &err) < 0) {
		log_error("%s", err.text);
		return;
	}
	restoration.ids = ids;
	parallel_run(count, THREADS, listener_restore_one, &restoration);
}
