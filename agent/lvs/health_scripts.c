/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/health_scripts.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "sys/installation.h"

/* Whoever runs it need not read what it says to a person. */
static char *script_text(const char *arguments)
{
	cleanup_free char *program = installation_find_program("amphora-health-checker");

	return xformat("#!/bin/sh\nexec '%s' %s >/dev/null 2>&1\n", program, arguments);
}

static int script_store(const char *path, const char *arguments, struct err *err)
{
	cleanup_free char *text = script_text(arguments);

	return file_ensure(path, text, strlen(text), 0755, err);
}

int health_scripts_store(const char *base_path, struct err *err)
{
	cleanup_free char *folder = xformat("%s/lvs/check", base_path);
	cleanup_free char *udp = xformat("%s/udp_check.sh", folder);
	cleanup_free char *ping = xformat("%s/ping-wrapper.sh", base_path);
	int r = directory_make(folder, 0755, err);

	if (r == 0)
		r = script_store(udp, "udp \"$1\" \"$2\"", err);
	if (r == 0)
		r = script_store(ping, "ping \"$HAPROXY_SERVER_ADDR\"", err);
	return r;
}
