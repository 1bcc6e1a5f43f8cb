/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

/* A file by the descriptor of its folder: base/file.h takes paths, and this one follows no link. */
enum { BESIDE_TEXT_MAX = 32 + TREE_NAME_MAX };

struct beside {
	char text[BESIDE_TEXT_MAX];
};

static struct beside beside(int folder, const char *name)
{
	struct beside path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d/%s", folder, name);
	return path;
}

static bool name_is_valid(const char *name, size_t size_bytes)
{
	if (size_bytes == 0 || size_bytes > TREE_NAME_MAX || (size_bytes == 1 && name[0] == '.') ||
		(size_bytes == 2 && name[0] == '.' && name[1] == '.'))
		return false;
	for (size_t i = 0; i < size_bytes; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return true;
}

int tree_path_parse(
	const char *data, size_t size_bytes, struct tree_path *ret_path, struct err *err)
{
	const char *end = data + size_bytes;

	if (size_bytes == 0 || data[0] != '/')
		return err_set(err, -EINVAL, "path '%.*s' is refused: it must begin with '/'",
			(int)(size_bytes < TREE_PATH_MAX ? size_bytes : TREE_PATH_MAX), data);
	if (size_bytes > TREE_PATH_MAX)
		return err_set(err, -EINVAL, "path '%.60s...' is refused: longer than %d bytes",
			data, TREE_PATH_MAX);
	for (const char *slash = data; slash;) {
		const char *name = slash + 1;
		size_t name_bytes;

		slash = memchr(name, '/', (size_t)(end - name));
		name_bytes = (size_t)((slash ? slash : end) - name);

		if (!name_is_valid(name, name_bytes))
			return err_set(err, -EINVAL,
				"path '%.*s' is refused: every part of it must be a name of at "
				"most %d bytes, and not '..'",
				(int)size_bytes, data, TREE_NAME_MAX);
	}
	memcpy(ret_path->text, data, size_bytes);
	ret_path->text[size_bytes] = '\0';
	return 0;
}

bool tree_path_is_in(const struct tree_path *path, const char *folder)
{
	size_t size_bytes = strlen(folder);

	return text_starts_with(path->text, folder) &&
	       (path->text[size_bytes] == '/' || path->text[size_bytes] == '\0');
}

int tree_open(const char *path, const char *name, struct tree *ret_tree, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, -errno, "opening folder %s", path);
	*ret_tree = (struct tree){.fd = fd, .name = xstrdup(name)};
	return 0;
}

void tree_deinit(struct tree *tree)
{
	tree->fd = close_fd(tree->fd);
	free(tree->name);
	*tree = TREE_NONE;
}

static int folder_make(int parent, const char *name)
{
	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return fsync(parent) < 0 ? -errno : 0;
}

static int folder_open(int parent, const char *name, bool make, int *ret_fd)
{
	enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	int fd = openat(parent, name, FLAGS);
	int r;

	if (fd < 0 && errno == ENOENT && make) {
		r = folder_make(parent, name);
		if (r < 0)
			return r;
		fd = openat(parent, name, FLAGS);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/*
 * Opens the folder that the path's last name lies in, making what is missing when asked to;
 * *ret_name points into path.
 */
static int walk(const struct tree *tree, const char *path, bool make, int *ret_folder,
	const char **ret_name, struct err *err)
{
	cleanup_close int folder = fcntl(tree->fd, F_DUPFD_CLOEXEC, 0);
	const char *name = path + 1;
	const char *slash;

	if (folder < 0)
		return err_set_errno(err, -errno, "%s%s", tree->name, path);
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		cleanup_free char *step = xmemdup_text(name, (size_t)(slash - name));
		int next = -1;
		int r = folder_open(folder, step, make, &next);

		if (r == -ELOOP || r == -ENOTDIR)
			return err_set(err, r,
				"%s%s is refused: %.*s is no folder, or a symbolic link",
				tree->name, path, (int)(slash - path), path);
		if (r < 0)
			return err_set_errno(err, r, "%s%s: folder %.*s", tree->name, path,
				(int)(slash - path), path);
		close(folder);
		folder = next;
	}
	*ret_folder = take_fd(&folder);
	*ret_name = name;
	return 0;
}

int tree_open_file(
	const struct tree *tree, const char *path, int flags, int *ret_fd, struct err *err)
{
	cleanup_close int folder = -1;
	const char *name;
	int r = walk(tree, path, false, &folder, &name, err);
	int fd;

	if (r < 0)
		return r;
	fd = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, -errno, "opening %s%s", tree->name, path);
	*ret_fd = fd;
	return 0;
}

int tree_read(const struct tree *tree, const char *path, struct buf *ret_content, struct err *err)
{
	cleanup_close int fd = -1;
	int r = tree_open_file(tree, path, O_RDONLY, &fd, err);
	char opened[32];

	if (r < 0)
		return r;
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	r = file_read(opened, ret_content, NULL);
	if (r == -EMSGSIZE)
		return err_set(err, r, "reading %s%s: larger than the limit of %zu bytes",
			tree->name, path, ret_content->max_bytes);
	if (r == -EINVAL)
		return err_set(err, r, "reading %s%s: not a regular file", tree->name, path);
	return r < 0 ? err_set_errno(err, r, "reading %s%s", tree->name, path) : 0;
}

int tree_write(const struct tree *tree, const char *path, const void *data, size_t size_bytes,
	mode_t mode, struct err *err)
{
	cleanup_close int folder = -1;
	const char *name;
	int r = walk(tree, path, true, &folder, &name, err);

	if (r < 0)
		return r;
	/* Of a run that was killed. */
	directory_sweep(beside(folder, ".").text);
	r = file_replace(beside(folder, name).text, data, size_bytes, mode, NULL);
	return r < 0 ? err_set_errno(err, r, "writing %s%s", tree->name, path) : 0;
}

int tree_link(const struct tree *tree, const char *path, const char *target, struct err *err)
{
	/* Its name is fixed, so that a run that was killed leaves no more than one. */
	static const char temporary[] = ".link-of-amphora-config-drive";
	cleanup_close int folder = -1;
	const char *name;
	int r = walk(tree, path, true, &folder, &name, err);

	if (r < 0)
		return r;
	if ((unlinkat(folder, temporary, 0) < 0 && errno != ENOENT) ||
		symlinkat(target, folder, temporary) < 0 ||
		renameat(folder, temporary, folder, name) < 0 || fsync(folder) < 0)
		return err_set_errno(err, -errno, "linking %s%s", tree->name, path);
	return 0;
}

int tree_remove(const struct tree *tree, const char *path, struct err *err)
{
	cleanup_close int folder = -1;
	const char *name;
	int r = walk(tree, path, false, &folder, &name, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if ((unlinkat(folder, name, 0) < 0 && errno != ENOENT) || fsync(folder) < 0)
		return err_set_errno(err, -errno, "removing %s%s", tree->name, path);
	return 0;
}

bool tree_has_file(const struct tree *tree, const char *path)
{
	cleanup_close int fd = -1;
	struct stat status;

	return tree_open_file(tree, path, O_PATH, &fd, NULL) == 0 && fstat(fd, &status) == 0 &&
	       S_ISREG(status.st_mode);
}
