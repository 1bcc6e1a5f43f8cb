/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/check.h"

#include <errno.h>

#include "base/cleanup.h"
#include "sys/process.h"

/* With the reload that may follow (haproxy/launch.c) below the 60 s after which a controller asks
 * again. */
enum { CHECK_TIMEOUT_MS = 30 * 1000 };

/* What process_run() adds to the number of a signal. */
enum { SIGNALLED = 128 };

int haproxy_check(const struct haproxy_site *site, const char *config_path, struct buf *ret_output,
	struct err *err)
{
	cleanup_free char *own_config = haproxy_site_own_config_path(site);
	cleanup_free char *check_config = haproxy_site_check_config_path(site);
	const char *const argv[] = {site->haproxy_cmd, "-c", "-L", site->peer_name, "-f",
		config_path, "-f", own_config, "-f", check_config, NULL};
	const struct process_spec spec = {
		.argv = argv,
		.network_namespace = site->network_namespace,
	};
	int status;
	int r = process_run(&spec, CHECK_TIMEOUT_MS, ret_output, &status, err);

	if (r < 0)
		return err_wrap(err, r, "checking %s", config_path);
	if (status > SIGNALLED)
		return err_set(err, -EIO,
			"checking %s: signal %d ended %s (9: perhaps the memory ran out)",
			config_path, status - SIGNALLED, site->haproxy_cmd);
	if (status != 0)
		return err_set(err, -EBADMSG, "checking %s: %s refuses it (exit status %d)",
			config_path, site->haproxy_cmd, status);
	return 0;
}
