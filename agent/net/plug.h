/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugging: an interface that appeared in the agent's own namespace, known by its MAC, is
 * described, remembered, moved into the site's namespace and made what was asked (amphora-api.md,
 * "Plugging"). Killed at any step and asked again it ends plugged, nothing doubled. Used by the
 * agent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "conf/settings.h"
#include "net/plug_request.h"
#include "net/site.h"

enum plug_result {
	PLUG_DONE,
	PLUG_UPDATED,   /* it was in the namespace, and something had to be done */
	PLUG_UNCHANGED, /* it was there, as described */
};

/*
 * -ENODEV: no interface has that MAC; the PCI bus was asked to look again. *ret_name is the name in
 * the namespace. A VIP that is plugged already keeps its stored description: it may hold by now
 * what plug_network() added.
 */
int plug_vip(const struct net_site *site, enum topology topology,
	const struct plug_vip_request *request, enum plug_result *ret_result,
	char ret_name[static IFNAMSIZ], struct err *err);
/* The same; one that is in the namespace is updated in place. */
int plug_network(const struct net_site *site, enum topology topology,
	const struct plug_network_request *request, enum plug_result *ret_result,
	char ret_name[static IFNAMSIZ], struct err *err);
