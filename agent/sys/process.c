/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/network_namespace.h"

enum { PIPE_CAPACITY_BYTES = 64 * KIB };

#define cleanup_file_actions CLEANUP(posix_spawn_file_actions_destroy)
#define cleanup_attributes   CLEANUP(posix_spawnattr_destroy)

/* For the process that our service manager started, which is us and not a child of ours. */
static const char *const service_manager_variables[] = {
	"NOTIFY_SOCKET=",
	"WATCHDOG_PID=",
	"WATCHDOG_USEC=",
	"LISTEN_PID=",
	"LISTEN_FDS=",
	"LISTEN_FDNAMES=",
	"INVOCATION_ID=",
	"JOURNAL_STREAM=",
	"MAINPID=",
};

static bool is_for_children(const char *variable)
{
	for (size_t i = 0;
		i < sizeof(service_manager_variables) / sizeof(service_manager_variables[0]); i++)
		if (text_starts_with(variable, service_manager_variables[i]))
			return false;
	return true;
}

/* The entries stay the process's; the caller frees the list. */
static char **environment_of_children(void)
{
	size_t count = 0;
	char **list;

	while (environ && environ[count])
		count++;
	list = xcalloc(count + 1, sizeof(*list));
	for (size_t from = 0, to = 0; from < count; from++)
		if (is_for_children(environ[from]))
			list[to++] = environ[from];
	return list;
}

/*
 * Standard output and error are duplicated first: should our own descriptor 0 be closed, output_fd
 * may be 0.
 */
