/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image file as a block device, for as long as somebody has that open. Used by
 * amphora-config-drive for images given by hand.
 */
#pragma once

#include "base/err.h"

enum { LOOP_DEVICE_PATH_MAX = 32 };

/* Read-only; *ret_fd keeps it until the caller closes it, or a mount of it ends. */
int loop_device_attach(
	int image, char ret_path[static LOOP_DEVICE_PATH_MAX], int *ret_fd, struct err *err);
