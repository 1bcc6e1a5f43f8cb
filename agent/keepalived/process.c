/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/service.h"

enum {
	/*
	 * It starts within milliseconds, but looks its own host's name up first: where that is not
	 * in /etc/hosts, and the network swallows what is asked of name servers, for some 11 s.
	 */
	PID_FILE_TIMEOUT_MS = 14 * 1000,
	/* It may have many addresses to clear before it has taken up a config. */
	SETTLE_TIMEOUT_MS = 5 * 1000,
	SETTLE_STEP_MS = 5,
	/* It waits a second of its own accord, for its farewell to arrive, before it ends. */
	STOP_TIMEOUT_MS = 10 * 1000,
	OUTPUT_LARGE_BYTES = MIB,
	/* What is looked at to learn how a start or a reload went. */
	OUTPUT_TAIL_BYTES = 64 * KIB,
	/* How much of it goes into an error's text. */
	WORDS_BYTES = 800,
	PID_TEXT_MAX = 64,
	COMMAND_LINE_MAX = 64 * KIB,
	ARGUMENTS_MAX = 20,
	ATTEMPTS = 3,
	PID_FILES_MAX = 3,
};

static const char output_prefix[] = "octavia-keepalived";
static const char output_suffix[] = ".output";

DEFINE_CLEANUP(DIR *, closedir);

/* What it writes to its standard error: RUNTIME/SERVICE.output. */
static char *output_path(
	const struct keepalived_site *site, const struct keepalived_process *process)
{
	return xformat("%s/%s%s", site->runtime_dir, process->service, output_suffix);
}

static void output_empty(const char *path)
{
	/* keepalived appends: it goes on at the new end. */
	if (truncate(path, 0) < 0 && errno != ENOENT)
		log_warning("emptying %s: %s", path, strerror(errno));
}

static off_t output_size(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : 0;
}

/* Appends what was written from an offset on, or the end of that if it is much. */
static void output_read(const char *path, off_t from, struct buf *ret_text)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = output_size(path);
	ssize_t got;
	void *room;

	/* It was emptied or renamed meanwhile. */
	if (from > size)
		from = 0;
	if (size - from > OUTPUT_TAIL_BYTES)
		from = size - OUTPUT_TAIL_BYTES;
	room = buf_reserve(ret_text, OUTPUT_TAIL_BYTES);
	if (fd < 0 || !room)
		return;
	got = pread(fd, room, OUTPUT_TAIL_BYTES, from);
	buf_commit(ret_text, got > 0 ? (size_t)got : 0);
}

/* What the one that was started after it wrote is not about its end. */
static void successor_cut(char *text)
{
	char *first_end = strchr(text, '\n');
	char *successor = first_end ? strstr(first_end, "Starting Keepalived v") : NULL;

	if (successor)
		*successor = '\0';
}

/* The last lines of what keepalived wrote: why it ended, in its own words. */
static int err_set_words(const char *path, off_t from, struct err *err)
{
	cleanup_buf struct buf output = BUF_INIT(OUTPUT_TAIL_BYTES + 1);
	cleanup_free char *text = NULL;
	const char *words;
	size_t size_bytes;

	output_read(path, from, &output);
	text = buf_take_text(&output);
	successor_cut(text);
	words = text;
	size_bytes = strlen(text);
	if (size_bytes > WORDS_BYTES) {
		words += size_bytes - WORDS_BYTES;
		words += strcspn(words, "\n");
	}
	return err_set(err, -ECHILD, "keepalived ended; it says: %s", words);
}

/* Its main process says either, when its children have taken up the config. */
static bool is_settled(const char *path, off_t from)
{
	static const char *const signs[] = {
		"Startup complete",
		"Reload complete",
		"keepalived has no configuration to run",
	};
	cleanup_buf struct buf output = BUF_INIT(OUTPUT_TAIL_BYTES + 1);

	output_read(path, from, &output);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(buf_text(&output), signs[i]))
			return true;
	return false;
}

static bool has_ended(
	const struct keepalived_site *site, const struct keepalived_process *process, pid_t pid)
{
	return pid == 0 || service_pid(site->services, process->service) != pid;
}

