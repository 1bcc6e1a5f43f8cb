/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

/* As ip-netns(8) has it. */
#define FOLDER "/run/netns"
#define OWN    "/proc/thread-self/ns/net"

/* Longer than net/namespace.c gives the program that sets up a new one. */
enum { MAKER_TIMEOUT_MS = 15 * 1000, MAKER_STEP_MS = 5 };

static int path_of(const char *name, char **ret_path, struct err *err)
{
	if (!name[0] || strlen(name) > NAME_MAX || strchr(name, '/') || text_equal(name, ".") ||
		text_equal(name, ".."))
		return err_set(err, -EINVAL,
			"network namespace '%s': must be the name of a file in " FOLDER, name);
	*ret_path = xformat(FOLDER "/%s", name);
	return 0;
}

int network_namespace_open(const char *name, int *ret_fd, struct err *err)
{
	cleanup_free char *path = NULL;
	int fd;
	int r = path_of(name, &path, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set_errno(err, -errno, "opening network namespace %s", path);
	*ret_fd = fd;
	return 0;
}

static int own_open(const char *name, int *ret_fd, struct err *err)
{
	int fd = open(OWN, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, -errno,
			"entering network namespace %s: remembering the present one", name);
	*ret_fd = fd;
	return 0;
}

static bool is_namespace(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && status.f_type == NSFS_MAGIC;
}

bool network_namespace_exists(const char *name)
{
	cleanup_free char *path = NULL;

	return path_of(name, &path, NULL) == 0 && is_namespace(path);
}

/* Who makes one holds the folder's lock meanwhile. Who holds it for longer makes none. */
static void maker_await(void)
{
	cleanup_close int folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t deadline_ms = clock_now_ms() + MAKER_TIMEOUT_MS;

	while (folder >= 0 && flock(folder, LOCK_SH | LOCK_NB) < 0 &&
		clock_left_ms(deadline_ms) > 0)
		clock_sleep_ms(MAKER_STEP_MS);
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
	if (!network_namespace_exists(name))
		maker_await();
	r = network_namespace_open(name, &there, err);
	if (r == 0)
		r = own_open(name, &home, err);
	if (r < 0)
		return r;
	r = setns(there, CLONE_NEWNET) < 0 ? -errno : 0;
	/* Whoever put it there: it is not what a client sent, as -EINVAL would say. */
	if (r == -EINVAL)
		return err_set(err, -ENXIO,
			"entering network namespace %s: /run/netns/%s is none; remove it", name,
			name);
	if (r < 0)
		return err_set_errno(err, r, "entering network namespace %s", name);
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

/*
 * The folder as `ip netns add` makes it: a shared mount, so that who has an own mount namespace
 * (`ip netns exec` gives one) sees what is added later. Locked until *ret_fd is closed, as that
 * program does.
 */
static int folder_prepare(int *ret_fd, struct err *err)
{
	cleanup_close int fd = -1;
	int r = directory_make(FOLDER, 0755, err);

	if (r < 0)
		return r;
	fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_set_errno(err, -errno, "locking " FOLDER);
	if (mount("", FOLDER, NULL, MS_SHARED | MS_REC, NULL) < 0) {
		/* EINVAL: it is no mount point yet. */
		if (errno != EINVAL || mount(FOLDER, FOLDER, NULL, MS_BIND | MS_REC, NULL) < 0 ||
			mount("", FOLDER, NULL, MS_SHARED | MS_REC, NULL) < 0)
			return err_set_errno(err, -errno, "making " FOLDER " a shared mount");
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The thread is in a new namespace during the stay; its name comes last. */
static int namespace_add(const char *name, const char *path,
	int (*prepare)(const void *context, struct err *err), const void *context, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_close int home = -1;
	cleanup_close int file = -1;
	int r = own_open(name, &home, err);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		return err_set_errno(err, -errno, "leaving the own namespace");
	stay.home = take_fd(&home);
	r = prepare(context, err);
	if (r < 0)
		return r;
	file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (file < 0)
		return err_set_errno(err, -errno, "creating %s", path);
	if (mount(OWN, path, NULL, MS_BIND, NULL) < 0)
		return err_set_errno(err, -errno, "mounting it as %s", path);
	return 0;
}

int network_namespace_make(const char *name, int (*prepare)(const void *context, struct err *err),
	const void *context, bool *ret_made, struct err *err)
{
	cleanup_close int folder = -1;
	cleanup_free char *path = NULL;
	int r = path_of(name, &path, err);

	if (r == 0)
		r = folder_prepare(&folder, err);
	if (r < 0)
		return r;
	*ret_made = false;
	if (is_namespace(path))
		return 0;
	r = namespace_add(name, path, prepare, context, err);
	if (r < 0) {
		unlink(path);
		return err_wrap(err, r, "making network namespace %s", name);
	}
	*ret_made = true;
	return 0;
}
