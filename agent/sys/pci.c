/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/pci.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

void pci_rescan(void)
{
	static const char path[] = "/sys/bus/pci/rescan";
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		log_debug("%s: %m", path);
}
