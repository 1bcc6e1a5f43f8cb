/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a config drive brings: where each goes, and its bytes. Owned by the instance.
 * Used by amphora-config-drive.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "drive/tree.h"

/* Octavia sends four; nova allows 10 KiB for each if its operator changed nothing. */
enum { DRIVE_FILES_MAX = 64, DRIVE_FILE_SIZE_MAX = 256 * KIB };

struct drive_file {
	struct tree_path path;
	char *content;
	size_t size_bytes;
};

struct drive_files {
	struct drive_file *items;
	size_t count;
};

/*
 * Where a file may go: a path as tree_path_parse() takes it, outside of /proc, /sys and /dev, which
 * are no files. -EINVAL.
 *
 * Programs are not protected from the drive. It comes from the cloud's own nova, like the disk that
 * the machine booted from, and what it legitimately brings (the agent's settings name a
 * haproxy_cmd, the certificates decide who commands the agent) is as good as root.
 */
int drive_file_path_parse(
	const char *data, size_t size_bytes, struct tree_path *ret_path, struct err *err);

/* Adds a file; *content becomes the list's and is empty afterwards. -E2BIG: there are too many. */
int drive_files_add(struct drive_files *files, const struct tree_path *path, struct buf *content,
	struct err *err);
void drive_files_deinit(struct drive_files *files);
