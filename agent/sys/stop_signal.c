/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stop_signal.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

int stop_signal_open(struct err *err)
{
	sigset_t awaited;
	int fd;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	fd = signalfd(-1, &awaited, SFD_CLOEXEC);
	return fd < 0 ? err_set_errno(err, -errno, "opening a signal descriptor") : fd;
}
