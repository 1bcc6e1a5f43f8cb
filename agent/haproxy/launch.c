/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "haproxy/master.h"
#include "haproxy/partial.h"
#include "haproxy/traffic.h"
#include "sys/procfs.h"
#include "sys/service.h"

enum {
	START_TIMEOUT_MS = 25 * 1000,
	RELOAD_TIMEOUT_MS = 25 * 1000,
	/* How often it is looked whether the process that is waited for is still the same. */
	WATCH_STEP_MS = 100,
	/* A master that has not answered for so long has lost its socket. */
	SOCKET_LOST_MS = 2000,
	OUTPUT_LARGE_BYTES = MIB,
};

/* "haproxy-LB", as the reference agent names the unit. */
struct service_name {
	char text[SERVICE_NAME_MAX + 1];
};

static struct service_name service_name(const struct id *id)
{
	struct service_name name;

	_Static_assert(sizeof("haproxy-") + ID_SIZE_MAX < sizeof(name.text), "an id must fit");
	snprintf(name.text, sizeof(name.text), "haproxy-%s", id->text);
	return name;
}

pid_t haproxy_launch_master(const struct haproxy_site *site, const struct id *id)
{
	return service_pid(site->services, service_name(id).text);
}

pid_t haproxy_launch_worker(const struct haproxy_site *site, const struct id *id)
{
	cleanup_free char *master_socket = haproxy_site_path(site, id, HAPROXY_FILE_MASTER_SOCKET);
	struct haproxy_processes processes;

	if (haproxy_launch_master(site, id) == 0 ||
		haproxy_master_processes(master_socket, &processes, NULL) < 0)
		return 0;
	return processes.worker;
}

static void output_empty(const struct haproxy_site *site, const struct id *id)
{
	cleanup_free char *path = haproxy_site_path(site, id, HAPROXY_FILE_OUTPUT);

	/* HAProxy appends: it goes on at the new end. */
	if (truncate(path, 0) < 0 && errno != ENOENT)
		log_warning("load balancer %s: emptying %s: %s", id->text, path, strerror(errno));
}

void haproxy_launch_trim_outputs(const struct haproxy_site *site)
{
	cleanup_free struct id *ids = NULL;
	size_t count = 0;

	haproxy_site_load_balancers(site, &ids, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *path = haproxy_site_path(site, &ids[i], HAPROXY_FILE_OUTPUT);
		struct stat status;

		if (stat(path, &status) == 0 && status.st_size > OUTPUT_LARGE_BYTES)
			output_empty(site, &ids[i]);
	}
}

/*
 * HAProxy's own words on why it did not start with a config: what it wrote, or, if that is nothing,
 * what it says when it is asked again. config_file: HAPROXY_FILE_CONFIG or HAPROXY_FILE_PARTIAL, as
 * below.
 */
static void words_append(const struct haproxy_instance *instance, enum haproxy_file config_file,
	struct buf *ret_output)
{
	cleanup_free char *path =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_OUTPUT);
	cleanup_free char *config = haproxy_site_path(instance->site, &instance->id, config_file);

	if (ret_output->size_bytes == 0)
		file_read(path, ret_output, NULL);
	if (ret_output->size_bytes == 0)
		haproxy_check(instance->site, config, ret_output, NULL);
}

static int service_start_haproxy(const struct haproxy_instance *instance,
	enum haproxy_file config_file, bool *ret_started, struct err *err)
{
	const struct haproxy_site *site = instance->site;
	const struct id *id = &instance->id;
	cleanup_free char *master_socket = haproxy_site_path(site, id, HAPROXY_FILE_MASTER_SOCKET);
	cleanup_free char *config = haproxy_site_path(site, id, config_file);
	cleanup_free char *own_config = haproxy_site_own_config_path(site);
	cleanup_free char *pid_file = haproxy_site_path(site, id, HAPROXY_FILE_PID);
	cleanup_free char *output = haproxy_site_path(site, id, HAPROXY_FILE_OUTPUT);
	struct service_name name = service_name(id);
	/* -Ws even without systemd: under -W a config's `daemon` leaves the foreground. */
	const char *const argv[] = {site->haproxy_cmd, "-Ws", "-S", master_socket, "-f", config,
		"-f", own_config, "-p", pid_file, "-L", site->peer_name, NULL};
	const struct service_spec spec = {
		.name = name.text,
		.process =
			{
				.argv = argv,
				.network_namespace = site->network_namespace,
				.output_path = output,
			},
		.stop_signal = SIGTERM,
		.starts_at_boot = true,
	};
	int r = haproxy_socket_path_check(master_socket, err);

