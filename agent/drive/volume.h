/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The volume that the config drive is on: found by its label, and read through a mount that has no
 * place in the file system, is read-only and is gone with the program. Used by
 * amphora-config-drive.
 */
#pragma once

#include "base/err.h"
#include "drive/tree.h"
#include "drive/volume_label.h"

/* What nova labels it; compared without regard to case, because mkfs.vfat may store capitals. */
#define VOLUME_LABEL_CONFIG_DRIVE "config-2"

enum { VOLUME_PATH_MAX = 255 };

/*
 * Looks through the block devices in root's /sys/class/block until one has the label, for at most
 * wait_s seconds: buses are still being scanned when the machine boots. The path of its node in
 * root's /dev. -ENODEV when there is none.
 */
int volume_find(const char *root, const char *label, unsigned wait_s,
	char ret_path[static VOLUME_PATH_MAX + 1], struct err *err);

/* The drive at path: a device, an image of one, or the folder where it is mounted or unpacked. */
int volume_open(const char *path, struct tree *ret_drive, struct err *err);
