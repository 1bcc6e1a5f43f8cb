/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

DEFINE_CLEANUP(struct keepalived_site *, keepalived_site_free);

/* The sender, which is another user, looks for the pid file in it, whatever our umask. */
static void folder_open(const char *folder)
{
	struct stat status;

	if (stat(folder, &status) == 0 && (status.st_mode & 07777) == 0755)
		return;
	if (chmod(folder, 0755) < 0)
		log_warning("opening folder %s to everybody: %s; heartbeats cannot tell whether "
			    "keepalived runs",
			folder, strerror(errno));
}

int keepalived_site_new(const struct settings *settings, struct service_manager *services,
	struct keepalived_site **ret_site, struct err *err)
{
	CLEANUP(cleanup_keepalived_site_free)
	struct keepalived_site *site = xcalloc(1, sizeof(*site));
	cleanup_free char *folder = xformat("%s/vrrp", settings->base_path);
	int r = directory_make(folder, 0755, err);

	if (r < 0)
		return r;
	folder_open(folder);
	site->base_path = xstrdup(settings->base_path);
	site->runtime_dir = xstrdup(settings->runtime_dir);
	site->network_namespace = xstrdup(settings->network_namespace);
	site->command = xstrdup(settings->keepalived_cmd);
	site->administrative_log_facility = settings->administrative_log_facility;
	site->services = services;
	*ret_site = take_ptr(site);
	return 0;
}

void keepalived_site_free(struct keepalived_site *site)
{
	if (!site)
		return;
	free(site->base_path);
	free(site->runtime_dir);
	free(site->network_namespace);
	free(site->command);
	free(site);
}