	if (r < 0)
		return r;
	return service_start(site->services, &spec, ret_started, err);
}

/*
 * 0 when a worker answers, -ECHILD when the process ended, -ETIMEDOUT. What ended may have been
 * started again by the manager, under another pid.
 */
static int start_wait(const struct haproxy_instance *instance, int64_t deadline_ms,
	pid_t *ret_worker, struct err *err)
{
	pid_t master = haproxy_launch_master(instance->site, &instance->id);
	cleanup_free char *master_socket =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_MASTER_SOCKET);
	int r;

	do {
		r = haproxy_master_wait(master_socket, WATCH_STEP_MS, ret_worker, err);
		if (r == 0)
			return 0;
		if (master == 0 || haproxy_launch_master(instance->site, &instance->id) != master)
			return -ECHILD;
	} while (clock_left_ms(deadline_ms) > 0);
	return r;
}

/* *ret_started: whether it did not run before; of an attempt that fails, too. */
static int start_once(const struct haproxy_instance *instance, enum haproxy_file config_file,
	int64_t deadline_ms, bool *ret_started, pid_t *ret_worker, struct err *err)
{
	cleanup_free char *partial =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_PARTIAL);
	int r;

	/* What is read from them later is about the present attempt. */
	if (haproxy_launch_master(instance->site, &instance->id) == 0) {
		output_empty(instance->site, &instance->id);
		if (config_file != HAPROXY_FILE_PARTIAL)
			file_remove(partial, NULL);
	}
	*ret_started = false;
	r = service_start_haproxy(instance, config_file, ret_started, err);
	return r < 0 ? r : start_wait(instance, deadline_ms, ret_worker, err);
}

static int launch(const struct haproxy_instance *instance, enum haproxy_file config_file,
	pid_t *ret_worker, struct err *err)
{
	struct service_manager *services = instance->site->services;
	struct service_name name = service_name(&instance->id);
	int64_t deadline_ms = clock_now_ms() + START_TIMEOUT_MS;
	bool started;
	int r = start_once(instance, config_file, deadline_ms, &started, ret_worker, err);

	/* It ran, and ended while it was looked at: whether it can start is not known by that. */
	if (r == -ECHILD && !started)
		r = start_once(instance, config_file, deadline_ms, &started, ret_worker, err);
	if (r == 0)
		return 0;
	if (r == -ECHILD || started)
		service_stop(services, name.text, NULL);
	if (r == -ECHILD)
		return err_set(err, -EBADMSG, "starting haproxy: it ended at once");
	return err_wrap(err, r, "starting haproxy");
}

/* What it runs with; of one that does not run, what it is tried with first. */
static enum haproxy_file config_file_of(const struct haproxy_instance *instance)
{
	cleanup_free char *path =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_PARTIAL);

	return haproxy_launch_master(instance->site, &instance->id) != 0 && file_exists(path)
		       ? HAPROXY_FILE_PARTIAL
		       : HAPROXY_FILE_CONFIG;
}

/* Says at each of the notes' lines who pays for it. */
static void notes_log(const struct haproxy_instance *instance, const struct buf *notes)
{
	const char *line = buf_text(notes);

	while (line[0]) {
		int size = (int)strcspn(line, "\n");

		log_error("load balancer %s: %.*s: upload it again, and reload", instance->id.text,
			size, line);
		line += size + (line[size] == '\n');
	}
}

/* Writes what of haproxy.cfg can be served now; nothing when that is all of it: *ret_is_whole. */
static int partial_store(
	const struct haproxy_instance *instance, bool *ret_is_whole, struct err *err)
{
	cleanup_free char *config =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_CONFIG);
	cleanup_free char *partial =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_PARTIAL);
	cleanup_buf struct buf whole = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	cleanup_buf struct buf notes = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	int r = file_read(config, &whole, err);

	if (r < 0)
		return r;
	haproxy_partial_cut(buf_text(&whole), whole.size_bytes, &text, &notes);
	*ret_is_whole = notes.size_bytes == 0;
	if (*ret_is_whole)
		return 0;
	notes_log(instance, &notes);
	return file_replace_nosync(partial, buf_text(&text), text.size_bytes, 0600, err);
}

int haproxy_launch_start(const struct haproxy_instance *instance, pid_t *ret_worker,
	struct buf *ret_output, struct err *err)
{
	enum haproxy_file config_file = config_file_of(instance);
	bool is_whole;
	int r = launch(instance, config_file, ret_worker, err);

