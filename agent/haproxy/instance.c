/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/instance.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id_lock.h"
#include "base/log.h"
#include "haproxy/intent.h"
#include "haproxy/launch.h"
#include "haproxy/traffic.h"
#include "haproxy/upload.h"

enum { NOTES_MAX_BYTES = 64 * KIB };

const char *haproxy_applied_text(enum haproxy_applied applied)
{
	static const char *const texts[] = {
		[HAPROXY_APPLIED_NONE] = "none",
		[HAPROXY_APPLIED_RUNTIME] = "runtime",
		[HAPROXY_APPLIED_RELOAD] = "reload",
		[HAPROXY_APPLIED_START] = "start",
		[HAPROXY_APPLIED_STOP] = "stop",
	};

	return texts[applied];
}

bool haproxy_instance_exists(const struct haproxy_site *site, const struct id *id)
{
	cleanup_free char *path = haproxy_site_path(site, id, HAPROXY_FILE_CONFIG);

	return file_exists(path);
}

int haproxy_instance_read(
	const struct haproxy_site *site, const struct id *id, struct buf *ret_text, struct err *err)
{
	cleanup_free char *path = haproxy_site_path(site, id, HAPROXY_FILE_CONFIG);

	return file_read(path, ret_text, err);
}

bool haproxy_instance_is_stopped(const struct haproxy_site *site, const struct id *id)
{
	cleanup_free char *marker = haproxy_site_path(site, id, HAPROXY_FILE_STOPPED);

	return file_exists(marker);
}

bool haproxy_instance_is_running(const struct haproxy_site *site, const struct id *id)
{
	return haproxy_launch_master(site, id) != 0;
}

pid_t haproxy_instance_worker(const struct haproxy_site *site, const struct id *id)
{
	return haproxy_launch_worker(site, id);
}

struct haproxy_instance *haproxy_instance_acquire(struct haproxy_site *site, const struct id *id)
{
	struct haproxy_instance *instance = xcalloc(1, sizeof(*instance));

	instance->site = site;
	instance->id = *id;
	id_lock_acquire(site->locks, id);
	return instance;
}

void haproxy_instance_release(struct haproxy_instance *instance)
{
	if (!instance)
		return;
	id_lock_release(instance->site->locks, &instance->id);
	free(instance);
}

static char *path_of(const struct haproxy_instance *instance, enum haproxy_file file)
{
	return haproxy_site_path(instance->site, &instance->id, file);
}

static int marker_remove(const struct haproxy_instance *instance, struct err *err)
{
	cleanup_free char *marker = path_of(instance, HAPROXY_FILE_STOPPED);

	return file_remove(marker, err);
}

/* Reads haproxy.cfg; -ENOENT says which load balancer is not there. */
static int config_read(
	const struct haproxy_instance *instance, struct buf *ret_text, struct err *err)
{
	int r = haproxy_instance_read(instance->site, &instance->id, ret_text, err);

	if (r == -ENOENT)
		return err_set(err, r, "there is no load balancer %s", instance->id.text);
	return r;
}

int haproxy_instance_start(struct haproxy_instance *instance, enum haproxy_applied *ret_applied,
	struct buf *ret_output, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_haproxy_intent struct haproxy_intent intent = {0};
	pid_t worker;
	int r = config_read(instance, &text, err);

	if (r < 0)
		return r;
	haproxy_intent_make(instance, buf_text(&text), text.size_bytes, &intent);
	/* What runs is left alone, whatever it runs with: a reload is another request. */
	if (intent.applied == HAPROXY_APPLIED_START)
		r = haproxy_intent_fulfil(
			instance, &intent, buf_text(&text), text.size_bytes, ret_output, err);
	else
		r = haproxy_launch_start(instance, &worker, ret_output, err);
	if (r < 0)
		return r;
	*ret_applied = intent.applied == HAPROXY_APPLIED_START ? HAPROXY_APPLIED_START
							       : HAPROXY_APPLIED_NONE;
	return marker_remove(instance, err);
}

int haproxy_instance_stop(
	struct haproxy_instance *instance, enum haproxy_applied *ret_applied, struct err *err)
{
	cleanup_free char *marker = path_of(instance, HAPROXY_FILE_STOPPED);
	bool ran = haproxy_instance_is_running(instance->site, &instance->id);
	int r;

	if (!haproxy_instance_exists(instance->site, &instance->id))
		return err_set(err, -ENOENT, "there is no load balancer %s", instance->id.text);
	/* First: after a crash between the two it must not run, and the restart sees to that. */
	r = file_replace(marker, "", 0, 0644, err);
	if (r < 0)
		return r;
	r = haproxy_launch_stop(instance, err);
	if (r < 0)
		return r;
	*ret_applied = ran ? HAPROXY_APPLIED_STOP : HAPROXY_APPLIED_NONE;
	return 0;
}

