/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/vrrp.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "keepalived/check.h"
#include "keepalived/process.h"

static const char service_name[] = "octavia-keepalived";

/* Held by whoever changes config, marker or process. */
static pthread_mutex_t vrrp_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The files of the instance, and the process that they make. */
struct vrrp {
	const struct keepalived_site *site;
	char *config;
	char *config_new;
	char *pid_file;
	char *vrrp_pid_file;
	char *stopped;
	struct keepalived_process process;
};

static void vrrp_deinit(struct vrrp *vrrp)
{
	free(vrrp->config);
	free(vrrp->config_new);
	free(vrrp->pid_file);
	free(vrrp->vrrp_pid_file);
	free(vrrp->stopped);
}

static struct vrrp vrrp_of(const struct keepalived_site *site)
{
	struct vrrp vrrp = {
		.site = site,
		.config = xformat("%s/vrrp/octavia-keepalived.conf", site->base_path),
		.config_new = xformat("%s/vrrp/octavia-keepalived.conf.new", site->base_path),
		.pid_file = xformat("%s/vrrp/octavia-keepalived.pid", site->base_path),
		.vrrp_pid_file = xformat("%s/vrrp/octavia-keepalived.vrrp.pid", site->base_path),
		.stopped = xformat("%s/vrrp/stopped", site->base_path),
	};

	vrrp.process = (struct keepalived_process){
		.service = service_name,
		.config = vrrp.config,
		.pid_file = vrrp.pid_file,
		.vrrp_pid_file = vrrp.vrrp_pid_file,
		/* Its health checkers want IPVS, which this config has no use for. */
		.only_vrrp = true,
	};
	return vrrp;
}

int vrrp_read(const struct keepalived_site *site, struct buf *ret_text, struct err *err)
{
	CLEANUP(vrrp_deinit) struct vrrp vrrp = vrrp_of(site);

	return file_read(vrrp.config, ret_text, err);
}

bool vrrp_is_running(const struct keepalived_site *site)
{
	CLEANUP(vrrp_deinit) struct vrrp vrrp = vrrp_of(site);

	return keepalived_pid(vrrp.pid_file) != 0;
}

bool vrrp_is_stopped(const struct keepalived_site *site)
{
	CLEANUP(vrrp_deinit) struct vrrp vrrp = vrrp_of(site);

	return file_exists(vrrp.stopped);
}

struct vrrp *vrrp_acquire(const struct keepalived_site *site)
{
	struct vrrp *vrrp = xcalloc(1, sizeof(*vrrp));

	*vrrp = vrrp_of(site);
	pthread_mutex_lock(&vrrp_mutex);
	return vrrp;
}

void vrrp_release(struct vrrp *vrrp)
{
	if (!vrrp)
		return;
	pthread_mutex_unlock(&vrrp_mutex);
	vrrp_deinit(vrrp);
	free(vrrp);
}

/* Whether a line opens a VRRP instance. Without one keepalived is content, and does nothing. */
static bool has_instance(const char *text, size_t size_bytes)
{
	static const char keyword[] = "vrrp_instance";
	const char *end = text + size_bytes;

	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t line_bytes = (size_t)((line_end ? line_end : end) - text);
		size_t trimmed_bytes;
		const char *line = text_trim(text, line_bytes, &trimmed_bytes);

		if (trimmed_bytes >= strlen(keyword) && memcmp(line, keyword, strlen(keyword)) == 0)
			return true;
		text += line_bytes + 1;
	}
	return false;
}

int vrrp_check_config(const struct vrrp *vrrp, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	int r;

	if (size_bytes > VRRP_CONFIG_MAX_BYTES)
		return err_set(err, -EINVAL, "VRRP configuration: larger than %d bytes",
			VRRP_CONFIG_MAX_BYTES);
	if (!has_instance(text, size_bytes))
		return err_set(err, -EBADMSG,
			"VRRP configuration: no vrrp_instance in it: keepalived has nothing to "
			"run");
	/* It holds the password of the pair. */
	r = file_replace_nosync(vrrp->config_new, text, size_bytes, 0600, err);
	if (r == 0)
		r = keepalived_check(
			vrrp->site, vrrp->config_new, "VRRP configuration", ret_output, err);
	file_remove(vrrp->config_new, NULL);
	return r;
}

int vrrp_install(struct vrrp *vrrp, const char *text, size_t size_bytes, struct err *err)
{
	return file_replace(vrrp->config, text, size_bytes, 0600, err);
}

int vrrp_upload(struct vrrp *vrrp, const char *text, size_t size_bytes, struct buf *ret_output,
	struct err *err)
{
	int r = vrrp_check_config(vrrp, text, size_bytes, ret_output, err);

	return r < 0 ? r : vrrp_install(vrrp, text, size_bytes, err);
}

int vrrp_start(struct vrrp *vrrp, bool *ret_started, struct err *err)
{
	int r;

	if (!file_exists(vrrp->config))
		return err_set(err, -ENOENT,
			"starting %s: no VRRP configuration was uploaded (PUT vrrp/upload)",
			service_name);
	r = file_remove(vrrp->stopped, err);
	if (r < 0)
		return r;
	return keepalived_process_reload(vrrp->site, &vrrp->process, ret_started, err);
}

int vrrp_stop(struct vrrp *vrrp, struct err *err)
{
	int r;

	if (!file_exists(vrrp->config))
		return 0;
	/* First: should we end half-way, the next agent finishes what was asked for. */
	r = file_replace(vrrp->stopped, "", 0, 0644, err);
	if (r < 0)
		return r;
	return keepalived_process_stop(vrrp->site, &vrrp->process, err);
}

/* The marker goes last: cut short before, it is stopped and can be deleted again. */
static int files_remove(const struct vrrp *vrrp, struct err *err)
{
	const char *const files[] = {
		vrrp->config_new, vrrp->pid_file, vrrp->vrrp_pid_file, vrrp->config, vrrp->stopped};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = file_remove(files[i], err);
	return r;
}

int vrrp_delete(struct vrrp *vrrp, struct err *err)
{
	int r = vrrp_stop(vrrp, err);

	if (r == 0)
		r = service_remove(vrrp->site->services, service_name, err);
	if (r == 0)
		r = files_remove(vrrp, err);
	return r;
}

void vrrp_restore(const struct keepalived_site *site)
{
	cleanup_vrrp struct vrrp *vrrp = vrrp_acquire(site);
	struct err err = ERR_NONE;
	bool started = false;
	int r;

	/* Of an upload that was cut short. */
	file_remove(vrrp->config_new, NULL);
	if (!file_exists(vrrp->config))
		return;
	if (file_exists(vrrp->stopped))
		r = keepalived_process_stop(site, &vrrp->process, &err);
	else
		r = keepalived_process_start(site, &vrrp->process, &started, &err);
	if (r < 0)
		log_error("VRRP: %s", err.text);
	else
		log_info("VRRP: found; %s", file_exists(vrrp->stopped) ? "stopped by request"
					    : started                  ? "started"
								       : "runs already");
}