	if (r == -EBADMSG && config_file == HAPROXY_FILE_CONFIG &&
		partial_store(instance, &is_whole, NULL) == 0 && !is_whole) {
		config_file = HAPROXY_FILE_PARTIAL;
		r = launch(instance, config_file, ret_worker, err);
	}
	if (r == -EBADMSG)
		words_append(instance, config_file, ret_output);
	return r;
}

/* What runs without some of its listeners runs with all of them from now on, if it can. */
static int complete(const struct haproxy_instance *instance, pid_t *ret_worker,
	struct buf *ret_output, struct err *err)
{
	cleanup_free char *config =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_CONFIG);
	int r = haproxy_check(instance->site, config, ret_output, err);

	if (r == 0)
		r = haproxy_launch_stop(instance, err);
	return r < 0 ? r : haproxy_launch_start(instance, ret_worker, ret_output, err);
}

/* A master that has no handler for the signal of a reload yet, which would kill it. */
static bool is_starting(pid_t master)
{
	return master != 0 && !procfs_process_catches(master, SIGUSR2);
}

/* Without its socket the master still knows the signal, and makes the socket anew. */
static int reload_by_signal(const struct haproxy_instance *instance, const char *master_socket,
	pid_t *ret_worker, struct err *err)
{
	pid_t master = haproxy_launch_master(instance->site, &instance->id);
	struct haproxy_processes processes;
	int r;

	if (master == 0 || is_starting(master) || kill(master, SIGUSR2) < 0)
		return err_set(err, -ESRCH, "haproxy does not run");
	r = haproxy_master_wait(master_socket, RELOAD_TIMEOUT_MS, ret_worker, err);
	if (r == 0)
		r = haproxy_master_processes(master_socket, &processes, err);
	if (r == 0 && processes.failed > 0)
		r = err_set(err, -EBADMSG, "haproxy could not start a new worker");
	return r;
}

int haproxy_launch_reload(const struct haproxy_instance *instance, pid_t *ret_worker,
	struct buf *ret_output, struct err *err)
{
	cleanup_free char *master_socket =
		haproxy_site_path(instance->site, &instance->id, HAPROXY_FILE_MASTER_SOCKET);
	enum haproxy_file config_file = config_file_of(instance);
	bool is_whole = false;
	int r;

	if (config_file == HAPROXY_FILE_PARTIAL) {
		r = partial_store(instance, &is_whole, err);
		if (r < 0)
			return err_wrap(err, r, "reloading haproxy");
	}
	if (is_whole)
		return complete(instance, ret_worker, ret_output, err);
	output_empty(instance->site, &instance->id);
	haproxy_traffic_record(instance);
	r = haproxy_master_wait(master_socket, SOCKET_LOST_MS, ret_worker, err);
	/* A boot has started it, a moment before we were. */
	if (r < 0 && is_starting(haproxy_launch_master(instance->site, &instance->id)))
		r = start_wait(instance, clock_now_ms() + START_TIMEOUT_MS, ret_worker, err);
	if (r == 0)
		r = haproxy_master_reload(
			master_socket, RELOAD_TIMEOUT_MS, ret_worker, ret_output, err);
	else
		r = reload_by_signal(instance, master_socket, ret_worker, err);
	if (r == -EBADMSG)
		words_append(instance, config_file, ret_output);
	return r < 0 ? err_wrap(err, r, "reloading haproxy") : 0;
}

static int leftovers_remove(const struct haproxy_instance *instance, struct err *err)
{
	static const enum haproxy_file leftovers[] = {
		HAPROXY_FILE_MASTER_SOCKET,
		HAPROXY_FILE_RUNNING,
		HAPROXY_FILE_OUTPUT,
		HAPROXY_FILE_PARTIAL,
		HAPROXY_FILE_PREVIEW,
		HAPROXY_FILE_PID,
		HAPROXY_FILE_STATS_SOCKET,
	};

	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
		cleanup_free char *path =
			haproxy_site_path(instance->site, &instance->id, leftovers[i]);
		cleanup_free char *old = xformat("%s.old", path); /* of sys/service.h */
		int r = file_remove(path, err);

		if (r < 0)
			return r;
		r = file_remove(old, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int haproxy_launch_stop(const struct haproxy_instance *instance, struct err *err)
{
	int r;

	haproxy_traffic_record(instance);
	r = service_stop(instance->site->services, service_name(&instance->id).text, err);
	if (r < 0)
		return err_wrap(err, r, "stopping haproxy");
	return leftovers_remove(instance, err);
}

int haproxy_launch_remove(const struct haproxy_instance *instance, struct err *err)
{
	int r = service_remove(instance->site->services, service_name(&instance->id).text, err);

	if (r < 0)
		return err_wrap(err, r, "stopping haproxy");
	return leftovers_remove(instance, err);
}
