/* SPDX-License-Identifier: Apache-2.0 */
#include "net/slaac.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* /proc/sys/net shows the network namespace of the thread that opens it. */
static int conf_set(
	const char *interface, const char *key, char wanted, bool *ret_changed, struct err *err)
{
	cleanup_free char *path = xformat("/proc/sys/net/ipv6/conf/%s/%s", interface, key);
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
	char present[2] = "";

	if (fd < 0)
		return err_set_errno(err, -errno, "opening %s", path);
	if (pread(fd, present, sizeof(present), 0) == sizeof(present) && present[0] == wanted &&
		present[1] == '\n')
		return 0;
	if (pwrite(fd, &wanted, sizeof(wanted), 0) != sizeof(wanted))
		return err_set_errno(err, -errno, "writing %c to %s", wanted, path);
	*ret_changed = true;
	return 0;
}

/* 2: also where forwarding is on, as it is in an amphora. */
int slaac_start(const char *interface, bool *ret_changed, struct err *err)
{
	int r = conf_set(interface, "accept_ra", '2', ret_changed, err);

	return r < 0 ? r : conf_set(interface, "autoconf", '1', ret_changed, err);
}

int slaac_stop(const char *interface, bool *ret_changed, struct err *err)
{
	int r = conf_set(interface, "accept_ra", '0', ret_changed, err);

	return r < 0 ? r : conf_set(interface, "autoconf", '0', ret_changed, err);
}
