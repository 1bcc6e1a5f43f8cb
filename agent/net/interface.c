/* SPDX-License-Identifier: Apache-2.0 */
#include "net/interface.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "net/dhcp.h"
#include "net/interface_state.h"
#include "net/slaac.h"

/* An MTU that differs is set on a link that is up as well: the network's may have changed. */
static int link_apply(struct interface *interface, struct err *err)
{
	const struct netlink_link *link = &interface->link;
	unsigned mtu_bytes = interface->wanted->mtu_bytes;
	int r;

	if (link->is_up && (mtu_bytes == 0 || mtu_bytes == link->mtu_bytes))
		return 0;
	r = netlink_link_up(interface->netlink, link->index, mtu_bytes, err);
	if (r == 0)
		interface->changed = true;
	return r;
}

static int link_down(struct interface *interface, struct err *err)
{
	return netlink_link_down(interface->netlink, interface->link.index, err);
}

/* A kernel without IPv6 still has the other half to give. */
static int slaac_apply(struct interface *interface, struct err *err)
{
	int r;

	if (!interface->wanted->wants_slaac)
		return 0;
	r = slaac_start(interface->link.name, &interface->changed, err);
	if (r != -ENOENT)
		return r;
	log_warning("interface %s: no addresses from routers: has the kernel IPv6?",
		interface->link.name);
	return 0;
}

static int client_start(struct interface *interface, bool *ret_started, struct err *err)
{
	int r = dhcp_start(interface->link.name, ret_started, err);

	interface->changed = interface->changed || *ret_started;
	return r;
}

/* One that ends before it has written its lease down knows of none to give back. */
static int client_stop(struct interface *interface, struct err *err)
{
	bool stopped = false;
	int r = dhcp_stop(interface->link.name, &stopped, err);

	if (r < 0 || !stopped)
		return r;
	interface->changed = true;
	r = interface_remove_leased_addresses(interface, err);
	return r < 0 ? r : interface_remove_leased_routes(interface, err);
}

/*
 * A lease that is no longer wanted goes first: its address may be one that is described now. The
 * waits for duplicate address detection and for a lease are one.
 */
static int addresses_apply(struct interface *interface, struct err *err)
{
	bool wants_dhcp = interface->wanted->wants_dhcp;
	bool client_started = false;
	int r = 0;

	if (!wants_dhcp)
		r = client_stop(interface, err);
	if (r == 0)
		r = interface_remove_stale_addresses(interface, err);
	if (r == 0)
		r = interface_add_addresses(interface, err);
	if (r == 0 && wants_dhcp)
		r = client_start(interface, &client_started, err);
	if (r == 0)
		r = interface_await_addresses(interface, client_started, err);
	return r;
}

static int interface_open(struct interface *interface, const struct interface_description *wanted,
	struct netlink **ret_netlink, struct err *err)
{
	int r = netlink_open(ret_netlink, err);

	if (r < 0)
		return r;
	*interface = (struct interface){.wanted = wanted, .netlink = *ret_netlink};
	return netlink_find_name(*ret_netlink, wanted->name, &interface->link, err);
}

/* The order matters: a link that is up, then its addresses, then the routes from them. */
int interface_up(
	const struct interface_description *description, bool *ret_changed, struct err *err)
{
	static int (*const steps[])(struct interface * interface, struct err * err) = {
		slaac_apply,
		link_apply,
		addresses_apply,
		interface_apply_routes,
		interface_apply_rules,
	};
	cleanup_netlink struct netlink *netlink = NULL;
	struct interface interface;
	int r = interface_open(&interface, description, &netlink, err);

	for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](&interface, err);
	if (r < 0)
		return err_wrap(err, r, "interface %s", description->name);
	if (ret_changed)
		*ret_changed = interface.changed;
	return 0;
}

static int slaac_end(struct interface *interface, struct err *err)
{
	int r = slaac_stop(interface->link.name, &interface->changed, err);

	return r == -ENOENT ? 0 : r;
}

/* Every step is tried, whatever became of those before; the first failure is told. */
static int take_down(struct interface *interface, struct err *err)
{
	static int (*const steps[])(struct interface * interface, struct err * err) = {
		client_stop,
		interface_apply_rules,
		interface_apply_routes,
		interface_remove_stale_addresses,
		link_down,
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct err step_err = ERR_NONE;
		int r = steps[i](interface, &step_err);

		if (r < 0 && failed == 0)
			failed = err_set(err, r, "%s", step_err.text);
	}
	return failed;
}

/* Down is: as described, where nothing is described but what keepalived puts on. */
int interface_down(const struct interface_description *description, struct err *err)
{
	cleanup_free struct described_address *kept =
		xcalloc(description->address_count + 1, sizeof(*kept));
	struct interface_description rest = {.type = description->type, .addresses = kept};
	cleanup_netlink struct netlink *netlink = NULL;
	struct interface interface;
	int r;

	memcpy(rest.name, description->name, sizeof(rest.name));
	for (size_t i = 0; i < description->address_count; i++)
		if (!description->addresses[i].is_ours)
			kept[rest.address_count++] = description->addresses[i];
	r = interface_open(&interface, &rest, &netlink, err);
	if (r == 0 && description->wants_slaac)
		r = slaac_end(&interface, err);
	if (r == 0)
		r = take_down(&interface, err);
	return r < 0 ? err_wrap(err, r, "interface %s", description->name) : 0;
}
