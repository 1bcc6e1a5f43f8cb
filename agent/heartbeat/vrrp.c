/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/vrrp.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

enum { PID_TEXT_MAX = 64, PROC_STAT_MAX = 1024 };

static int pid_read(const char *path, pid_t *ret_pid, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(PID_TEXT_MAX);
	const char *number;
	size_t size_bytes;
	uint64_t pid;
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	number = text_trim(buf_text(&text), text.size_bytes, &size_bytes);
	if (text_parse_u64_span(number, size_bytes, 1, INT_MAX, &pid) < 0)
		return err_set(err, -EINVAL, "%s holds no process id", path);
	*ret_pid = (pid_t)pid;
	return 0;
}

/* A dead process that nobody has waited for still has its id. */
static bool is_zombie(pid_t pid)
{
	cleanup_free char *path = xformat("/proc/%d/stat", pid);
	cleanup_buf struct buf stat = BUF_INIT(PROC_STAT_MAX);
	const char *name_end;

	if (file_read(path, &stat, NULL) < 0)
		return false;
	name_end = strrchr(buf_text(&stat), ')');
	return name_end && text_starts_with(name_end, ") Z");
}

/* EPERM: it runs, and is another user's. */
static bool is_running(pid_t pid)
{
	return (kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

int vrrp_check(const char *base_path, struct err *err)
{
	cleanup_free char *config = xformat("%s/vrrp/octavia-keepalived.conf", base_path);
	cleanup_free char *pid_file = xformat("%s/vrrp/octavia-keepalived.pid", base_path);
	struct err why = ERR_NONE;
	pid_t pid = 0;

	if (!file_exists(config))
		return 0;
	if (pid_read(pid_file, &pid, &why) < 0)
		return err_set(
			err, -ESRCH, "keepalived is configured but does not run: %s", why.text);
	if (!is_running(pid))
		return err_set(err, -ESRCH,
			"keepalived is configured but process %d, which %s names, does not run",
			pid, pid_file);
	return 0;
}