/*
 * Waits until the running process has written its pid file: from then on it can be found, and
 * knows its signals.
 */
static int pid_file_await(const struct keepalived_site *site,
	const struct keepalived_process *process, pid_t pid, struct err *err)
{
	cleanup_free char *output = output_path(site, process);
	int64_t deadline_ms = clock_now_ms() + PID_FILE_TIMEOUT_MS;

	while (!has_ended(site, process, pid)) {
		if (keepalived_pid(process->pid_file) == pid)
			return 0;
		if (clock_left_ms(deadline_ms) == 0)
			return err_set(err, -ETIMEDOUT, "keepalived (pid %d) has not written %s",
				pid, process->pid_file);
		clock_sleep_ms(SETTLE_STEP_MS);
	}
	return err_set_words(output, 0, err);
}

/*
 * Waits until the running process has taken up its config, or ends over it: a permanent error in
 * its config shows only in its children. One that runs on and does not say so is as good.
 */
static int settle(const struct keepalived_site *site, const struct keepalived_process *process,
	pid_t pid, off_t from, struct err *err)
{
	cleanup_free char *output = output_path(site, process);
	int64_t deadline_ms = clock_now_ms() + SETTLE_TIMEOUT_MS;

	while (!has_ended(site, process, pid)) {
		if (is_settled(output, from) || clock_left_ms(deadline_ms) == 0)
			return 0;
		clock_sleep_ms(SETTLE_STEP_MS);
	}
	return err_set_words(output, from, err);
}

/* Fills argv, which points into site, process and log_facility. */
static void argv_make(const struct keepalived_site *site, const struct keepalived_process *process,
	const char *log_facility, const char *argv[static ARGUMENTS_MAX])
{
	size_t count = 0;

	argv[count++] = site->command;
	argv[count++] = "--dont-fork";
	/* Our copy tells why it did not start; the system's log is the operator's. */
	argv[count++] = "--log-console";
	argv[count++] = log_facility;
	argv[count++] = "-f";
	argv[count++] = process->config;
	argv[count++] = "-p";
	argv[count++] = process->pid_file;
	if (process->vrrp_pid_file) {
		argv[count++] = "-r";
		argv[count++] = process->vrrp_pid_file;
	}
	if (process->check_pid_file) {
		argv[count++] = "-c";
		argv[count++] = process->check_pid_file;
	}
	if (process->only_vrrp)
		argv[count++] = "--vrrp";
	if (process->overrides_namespace && site->network_namespace[0]) {
		argv[count++] = "--namespace";
		argv[count++] = site->network_namespace;
	}
	argv[count] = NULL;
}

/* keepalived does not start when one of them names any process: "daemon is already running". */
static void pid_files_list(
	const struct keepalived_process *process, const char *ret_paths[static PID_FILES_MAX + 1])
{
	const char *const paths[PID_FILES_MAX] = {
		process->pid_file, process->vrrp_pid_file, process->check_pid_file};
	size_t count = 0;

	for (size_t i = 0; i < PID_FILES_MAX; i++)
		if (paths[i])
			ret_paths[count++] = paths[i];
	ret_paths[count] = NULL;
}

/* *ret_started: of an attempt that fails, too. */
static int start_once(const struct keepalived_site *site, const struct keepalived_process *process,
	bool *ret_started, struct err *err)
{
	cleanup_free char *log_facility =
		xformat("--log-facility=%u", site->administrative_log_facility);
	cleanup_free char *output = output_path(site, process);
	const char *argv[ARGUMENTS_MAX];
	const char *pid_files[PID_FILES_MAX + 1];
	const struct service_spec spec = {
		.name = process->service,
		.process =
			{
				.argv = argv,
				.network_namespace = site->network_namespace,
				.output_path = output,
			},
		.stop_signal = SIGTERM,
		.stop_timeout_ms = STOP_TIMEOUT_MS,
		.pid_files = pid_files,
		.starts_at_boot = true,
	};
	pid_t pid;
	int r;

	argv_make(site, process, log_facility, argv);
	pid_files_list(process, pid_files);
	if (service_pid(site->services, process->service) == 0)
		output_empty(output);
	*ret_started = false;
	r = service_start(site->services, &spec, ret_started, err);
	pid = service_pid(site->services, process->service);
	if (r == 0)
		r = pid_file_await(site, process, pid, err);
	if (r == 0 && *ret_started)
		r = settle(site, process, pid, 0, err);
	return r;
}

