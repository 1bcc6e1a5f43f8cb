/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "drive/loop_device.h"

enum { SCAN_PERIOD_MS = 100 };

/* What messages put before the paths of files on it. */
#define DRIVE_NAME "config drive:"

static bool label_read(int fd, struct volume_label *ret_label)
{
	cleanup_free uint8_t *head = xcalloc(1, VOLUME_HEAD_BYTES);
	size_t size_bytes = 0;
	ssize_t got;

	while (size_bytes < VOLUME_HEAD_BYTES) {
		got = pread(
			fd, head + size_bytes, VOLUME_HEAD_BYTES - size_bytes, (off_t)size_bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size_bytes += (size_t)got;
	}
	return volume_label_parse(head, size_bytes, ret_label);
}

/* A drive without a medium, a device that is just going away: they have no label, that is all. */
static bool has_label(const char *path, const char *label)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct volume_label found;

	return fd >= 0 && label_read(fd, &found) && text_equal_nocase(found.text, label);
}

/* Takes the block device called name, if it has the label; sysfs writes '!' for '/' in names. */
static bool take(const char *root, const char *name, const char *label, char *ret_path)
{
	int prefix = snprintf(ret_path, VOLUME_PATH_MAX + 1, "%s/dev/%s", root, name);

	if (prefix > VOLUME_PATH_MAX)
		return false;
	for (char *c = ret_path + prefix - strlen(name); *c; c++)
		if (*c == '!')
			*c = '/';
	return has_label(ret_path, label);
}

static void entries_free(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/* In the order of names, so that of two with the label the same one is taken at each boot. */
static bool scan(const char *root, const char *label, char *ret_path)
{
	cleanup_free char *folder = xformat("%s/sys/class/block", root);
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);
	bool is_found = false;

	for (int i = 0; i < count; i++) {
		char path[VOLUME_PATH_MAX + 1];

		if (entries[i]->d_name[0] == '.' || !take(root, entries[i]->d_name, label, path))
			continue;
		if (is_found)
			log_warning("%s is labelled %s as well: not read", path, label);
		else
			memcpy(ret_path, path, sizeof(path));
		is_found = true;
	}
	entries_free(entries, count);
	return is_found;
}

int volume_find(const char *root, const char *label, unsigned wait_s,
	char ret_path[static VOLUME_PATH_MAX + 1], struct err *err)
{
	int64_t deadline_ms = clock_now_ms() + (int64_t)wait_s * 1000;

	while (!scan(root, label, ret_path)) {
		if (clock_now_ms() >= deadline_ms)
			return err_set(err, -ENODEV,
				"no block device is labelled %s: is the instance booted with a "
				"config drive?",
				label);
		clock_sleep_ms(SCAN_PERIOD_MS);
	}
	return 0;
}

/* A mount that no path leads to: closing the descriptor, however the program ends, ends it. */
static int mount_detached(const char *device, const char *file_system, int *ret_fd, struct err *err)
{
	enum {
		ATTRIBUTES =
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
	};
	cleanup_close int context = fsopen(file_system, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0)
		return err_set_errno(err, -errno,
			"mounting %s: this kernel's file system %s (is the module there?)", device,
			file_system);
	if (fsconfig(context, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
		fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
		fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_set_errno(err, -errno, "mounting %s as %s", device, file_system);
	fd = fsmount(context, FSMOUNT_CLOEXEC, ATTRIBUTES);
	if (fd < 0)
		return err_set_errno(err, -errno, "mounting %s as %s", device, file_system);
	*ret_fd = fd;
	return 0;
}

static int volume_mount(
	const char *path, int fd, bool is_image, struct tree *ret_drive, struct err *err)
{
	char loop_path[LOOP_DEVICE_PATH_MAX];
	cleanup_close int loop = -1;
	cleanup_close int mount = -1;
	struct volume_label label;
	int r = 0;

	if (!label_read(fd, &label))
		return err_set(err, -EINVAL, "%s: neither ISO 9660 nor FAT", path);
	if (is_image)
		r = loop_device_attach(fd, loop_path, &loop, err);
	if (r == 0)
		r = mount_detached(is_image ? loop_path : path, label.file_system, &mount, err);
	if (r < 0)
		return err_wrap(err, r, "%s", path);
	log_info("reading config drive %s, %s labelled %s", path, label.file_system, label.text);
	*ret_drive = (struct tree){.fd = take_fd(&mount), .name = xstrdup(DRIVE_NAME)};
	return 0;
}

int volume_open(const char *path, struct tree *ret_drive, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return err_set_errno(err, -errno, "opening config drive %s", path);
	if (S_ISDIR(status.st_mode)) {
		log_info("reading config drive %s, a folder", path);
		return tree_open(path, DRIVE_NAME, ret_drive, err);
	}
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return err_set(err, -EINVAL, "%s: no device, no image and no folder", path);
	return volume_mount(path, fd, S_ISREG(status.st_mode), ret_drive, err);
}
