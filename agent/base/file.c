/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

DEFINE_CLEANUP(DIR *, closedir);

/* A file's temporary is ".NAME.tmp-XXXXXX": told from what a person may leave beside it. */
#define TEMPORARY_MARK ".tmp-"

enum { TEMPORARY_RANDOM_SIZE = 6 };

enum { READ_STEP_BYTES = 64 * KIB, TREE_DEPTH_MAX = 16 };

static int fd_read_all(int fd, struct buf *ret_content)
{
	for (;;) {
		/* Never ask for more than one byte above the limit: that byte tells "too large". */
		size_t left = ret_content->max_bytes - ret_content->size_bytes;
		size_t step = left < READ_STEP_BYTES ? left : READ_STEP_BYTES;
		char beyond;
		ssize_t got;

		if (step == 0) {
			got = read(fd, &beyond, 1);
			if (got > 0)
				return -EMSGSIZE;
		} else {
			void *room = buf_reserve(ret_content, step);

			if (!room)
				return buf_error(ret_content);
			got = read(fd, room, step);
			if (got > 0)
				buf_commit(ret_content, (size_t)got);
		}
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
	}
}

int file_read(const char *path, struct buf *ret_content, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int r;

	if (fd < 0)
		return err_set_errno(err, -errno, "reading %s", path);
	if (fstat(fd, &status) < 0)
		return err_set_errno(err, -errno, "reading %s", path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, -EINVAL, "reading %s: not a regular file", path);
	r = fd_read_all(fd, ret_content);
	if (r == -EMSGSIZE)
		return err_set(err, r, "reading %s: larger than the limit of %zu bytes", path,
			ret_content->max_bytes);
	if (r < 0)
		return err_set_errno(err, r, "reading %s", path);
	return 0;
}

static int fd_write_all(int fd, const char *data, size_t size_bytes)
{
	while (size_bytes > 0) {
		ssize_t written = write(fd, data, size_bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		size_bytes -= (size_t)written;
	}
	return 0;
}

/* The folder that path lies in; the caller frees it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	if (slash == path)
		return xstrdup("/");
	return xmemdup_text(path, (size_t)(slash - path));
}

static int folder_sync(const char *path, struct err *err)
{
	cleanup_free char *folder = folder_of(path);
	cleanup_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* EINVAL: a file system that has no such thing. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_set_errno(err, -errno, "syncing folder %s", folder);
	return 0;
}

static int temporary_fill(int fd, const void *data, size_t size_bytes, mode_t mode, bool sync)
{
	int r;

	if (fchmod(fd, mode) < 0)
		return -errno;
	r = fd_write_all(fd, data, size_bytes);
	if (r < 0)
		return r;
	if (sync && fsync(fd) < 0)
		return -errno;
	return 0;
}

static int replace(const char *path, const void *data, size_t size_bytes, mode_t mode, bool sync,
	struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	cleanup_free char *temporary =
		xformat("%.*s.%s" TEMPORARY_MARK "XXXXXX", (int)(name - path), path, name);
	cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set_errno(err, -errno, "creating a file beside %s", path);
	r = temporary_fill(fd, data, size_bytes, mode, sync);
	/* Before it has its name: what is open for writing cannot be executed (ETXTBSY). */
	fd = close_fd(fd);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_set_errno(err, r, "writing %s", path);
	}
	return sync ? folder_sync(path, err) : 0;
}

int file_replace(
	const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err)
{
	return replace(path, data, size_bytes, mode, true, err);
}

int file_replace_nosync(
	const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err)
{
	return replace(path, data, size_bytes, mode, false, err);
}

int file_ensure(const char *path, const void *data, size_t size_bytes, mode_t mode, struct err *err)
{
	cleanup_buf struct buf present = BUF_INIT(size_bytes);
	struct stat status;

	if (stat(path, &status) == 0 && (status.st_mode & 07777) == mode &&
		(size_t)status.st_size == size_bytes && file_read(path, &present, NULL) == 0 &&
		present.size_bytes == size_bytes &&
		memcmp(buf_text(&present), data, size_bytes) == 0)
		return 0;
	return file_replace(path, data, size_bytes, mode, err);
}

int file_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) < 0)
		return err_set_errno(err, -errno, "renaming %s to %s", from, to);
	return folder_sync(to, err);
}

int file_remove(const char *path, struct err *err)
{
	if (unlink(path) == 0)
		return folder_sync(path, err);
	if (errno != ENOENT)
		return err_set_errno(err, -errno, "removing %s", path);
	return 0;
}

static bool is_dot_or_dot_dot(const char *name)
{
	return text_equal(name, ".") || text_equal(name, "..");
}

static int tree_empty(int parent, const char *name, int depth);

static int tree_entry_remove(int folder, const char *name, int depth)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	int unlink_error = -errno;

	if (unlink_error != -EISDIR && unlink_error != -EPERM)
		return unlink_error;
	int r = tree_empty(folder, name, depth + 1);

	if (r < 0)
		return r == -ENOTDIR ? unlink_error : r;
	if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int tree_empty(int parent, const char *name, int depth)
{
	cleanup_close int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(cleanup_closedir) DIR *folder = NULL;
	struct dirent *entry;

	if (fd < 0)
		return -errno;
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	folder = fdopendir(fd);
	if (!folder)
		return -errno;
	take_fd(&fd);
	while ((entry = readdir(folder))) {
		int r;

		if (is_dot_or_dot_dot(entry->d_name))
			continue;
		r = tree_entry_remove(dirfd(folder), entry->d_name, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

int directory_remove(const char *path, struct err *err)
{
	int r = tree_empty(AT_FDCWD, path, 0);

	if (r == 0 && rmdir(path) < 0)
		r = -errno;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set_errno(err, r, "removing folder %s", path);
	return folder_sync(path, err);
}

int directory_make(const char *path, mode_t mode, struct err *err)
{
	cleanup_free char *parent = NULL;
	struct stat status;
	int r;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST) {
		if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
			return 0;
		return err_set(
			err, -ENOTDIR, "making folder %s: something else has that name", path);
	}
	if (errno != ENOENT)
		return err_set_errno(err, -errno, "making folder %s", path);
	parent = folder_of(path);
	if (text_equal(parent, path) || text_equal(parent, "."))
		return err_set_errno(err, -ENOENT, "making folder %s", path);
	r = directory_make(parent, mode, err);
	if (r < 0)
		return r;
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set_errno(err, -errno, "making folder %s", path);
	return 0;
}

static bool is_temporary(const char *name)
{
	size_t tail = strlen(TEMPORARY_MARK) + TEMPORARY_RANDOM_SIZE;
	size_t size = strlen(name);

	return name[0] == '.' && size > tail + 1 &&
	       text_starts_with(name + size - tail, TEMPORARY_MARK);
}

void directory_sweep(const char *path)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (is_temporary(entry->d_name))
			unlinkat(dirfd(folder), entry->d_name, 0);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
