/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

/* Between asking for a free one and taking it, somebody else may have taken it. */
enum { ATTEMPTS_MAX = 16 };

int loop_device_attach(
	int image, char ret_path[static LOOP_DEVICE_PATH_MAX], int *ret_fd, struct err *err)
{
	struct loop_config config = {
		.fd = (uint32_t)image,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
	};
	cleanup_close int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return err_set_errno(err, -errno, "opening /dev/loop-control");
	for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		cleanup_close int fd = -1;
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return err_set_errno(err, -errno, "finding a free loop device");
		snprintf(ret_path, LOOP_DEVICE_PATH_MAX, "/dev/loop%d", number);
		fd = open(ret_path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set_errno(err, -errno, "opening %s", ret_path);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (errno != EBUSY)
			return err_set_errno(err, -errno, "attaching an image to %s", ret_path);
	}
	return err_set(err, -EBUSY, "every loop device that was free was taken by somebody else");
}
