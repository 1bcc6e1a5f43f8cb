/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the network's files lie, and who may change the network at a time. Made once at start from
 * the settings, immutable then. Used by the agent and amphora-interface.
 *
 *	INTERFACES/NAME.json         descriptions (net/description.h)
 *	BASE/plugged_interfaces      "MAC NAME" lines (net/plugged_interfaces.h)
 *	BASE/nftables-vip.rules      the allow-list's rules, as the reference keeps them
 *	RUNTIME/network.lock         held by whoever changes the network, agent or amphora-interface
 *	RUNTIME/allow-list.lock      held by whoever changes the allow-list (net/allow_list.h)
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "conf/settings.h"

struct net_site {
	char *network_namespace; /* "": none; interfaces then stay where and what they are */
	char *interfaces_dir;
	char *plugged_interfaces_path;
	char *allow_list_path;
	char *lock_path;
	char *allow_list_lock_path;
};

/* Copies what it needs; makes the folders. */
int net_site_new(const struct settings *settings, struct net_site **ret_site, struct err *err);
/* Accepts NULL. */
void net_site_free(struct net_site *site);

bool net_site_has_namespace(const struct net_site *site);

/*
 * Waits until nobody else changes the network, in this process or another one; *ret_lock is the
 * holder's until net_site_unlock(). The kernel drops it with the process, however that ends.
 */
int net_site_lock(const struct net_site *site, int *ret_lock, struct err *err);
/*
 * The same for the allow-list alone, and never for long: new rules need not wait for a plug that
 * waits for an address. Who takes both takes this one last.
 */
int net_site_lock_allow_list(const struct net_site *site, int *ret_lock, struct err *err);
void net_site_unlock(const int *lock);
#define cleanup_net_lock CLEANUP(net_site_unlock)
