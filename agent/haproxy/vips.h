/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VIPs of a load balancer: the addresses that its frontends are bound to. Pure but for reading
 * the installed haproxy.cfg. Used by the agent.
 */
#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/err.h"
#include "base/id.h"
#include "haproxy/config.h"
#include "haproxy/site.h"

/*
 * Each address once, the first hundreds; "any address", names and sockets are none. The caller
 * frees *ret_addresses.
 */
void haproxy_vips(
	const struct haproxy_config *config, struct address **ret_addresses, size_t *ret_count);
/* Those of the installed haproxy.cfg. -ENOENT: no such load balancer. */
int haproxy_vips_installed(const struct haproxy_site *site, const struct id *id,
	struct address **ret_addresses, size_t *ret_count, struct err *err);
