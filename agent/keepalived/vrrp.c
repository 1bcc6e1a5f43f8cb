/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/vrrp.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scoped_lock.h"
#include "base/text.h"
#include "keepalived/check.h"
#include "keepalived/process.h"

static const char service_name[] = "octavia-keepalived";

/* Held by whoever changes config, marker or process. */
static pthread_mutex_t vrrp_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The files of the instance, and the process that they make. */
struct instance {
	char *config;
	char *config_new;
	char *pid_file;
	char *vrrp_pid_file;
	char *stopped;
	struct keepalived_process process;
};

static void instance_deinit(struct instance *instance)
{
	free(instance->config);
	free(instance->config_new);
	free(instance->pid_file);
	free(instance->vrrp_pid_file);
	free(instance->stopped);
}

static struct instance instance_of(const struct keepalived_site *site)
{
	struct instance instance = {
		.config = xformat("%s/vrrp/octavia-keepalived.conf", site->base_path),
		.config_new = xformat("%s/vrrp/octavia-keepalived.conf.new", site->base_path),
		.pid_file = xformat("%s/vrrp/octavia-keepalived.pid", site->base_path),
		.vrrp_pid_file = xformat("%s/vrrp/octavia-keepalived.vrrp.pid", site->base_path),
		.stopped = xformat("%s/vrrp/stopped", site->base_path),
	};

	instance.process = (struct keepalived_process){
		.service = service_name,
		.config = instance.config,
		.pid_file = instance.pid_file,
		.vrrp_pid_file = instance.vrrp_pid_file,
		/* Its health checkers want IPVS, which this config has no use for. */
		.only_vrrp = true,
	};
	return instance;
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

int vrrp_upload(const struct keepalived_site *site, const char *text, size_t size_bytes,
	struct buf *ret_output, struct err *err)
{
	CLEANUP(instance_deinit) struct instance instance = instance_of(site);
	int r;

	if (size_bytes > VRRP_CONFIG_MAX_BYTES)
		return err_set(err, -EINVAL, "VRRP configuration: larger than %d bytes",
			VRRP_CONFIG_MAX_BYTES);
	if (!has_instance(text, size_bytes))
		return err_set(err, -EBADMSG,
			"VRRP configuration: no vrrp_instance in it: keepalived has nothing to "
			"run");
	scoped_lock(&vrrp_mutex);
	/* It holds the password of the pair. */
	r = file_replace(instance.config_new, text, size_bytes, 0600, err);
	if (r == 0)
		r = keepalived_check(
			site, instance.config_new, "VRRP configuration", ret_output, err);
	if (r == 0)
		r = file_rename(instance.config_new, instance.config, err);
	if (r < 0)
		file_remove(instance.config_new, NULL);
	return r;
}

int vrrp_start(const struct keepalived_site *site, bool *ret_started, struct err *err)
{
	CLEANUP(instance_deinit) struct instance instance = instance_of(site);
	int r;

	scoped_lock(&vrrp_mutex);
	if (!file_exists(instance.config))
		return err_set(err, -ENOENT,
			"starting %s: no VRRP configuration was uploaded (PUT vrrp/upload)",
			service_name);
	r = file_remove(instance.stopped, err);
	if (r < 0)
		return r;
	return keepalived_process_reload(site, &instance.process, ret_started, err);
}

int vrrp_stop(const struct keepalived_site *site, struct err *err)
{
	CLEANUP(instance_deinit) struct instance instance = instance_of(site);
	int r;

	scoped_lock(&vrrp_mutex);
	if (!file_exists(instance.config))
		return 0;
	/* First: should we end half-way, the next agent finishes what was asked for. */
	r = file_replace(instance.stopped, "", 0, 0644, err);
	if (r < 0)
		return r;
	return keepalived_process_stop(site, &instance.process, err);
}

void vrrp_restore(const struct keepalived_site *site)
{
	CLEANUP(instance_deinit) struct instance instance = instance_of(site);
	struct err err = ERR_NONE;
	bool started = false;
	int r;

	scoped_lock(&vrrp_mutex);
	/* Of an upload that was cut short. */
	file_remove(instance.config_new, NULL);
	if (!file_exists(instance.config))
		return;
	if (file_exists(instance.stopped))
		r = keepalived_process_stop(site, &instance.process, &err);
	else
		r = keepalived_process_start(site, &instance.process, &started, &err);
	if (r < 0)
		log_error("VRRP: %s", err.text);
	else
		log_info("VRRP: found; %s", file_exists(instance.stopped) ? "stopped by request"
					    : started                     ? "started"
									  : "runs already");
}