/*
 * One that was found running may be ending (killed, or failing over and over with an older config),
 * or end over a reload: whatever runs after that has begun with the present config.
 */
static int run(const struct keepalived_site *site, const struct keepalived_process *process,
	bool reloads, bool *ret_started, struct err *err)
{
	cleanup_free char *output = output_path(site, process);
	off_t from = output_size(output);
	bool started = false;
	int r = -ECHILD;

	for (int attempt = 0; r == -ECHILD && !started && attempt < ATTEMPTS; attempt++) {
		pid_t pid;

		r = start_once(site, process, &started, err);
		if (r < 0 || started || (attempt == 0 && !reloads))
			continue;
		pid = service_pid(site->services, process->service);
		if (attempt == 0 && pid > 0)
			kill(pid, SIGHUP);
		r = settle(site, process, pid, from, err);
	}
	if (r == 0)
		*ret_started = started;
	return r;
}

int keepalived_process_start(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err)
{
	int r = run(site, process, false, ret_started, err);

	return r < 0 ? err_wrap(err, r, "starting %s", process->service) : 0;
}

int keepalived_process_reload(const struct keepalived_site *site,
	const struct keepalived_process *process, bool *ret_started, struct err *err)
{
	int r = run(site, process, true, ret_started, err);

	return r < 0 ? err_wrap(err, r, "reloading %s", process->service) : 0;
}

int keepalived_process_stop(const struct keepalived_site *site,
	const struct keepalived_process *process, struct err *err)
{
	cleanup_free char *output = output_path(site, process);
	cleanup_free char *output_old = xformat("%s.old", output); /* of sys/service.h */
	int r = service_stop(site->services, process->service, err);

	if (r < 0)
		return err_wrap(err, r, "stopping %s", process->service);
	file_remove(output, NULL);
	file_remove(output_old, NULL);
	return 0;
}

void keepalived_process_trim_outputs(const struct keepalived_site *site)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(site->runtime_dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		cleanup_free char *path = xformat("%s/%s", site->runtime_dir, entry->d_name);

		if (text_starts_with(entry->d_name, output_prefix) &&
			text_ends_with(entry->d_name, output_suffix) &&
			output_size(path) > OUTPUT_LARGE_BYTES)
			output_empty(path);
	}
}

static pid_t pid_file_read(const char *path)
{
	cleanup_buf struct buf text = BUF_INIT(PID_TEXT_MAX);
	const char *number;
	size_t size_bytes;
	uint64_t pid;

	if (file_read(path, &text, NULL) < 0)
		return 0;
	number = text_trim(buf_text(&text), text.size_bytes, &size_bytes);
	return text_parse_u64_span(number, size_bytes, 1, INT_MAX, &pid) < 0 ? 0 : (pid_t)pid;
}

/*
 * Whether one of a process's arguments is that text. A zombie has none, and everybody may read
 * those of everybody.
 */
static bool has_argument(pid_t pid, const char *wanted)
{
	cleanup_free char *path = xformat("/proc/%d/cmdline", pid);
	cleanup_buf struct buf arguments = BUF_INIT(COMMAND_LINE_MAX);
	size_t size_bytes;

	if (file_read(path, &arguments, NULL) < 0)
		return false;
	for (size_t at = 0; at < arguments.size_bytes; at += size_bytes + 1) {
		const char *argument = buf_text(&arguments) + at;

		if (text_equal(argument, wanted))
			return true;
		size_bytes = strlen(argument);
	}
	return false;
}

pid_t keepalived_pid(const char *pid_file)
{
	pid_t pid = pid_file_read(pid_file);

	return pid > 0 && has_argument(pid, pid_file) ? pid : 0;
}
