/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

static bool is_file_name(const char *name)
{
	return strlen(name) <= NAME_MAX && !strchr(name, '/') && !text_equal(name, ".") &&
	       !text_equal(name, "..");
}

static int namespace_open(const char *name, int *ret_fd, struct err *err)
{
	cleanup_free char *path = xformat("/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set_errno(err, -errno, "opening network namespace %s", path);
	*ret_fd = fd;
	return 0;
}

int network_namespace_enter(
	const char *name, struct network_namespace_stay *ret_stay, struct err *err)
{
	cleanup_close int home = -1;
	cleanup_close int there = -1;
	int r;

	if (!name || !name[0]) {
		*ret_stay = NETWORK_NAMESPACE_STAY_NONE;
		return 0;
	}
	if (!is_file_name(name))
		return err_set(err, -EINVAL,
			"network namespace '%s': must be the name of a file in /run/netns", name);
	r = namespace_open(name, &there, err);
	if (r < 0)
		return r;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_set_errno(err, -errno,
			"entering network namespace %s: remembering the present one", name);
	if (setns(there, CLONE_NEWNET) < 0)
		return err_set_errno(err, -errno, "entering network namespace %s", name);
	ret_stay->home = take_fd(&home);
	return 0;
}

void network_namespace_leave(struct network_namespace_stay *stay)
{
	int saved_errno = errno;

	if (stay->home < 0)
		return;
	if (setns(stay->home, CLONE_NEWNET) < 0) {
		log_error("going back to the thread's own network namespace: %m; ending rather "
			  "than working in the wrong network");
		abort();
	}
	stay->home = close_fd(stay->home);
	errno = saved_errno;
}
