/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

int sysctl_set(const char *name, const char *value, struct err *err)
{
	cleanup_free char *path = xformat("/proc/sys/%s", name);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, -errno, "setting %s to '%s'", path, value);
	/* The kernel takes a value in one piece, or refuses it. */
	if (write(fd, value, strlen(value)) < 0)
		return err_set_errno(err, -errno, "setting %s to '%s'", path, value);
	return 0;
}

bool sysctl_exists(const char *name)
{
	cleanup_free char *path = xformat("/proc/sys/%s", name);

	return file_exists(path);
}
