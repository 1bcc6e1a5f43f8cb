/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/session.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/process.h"
#include "sys/procfs.h"

DEFINE_CLEANUP(DIR *, closedir);

/* The next process of an open /proc; 0 at the end. */
static pid_t process_next(DIR *proc)
{
	struct dirent *entry;
	uint64_t pid;

	while ((entry = readdir(proc)))
		if (text_parse_u64(entry->d_name, 1, INT32_MAX, &pid) == 0)
			return (pid_t)pid;
	return 0;
}

/* Whether it was alive and in the session; then SIGKILL is on its way. */
static bool member_kill(pid_t pid, pid_t session)
{
	cleanup_close int pidfd = pidfd_open(pid, 0);

	if (pidfd < 0 || process_has_ended(pidfd))
		return false;
	/* Asked only now: the descriptor holds on to the process, the number alone does not. */
	if (getsid(pid) != session)
		return false;
	return pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0;
}

unsigned session_kill(pid_t leader, uint64_t start_ticks)
{
	CLEANUP(cleanup_closedir) DIR *proc = NULL;
	uint64_t present_ticks;
	unsigned count = 0;
	pid_t pid;

	if (procfs_process_start_time(leader, &present_ticks) == 0 && present_ticks != start_ticks)
		return 0;
	proc = opendir("/proc");
	while (proc && (pid = process_next(proc)) != 0)
		if (pid != leader && getsid(pid) == leader && member_kill(pid, leader))
			count++;
	return count;
}

static bool has_command(pid_t pid, const char *command, size_t command_size_bytes)
{
	cleanup_free char *path = xformat("/proc/%d/cmdline", pid);
	cleanup_buf struct buf present = BUF_INIT(command_size_bytes);

	return file_read(path, &present, NULL) == 0 && present.size_bytes == command_size_bytes &&
	       memcmp(buf_text(&present), command, command_size_bytes) == 0;
}

int session_find_leader(const char *command, size_t command_size_bytes, uint64_t since_ticks,
	pid_t *ret_leader, uint64_t *ret_start_ticks)
{
	CLEANUP(cleanup_closedir) DIR *proc = opendir("/proc");
	uint64_t start_ticks;
	pid_t pid;

	while (proc && (pid = process_next(proc)) != 0) {
		if (getsid(pid) != pid || procfs_process_start_time(pid, &start_ticks) < 0 ||
			start_ticks < since_ticks || !has_command(pid, command, command_size_bytes))
			continue;
		*ret_leader = pid;
		*ret_start_ticks = start_ticks;
		return 0;
	}
	return -ESRCH;
}
