/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphora-heartbeat: tells the health managers once per interval how this amphora's listeners,
 * pools and members are. Stays in the foreground, logs to stderr. Its settings are taken up by
 * starting it anew.
 */
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "conf/command_line.h"
#include "conf/settings.h"
#include "heartbeat/counters.h"
#include "heartbeat/preview.h"
#include "heartbeat/sender.h"
#include "sys/answer_socket.h"
#include "sys/ipvs.h"
#include "sys/network_namespace.h"
#include "sys/privilege.h"
#include "sys/stop_signal.h"

/*
 * What one beat allocates above this goes back to the system when the beat is over. Below, as with
 * a thousand members, it is kept: to have every page of it cleared anew costs a tenth of a beat.
 */
enum { MALLOC_KEPT_BYTES = MIB };

DEFINE_CLEANUP(struct sender *, sender_free);

/* --check: whom we would become. */
static int check(const struct settings *settings, struct err *err)
{
	struct privilege_user user;

	return privilege_is_root() ? privilege_find_user(settings->user, &user, err) : 0;
}

/*
 * The folder for our own files, which hold accounts and no truth: where there can be none (a disk
 * that turned read-only), heartbeats go out without it. user: NULL when it stays ours.
 */
static void folder_prepare(const char *folder, const struct privilege_user *user)
{
	struct err err = ERR_NONE;
	int r = user ? privilege_give_directory(folder, user, &err)
		     : directory_make(folder, 0755, &err);

	if (r < 0)
		log_warning("%s; heartbeats are sent all the same", err.text);
}

/*
 * The way to the kernel's IPVS in the namespace where HAProxy and keepalived live; NULL where there
 * is none. A kernel that gets IPVS later only is fine.
 */
static struct ipvs *ipvs_prepare(const struct settings *settings)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	struct ipvs *ipvs = NULL;
	struct err err = ERR_NONE;

	if (network_namespace_enter(settings->network_namespace, &stay, &err) < 0 ||
		ipvs_open(&ipvs, &err) < 0)
		log_warning(
			"%s; LVS listeners will be reported without traffic and pools", err.text);
	return ipvs;
}

/* Where nobody can ask heartbeats are sent all the same: -1. */
static int preview_prepare(const struct settings *settings)
{
	cleanup_free char *path = preview_socket_path(settings->runtime_dir);
	struct err err = ERR_NONE;
	int fd = answer_socket_open(path, &err);

	if (fd < 0)
		log_warning("%s; nobody can see the next heartbeat", err.text);
	return fd < 0 ? -1 : fd;
}

/*
 * What only root may do, then no longer being root: the folder for our own files, the counters that
 * the reference agent left, which its user alone may read, and the way to the kernel's IPVS, which
 * answers nobody without CAP_NET_ADMIN.
 */
static int become_unprivileged(const struct settings *settings, struct buf *ret_reference_counters,
	struct ipvs **ret_ipvs, struct err *err)
{
	cleanup_free char *folder = xformat("%s/heartbeat", settings->base_path);
	cleanup_free char *counters = xformat("%s/stats_counters.json", folder);
	cleanup_free char *reference = xformat("%s/stats_counters.json", settings->base_path);
	struct privilege_user user;
	int r;

	if (file_exists(counters) || file_read(reference, ret_reference_counters, NULL) < 0)
		buf_clear(ret_reference_counters);
	*ret_ipvs = ipvs_prepare(settings);
	if (!privilege_is_root()) {
		folder_prepare(folder, NULL);
		return 0;
	}
	r = privilege_find_user(settings->user, &user, err);
	if (r < 0)
		return r;
	folder_prepare(folder, &user);
	return privilege_drop(&user, *ret_ipvs ? PRIVILEGE_CAPABILITY(CAP_NET_ADMIN) : 0, err);
}

static int run(const struct settings *settings, struct err *err)
{
	cleanup_buf struct buf reference_counters = BUF_INIT(COUNTERS_MAX_BYTES);
	cleanup_ipvs struct ipvs *ipvs = NULL;
	CLEANUP(cleanup_sender_free) struct sender *sender = NULL;
	cleanup_close int stop = stop_signal_open(err);
	cleanup_close int preview = -1;
	int r;

	if (stop < 0)
		return stop;
	preview = preview_prepare(settings);
	r = become_unprivileged(settings, &reference_counters, &ipvs, err);
	if (r < 0)
		return r;
	sender = sender_new(&(struct sender_settings){
		.amphora_id = &settings->amphora_id,
		.base_path = settings->base_path,
		.key = settings->heartbeat_key,
		.targets = (const char *const *)settings->controller_ip_port_list,
		.target_count = settings->controller_count,
		.interval_ms = (int64_t)settings->heartbeat_interval_s * 1000,
		.ipvs = ipvs,
		.reference_counters =
			reference_counters.size_bytes > 0 ? buf_text(&reference_counters) : NULL,
	});
	buf_deinit(&reference_counters);
	log_info("heartbeats of amphora %s every %u s to %zu health managers",
		settings->amphora_id.text, settings->heartbeat_interval_s,
		settings->controller_count);
	return sender_run(sender, stop, preview, err);
}

static int serve(const struct settings *settings)
{
	struct err err = ERR_NONE;

	mallopt(M_MMAP_THRESHOLD, MALLOC_KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, MALLOC_KEPT_BYTES);
	mallopt(M_ARENA_MAX, 1);
	umask(022);
	log_set_debug(settings->debug);
	if (run(settings, &err) < 0) {
		log_error("ending: %s", err.text);
		return STATUS_FAILED;
	}
	log_info("ending as asked");
	return STATUS_FINE;
}

int main(int argc, char **argv)
{
	static const struct command_line_use use = {
		.purpose = "Sends the heartbeats of an Octavia amphora to its health managers.",
		.check = check,
	};
	CLEANUP(settings_deinit) struct settings settings = {0};
	CLEANUP(command_line_deinit) struct command_line line = {0};
	int status;

	if (!command_line_parse(argc, argv, &use, &line, &settings, &status))
		return status;
	return serve(&settings);
}