int haproxy_instance_reload(struct haproxy_instance *instance, enum haproxy_applied *ret_applied,
	struct buf *ret_output, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_haproxy_intent struct haproxy_intent intent = {0};
	int r = config_read(instance, &text, err);

	if (r < 0)
		return r;
	haproxy_intent_make(instance, buf_text(&text), text.size_bytes, &intent);
	r = haproxy_intent_fulfil(
		instance, &intent, buf_text(&text), text.size_bytes, ret_output, err);
	if (r < 0)
		return r;
	*ret_applied = intent.applied;
	return marker_remove(instance, err);
}

/* What is changed in an upload is said in the log, line by line. */
static void notes_log(const struct haproxy_instance *instance, const struct buf *notes)
{
	const char *line = buf_text(notes);

	while (line[0]) {
		int size = (int)strcspn(line, "\n");

		log_info("load balancer %s: haproxy.cfg: %.*s", instance->id.text, size, line);
		line += size + (line[size] == '\n');
	}
}

int haproxy_instance_check(struct haproxy_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	cleanup_free char *preview = path_of(instance, HAPROXY_FILE_PREVIEW);
	int r = file_replace_nosync(preview, text, size_bytes, 0600, err);

	if (r == 0)
		r = haproxy_check(instance->site, preview, ret_output, err);
	file_remove(preview, NULL);
	return r;
}

enum haproxy_applied haproxy_instance_predict(
	struct haproxy_instance *instance, const char *text, size_t size_bytes)
{
	cleanup_haproxy_intent struct haproxy_intent intent = {0};

	haproxy_intent_make(instance, text, size_bytes, &intent);
	return intent.applied;
}

int haproxy_instance_install(
	struct haproxy_instance *instance, const char *text, size_t size_bytes, struct err *err)
{
	cleanup_free char *folder = path_of(instance, HAPROXY_FILE_FOLDER);
	cleanup_free char *config = path_of(instance, HAPROXY_FILE_CONFIG);
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	if (!file_exists(config))
		haproxy_traffic_begin(instance);
	return file_replace(config, text, size_bytes, 0600, err);
}

int haproxy_instance_uninstall(struct haproxy_instance *instance, struct err *err)
{
	cleanup_free char *config = path_of(instance, HAPROXY_FILE_CONFIG);
	int r = file_remove(config, err);

	if (r == 0)
		r = haproxy_launch_remove(instance, err);
	return r < 0 ? r : marker_remove(instance, err);
}

void haproxy_instance_keep_refused(
	struct haproxy_instance *instance, const char *text, size_t size_bytes)
{
	cleanup_free char *folder = path_of(instance, HAPROXY_FILE_FOLDER);
	cleanup_free char *failed = path_of(instance, HAPROXY_FILE_CONFIG_FAILED);

	if (directory_make(folder, 0755, NULL) == 0)
		file_replace_nosync(failed, text, size_bytes, 0600, NULL);
}

int haproxy_instance_upload(struct haproxy_instance *instance, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	cleanup_free char *folder = path_of(instance, HAPROXY_FILE_FOLDER);
	cleanup_free char *config = path_of(instance, HAPROXY_FILE_CONFIG);
	cleanup_free char *new = path_of(instance, HAPROXY_FILE_CONFIG_NEW);
	cleanup_free char *failed = path_of(instance, HAPROXY_FILE_CONFIG_FAILED);
	cleanup_buf struct buf rewritten = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_buf struct buf notes = BUF_INIT(NOTES_MAX_BYTES);
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	haproxy_upload_rewrite(text, size_bytes, &rewritten, &notes);
	if (buf_error(&rewritten))
		return err_set_errno(err, buf_error(&rewritten), "haproxy.cfg");
	notes_log(instance, &notes);
	r = file_replace(new, buf_text(&rewritten), rewritten.size_bytes, 0600, err);
	if (r == 0)
		r = haproxy_check(instance->site, new, ret_output, err);
	if (r == 0 && !file_exists(config))
		haproxy_traffic_begin(instance);
	if (r == 0)
		r = file_rename(new, config, err);
	else if (r == -EBADMSG)
		file_rename(new, failed, NULL);
	if (r < 0)
		file_remove(new, NULL);
	return r;
}

int haproxy_instance_delete(struct haproxy_instance *instance, struct err *err)
{
	cleanup_free char *folder = path_of(instance, HAPROXY_FILE_FOLDER);
	cleanup_free char *deleted = path_of(instance, HAPROXY_FILE_DELETED);
	cleanup_free char *marker = path_of(instance, HAPROXY_FILE_STOPPED);
	cleanup_free char *certificates = path_of(instance, HAPROXY_FILE_CERTIFICATES);
	bool is_there = file_exists(folder);
	int r = 0;

	/* The marker keeps it from being started again by a restart in between. */
	if (is_there)
		r = file_replace(marker, "", 0, 0644, err);
	if (r == 0)
		r = haproxy_launch_remove(instance, err);
	if (r == 0)
		r = directory_remove(certificates, err);
	if (r == 0)
		r = directory_remove(deleted, err);
	/* One step makes it gone for good; what is left then is litter (haproxy/restore.h). */
	if (r == 0 && is_there)
		r = file_rename(folder, deleted, err);
	if (r == 0)
		r = directory_remove(deleted, err);
	if (r == 0)
		r = haproxy_traffic_forget(instance->site, &instance->id, err);
	return r;
}
