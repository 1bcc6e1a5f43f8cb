/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphora-dhcp-script: what dhclient runs when a lease of an amphora's interface begins, goes on or
 * ends; it says by its environment which (dhclient-script(8)). Takes no arguments. A status other
 * than 0 makes dhclient decline the lease.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/dhcp_event.h"

static bool stderr_leads_nowhere(void)
{
	struct stat nowhere;
	struct stat status;

	return fstat(STDERR_FILENO, &status) < 0 ||
	       (stat("/dev/null", &nowhere) == 0 && S_ISCHR(status.st_mode) &&
		       status.st_rdev == nowhere.st_rdev);
}

/*
 * dhclient in the background has thrown its standard error away. A line of our log, with its
 * priority in front, is a datagram of syslog's as it is.
 */
static void log_to_syslog(void)
{
	static const struct sockaddr_un syslog = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&syslog, sizeof(syslog)) == 0)
		dup2(fd, STDERR_FILENO);
}

static const char *environment(const char *name, const void *context)
{
	(void)context;
	return getenv(name);
}

int main(void)
{
	struct err err = ERR_NONE;

	if (stderr_leads_nowhere())
		log_to_syslog();
	if (dhcp_event_apply(environment, NULL, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
