/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file system a volume has, and its label: read from its first bytes, so that nothing has to
 * wait for udev's links. The formats of a config drive: ISO 9660 (ECMA-119, 8.4) and FAT12, FAT16
 * and FAT32. A plain value. Used by amphora-config-drive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So much of the volume decides: ISO 9660's first descriptor lies at 32 KiB. */
enum { VOLUME_HEAD_BYTES = 34 * 1024, VOLUME_LABEL_MAX = 32 };

struct volume_label {
	const char *file_system; /* the kernel's name: "iso9660" or "vfat" */
	char text[VOLUME_LABEL_MAX + 1];
};

/* False when it is neither format, or too short. */
bool volume_label_parse(const uint8_t *head, size_t size_bytes, struct volume_label *ret_label);
