/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/vrrp.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "keepalived/process.h"

/* 0, -ENOENT, or why it cannot be told. mode: of access(2). */
static int path_check(const char *path, int mode, struct err *err)
{
	if (access(path, mode) == 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR)
		return -ENOENT;
	return err_set_errno(err, -errno, "whether keepalived runs cannot be told: %s", path);
}

int vrrp_check(const char *base_path, struct err *err)
{
	cleanup_free char *config = xformat("%s/vrrp/octavia-keepalived.conf", base_path);
	cleanup_free char *pid_file = xformat("%s/vrrp/octavia-keepalived.pid", base_path);
	int r = path_check(config, F_OK, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = path_check(pid_file, R_OK, err);
	if (r == -ENOENT)
		return err_set(err, -ESRCH,
			"keepalived is configured but does not run: there is no %s", pid_file);
	if (r < 0)
		return r;
	if (keepalived_pid(pid_file) == 0)
		return err_set(err, -ESRCH,
			"keepalived is configured but does not run: %s names none that does",
			pid_file);
	return 0;
}
