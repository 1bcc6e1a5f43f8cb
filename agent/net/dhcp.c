/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp.h"

#include <errno.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/installation.h"
#include "sys/process.h"

#define CLIENT_PATH "/sbin/dhclient"
#define LEASE_DIR   "/var/lib/dhclient"

/* It goes into the background at once; to give a lease back takes it a second. */
enum { CLIENT_TIMEOUT_MS = 10000, START_TIMEOUT_MS = 5000, START_STEP_MS = 2, PID_MAX = 1 << 22 };

/* What the arguments point to, but for the interface's name. */
struct client_files {
	char *script;
	char *leases;
	char *pid;
};

static void client_files_deinit(const struct client_files *files)
{
	free(files->script);
	free(files->leases);
	free(files->pid);
}
#define cleanup_client_files CLEANUP(client_files_deinit)

static struct client_files client_files_of(const char *interface)
{
	return (struct client_files){
		.script = installation_find_program("amphora-dhcp-script"),
		.leases = xformat(LEASE_DIR "/dhclient-%s.leases", interface),
		.pid = xformat("/run/dhclient-%s.pid", interface),
	};
}

static bool same_network_namespace(pid_t pid)
{
	cleanup_free char *path = xformat("/proc/%d/ns/net", pid);
	struct stat theirs;
	struct stat ours;

	return stat(path, &theirs) == 0 && stat("/proc/thread-self/ns/net", &ours) == 0 &&
	       theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

/* A client that has ended, and that nobody has reaped, is none. */
static bool is_client(pid_t pid)
{
	cleanup_free char *path = xformat("/proc/%d/comm", pid);
	cleanup_buf struct buf name = BUF_INIT(64);
	cleanup_close int pidfd = pidfd_open(pid, 0);

	return pidfd >= 0 && !process_has_ended(pidfd) && file_read(path, &name, NULL) == 0 &&
	       text_equal(buf_text(&name), "dhclient\n");
}

/*
 * Whether the client of the pid file runs. The file may be older than the last boot and its number
 * another process's by now.
 */
static bool client_runs(const struct client_files *files)
{
	cleanup_buf struct buf text = BUF_INIT(64);
	const char *digits;
	uint64_t pid;
	size_t size;

	if (file_read(files->pid, &text, NULL) < 0)
		return false;
	digits = text_trim(buf_text(&text), text.size_bytes, &size);
	return text_parse_u64_span(digits, size, 1, PID_MAX, &pid) == 0 && is_client((pid_t)pid) &&
	       same_network_namespace((pid_t)pid);
}

/* option: what it is to do. */
static int client_run(const struct client_files *files, const char *option, const char *interface,
	struct err *err)
{
	const char *const argv[] = {CLIENT_PATH, "-4", option, "-sf", files->script, "-lf",
		files->leases, "-pf", files->pid, interface, NULL};
	const struct process_spec spec = {.argv = argv, .becomes_daemon = true};
	cleanup_buf struct buf output = BUF_INIT(ERR_TEXT_MAX / 2);
	int status;
	int r;

	/* dhclient takes a path for its script, not a name. */
	if (files->script[0] != '/')
		return err_set(err, -ENOENT,
			"DHCP on %s: %s does not lie beside the running program: install it there",
			interface, files->script);
	r = process_run(&spec, CLIENT_TIMEOUT_MS, &output, &status, err);
	if (r == -ENOENT)
		return err_set(err, r, "DHCP on %s: there is no %s: install isc-dhcp-client",
			interface, CLIENT_PATH);
	if (r < 0)
		return err_wrap(err, r, "DHCP on %s", interface);
	if (status != 0)
		return err_set(err, -EIO, "DHCP on %s: dhclient ended with status %d: %s",
			interface, status, buf_text(&output));
	return 0;
}

/* The one in the background writes its pid file some time after the one that we started ended. */
static int client_await(const struct client_files *files, const char *interface, struct err *err)
{
	int64_t deadline_ms = clock_now_ms() + START_TIMEOUT_MS;

	while (!client_runs(files)) {
		if (clock_left_ms(deadline_ms) == 0)
			return err_set(err, -ETIMEDOUT,
				"DHCP on %s: dhclient does not run: its log lines say why",
				interface);
		clock_sleep_ms(START_STEP_MS);
	}
	return 0;
}

int dhcp_start(const char *interface, bool *ret_started, struct err *err)
{
	cleanup_client_files struct client_files files = client_files_of(interface);
	bool runs = client_runs(&files);
	int r = 0;

	if (!runs)
		r = directory_make(LEASE_DIR, 0755, err);
	if (!runs && r == 0)
		r = client_run(&files, "-nw", interface, err);
	if (!runs && r == 0)
		r = client_await(&files, interface, err);
	if (r == 0)
		*ret_started = !runs;
	return r;
}

int dhcp_stop(const char *interface, bool *ret_stopped, struct err *err)
{
	cleanup_client_files struct client_files files = client_files_of(interface);
	bool runs = client_runs(&files);
	int r = 0;

	if (runs)
		r = client_run(&files, "-r", interface, err);
	if (r == 0)
		*ret_stopped = runs;
	return r;
}
