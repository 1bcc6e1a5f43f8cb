/* SPDX-License-Identifier: Apache-2.0 */
#include "net/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

DEFINE_CLEANUP(struct net_site *, net_site_free);

int net_site_new(const struct settings *settings, struct net_site **ret_site, struct err *err)
{
	CLEANUP(cleanup_net_site_free) struct net_site *site = xcalloc(1, sizeof(*site));
	int r;

	site->network_namespace = xstrdup(settings->network_namespace);
	site->interfaces_dir = xstrdup(settings->agent_server_network_dir);
	site->plugged_interfaces_path = xformat("%s/plugged_interfaces", settings->base_path);
	site->allow_list_path = xformat("%s/nftables-vip.rules", settings->base_path);
	site->lock_path = xformat("%s/network.lock", settings->runtime_dir);
	site->allow_list_lock_path = xformat("%s/allow-list.lock", settings->runtime_dir);
	r = directory_make(settings->base_path, 0755, err);
	if (r == 0)
		r = directory_make(settings->runtime_dir, 0755, err);
	if (r < 0)
		return r;
	*ret_site = take_ptr(site);
	return 0;
}

void net_site_free(struct net_site *site)
{
	if (!site)
		return;
	free(site->network_namespace);
	free(site->interfaces_dir);
	free(site->plugged_interfaces_path);
	free(site->allow_list_path);
	free(site->lock_path);
	free(site->allow_list_lock_path);
	free(site);
}

bool net_site_has_namespace(const struct net_site *site)
{
	return site->network_namespace[0] != '\0';
}

/* A descriptor of its own for each holder: flock() then excludes threads as well as processes. */
static int lock(const char *path, int *ret_lock, struct err *err)
{
	cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set_errno(err, -errno, "opening %s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set_errno(err, -errno, "locking %s", path);
	*ret_lock = take_fd(&fd);
	return 0;
}

int net_site_lock(const struct net_site *site, int *ret_lock, struct err *err)
{
	return lock(site->lock_path, ret_lock, err);
}

int net_site_lock_allow_list(const struct net_site *site, int *ret_lock, struct err *err)
{
	return lock(site->allow_list_lock_path, ret_lock, err);
}

void net_site_unlock(const int *lock)
{
	close_fd(*lock);
}