static int file_actions_set(posix_spawn_file_actions_t *actions, int output_fd)
{
	int r = 0;

	if (output_fd >= 0)
		r = posix_spawn_file_actions_adddup2(actions, output_fd, STDOUT_FILENO);
	if (r == 0 && output_fd >= 0)
		r = posix_spawn_file_actions_adddup2(actions, output_fd, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(
			actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	return r;
}

static int attributes_set(posix_spawnattr_t *attributes)
{
	sigset_t all;
	sigset_t none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawnattr_setsigdefault(attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes,
			POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	return r;
}

/* Positive errno, as posix_spawn() itself. */
static int spawn(const char *const *argv, int output_fd, pid_t *ret_pid)
{
	cleanup_free char **environment = environment_of_children();
	cleanup_file_actions posix_spawn_file_actions_t actions;
	cleanup_attributes posix_spawnattr_t attributes;
	int r;

	/* With glibc neither allocates, and neither fails. */
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = file_actions_set(&actions, output_fd);
	if (r == 0)
		r = attributes_set(&attributes);
	if (r == 0)
		r = posix_spawnp(
			ret_pid, argv[0], &actions, &attributes, (char *const *)argv, environment);
	return r;
}

/* output_fd: -1 for our own standard output and error. */
static int spawn_in_namespace(
	const struct process_spec *spec, int output_fd, pid_t *ret_pid, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	pid_t pid;
	int r;

	r = network_namespace_enter(spec->network_namespace, &stay, err);
	if (r < 0)
		return err_wrap(err, r, "starting %s", spec->argv[0]);
	r = spawn(spec->argv, output_fd, &pid);
	if (r > 0)
		return err_set_errno(err, -r, "starting %s", spec->argv[0]);
	*ret_pid = pid;
	return 0;
}

int process_spawn(const struct process_spec *spec, pid_t *ret_pid, struct err *err)
{
	cleanup_close int output_fd = -1;

	if (spec->output_path) {
		output_fd = open(spec->output_path,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
		if (output_fd < 0)
			return err_set_errno(err, -errno, "starting %s: opening its output %s",
				spec->argv[0], spec->output_path);
	}
	return spawn_in_namespace(spec, output_fd, ret_pid, err);
}

/*
 * Reads what there is, but no more than a pipe holds: a child that never stops writing must not
 * keep us from looking at the clock. False at the end of the output.
 */
static bool output_drain(int fd, struct buf *ret_output)
{
	char piece[4 * KIB];

	for (int i = 0; i < PIPE_CAPACITY_BYTES / (int)sizeof(piece); i++) {
		size_t room = ret_output->max_bytes - ret_output->size_bytes;
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		buf_append(ret_output, piece, (size_t)got < room ? (size_t)got : room);
	}
	return true;
}

/*
 * Takes up the child's output until it ends; true when it did before the deadline. Its end counts,
 * not that of its output, which a grandchild may hold open.
 */
static bool child_follow(int pidfd, int output_fd, int64_t deadline_ms, struct buf *ret_output)
{
	struct pollfd fds[] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = output_fd, .events = POLLIN},
	};

	for (;;) {
		int left_ms = clock_left_ms(deadline_ms);
		bool ended = poll(fds, 2, left_ms) > 0 && fds[0].revents;

		/* Also after its end: what it wrote last is in the pipe by now. */
		if (!output_drain(output_fd, ret_output))
			fds[1].fd = -1;
		if (ended)
			return true;
		if (left_ms == 0)
			return false;
	}
}

/* Waits for the child's end, which has come or is near. */
static int child_reap(pid_t pid, int *ret_status)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

/*
 * Follows the child, then ends what is left of it and reaps it, whatever happened before. What it
 * leaves when it ends in time may be a daemon, which goes on.
 */
static int child_run(pid_t pid, const struct process_spec *spec, int output_fd, int timeout_ms,
	struct buf *ret_output, int *ret_status, bool *ret_in_time)
{
	cleanup_close int pidfd = pidfd_open(pid, 0);
	int failed = pidfd < 0 ? -errno : 0;
	int r;

	*ret_in_time = false;
	if (failed == 0)
		*ret_in_time =
			child_follow(pidfd, output_fd, clock_now_ms() + timeout_ms, ret_output);
	/* Not reaped yet, so the number still means this child's group and nobody else's. */
	if (!*ret_in_time || !spec->becomes_daemon)
		kill(-pid, SIGKILL);
	r = child_reap(pid, ret_status);
	return failed < 0 ? failed : r;
}

int process_run(const struct process_spec *spec, int timeout_ms, struct buf *ret_output,
	int *ret_status, struct err *err)
{
	cleanup_close int read_fd = -1;
	cleanup_close int write_fd = -1;
	int status = 0;
	bool in_time;
	int pipe_fds[2];
	pid_t pid;
	int r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set_errno(err, -errno, "starting %s: making a pipe", spec->argv[0]);
	read_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	if (fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_set_errno(err, -errno, "starting %s: setting up a pipe", spec->argv[0]);
	r = spawn_in_namespace(spec, write_fd, &pid, err);
	if (r < 0)
		return r;
	write_fd = close_fd(write_fd);
	r = child_run(pid, spec, read_fd, timeout_ms, ret_output, &status, &in_time);
	if (r < 0)
		return err_set_errno(err, r, "waiting for %s (pid %d)", spec->argv[0], pid);
	if (!in_time)
		return err_set(err, -ETIMEDOUT, "%s did not end within %d ms and was killed",
			spec->argv[0], timeout_ms);
	*ret_status = status;
	return 0;
}

bool process_has_ended(int pidfd)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

/* More than this nobody may have, not even with every capability. */
static unsigned long kernel_open_files_max(void)
{
	cleanup_buf struct buf text = BUF_INIT(64);
	uint64_t value;
	size_t size;
	const char *digits;

	if (file_read("/proc/sys/fs/nr_open", &text, NULL) < 0)
		return RLIM_INFINITY;
	digits = text_trim(buf_text(&text), text.size_bytes, &size);
	if (text_parse_u64_span(digits, size, 1, UINT64_MAX, &value) < 0)
		return RLIM_INFINITY;
	return value;
}

unsigned long process_raise_open_files(unsigned long wanted)
{
	unsigned long most = kernel_open_files_max();
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	if (wanted > most)
		wanted = most;
	if (wanted > limit.rlim_max) {
		struct rlimit raised = {.rlim_cur = limit.rlim_cur, .rlim_max = wanted};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_max;
}
