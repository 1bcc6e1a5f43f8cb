/* SPDX-License-Identifier: Apache-2.0 */
#include "net/interface_state.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

/*
 * From the last address added on. Together with what else a plug does these stay below the 60 s
 * after which the controller sends the request again.
 */
enum { DETECTION_MAX_MS = 30000, LEASE_MAX_MS = 25000 };

static const struct described_address *described_as(
	const struct interface_description *wanted, const struct netlink_address *address)
{
	for (size_t i = 0; i < wanted->address_count; i++) {
		const struct described_address *described = &wanted->addresses[i];

		if (address_equal(&described->address, &address->address) &&
			described->prefix_length == address->prefix_length)
			return described;
	}
	return NULL;
}

/*
 * A kernel that keeps marks (5.18 and later) marks its own addresses of `lo` and every link-local
 * one: where nothing is marked, marks are not kept.
 */
static int kernel_keeps_marks(struct netlink *netlink, bool *ret_keeps, struct err *err)
{
	cleanup_free struct netlink_address *addresses = NULL;
	size_t count;
	int r = netlink_addresses(netlink, 0, &addresses, &count, err);

	if (r < 0)
		return r;
	*ret_keeps = false;
	for (size_t i = 0; i < count; i++)
		*ret_keeps = *ret_keeps || addresses[i].protocol != 0;
	return 0;
}

/*
 * One that is no longer described goes if it is marked as ours. Where the kernel keeps no marks,
 * nothing tells an operator's address from one that an earlier description had, and the latter
 * would make us deaf to the machine that has it now: so there all of them go, as with the reference
 * agent. What keepalived puts on is described, and stays. One of ours that somebody else turned out
 * to have goes too, to be tried again.
 */
static bool address_is_stale(
	const struct interface *interface, const struct netlink_address *address, bool marks_kept)
{
	const struct described_address *described = described_as(interface->wanted, address);

	if (!address->is_permanent || address->is_link_local)
		return false;
	if (described)
		return described->is_ours && address->has_failed;
	return address->protocol == NETLINK_ADDRESS_OURS || (address->protocol == 0 && !marks_kept);
}

static int address_remove(
	struct interface *interface, const struct netlink_address *address, struct err *err)
{
	struct cidr cidr = {address->address, address->prefix_length};
	char text[CIDR_TEXT_MAX];
	int r = netlink_address_remove(interface->netlink, interface->link.index, &address->address,
		address->prefix_length, err);

	/* With an IPv4 address the kernel removes those of the same subnet that came after it. */
	if (r == -EADDRNOTAVAIL)
		return 0;
	if (r < 0)
		return r;
	interface->changed = true;
	cidr_format(&cidr, text);
	log_info("interface %s: removed address %s%s", interface->link.name, text,
		address->has_failed ? ", which another machine had, to try it again" : "");
	return 0;
}

int interface_remove_stale_addresses(struct interface *interface, struct err *err)
{
	cleanup_free struct netlink_address *addresses = NULL;
	bool marks_kept = false;
	size_t count;
	int r;

	/* Those of `lo` are the kernel's. */
	if (interface->wanted->type == INTERFACE_LO)
		return 0;
	r = kernel_keeps_marks(interface->netlink, &marks_kept, err);
	if (r == 0)
		r = netlink_addresses(
			interface->netlink, interface->link.index, &addresses, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (address_is_stale(interface, &addresses[i], marks_kept))
			r = address_remove(interface, &addresses[i], err);
	return r;
}

int interface_remove_leased_addresses(struct interface *interface, struct err *err)
{
	cleanup_free struct netlink_address *addresses = NULL;
	size_t count;
	int r = netlink_addresses(
		interface->netlink, interface->link.index, &addresses, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (addresses[i].address.family == AF_INET && !addresses[i].is_permanent)
			r = address_remove(interface, &addresses[i], err);
	return r;
}

static bool is_there(const struct described_address *described,
	const struct netlink_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&described->address, &addresses[i].address) &&
			described->prefix_length == addresses[i].prefix_length)
			return true;
	return false;
}

int interface_add_addresses(struct interface *interface, struct err *err)
{
	const struct interface_description *wanted = interface->wanted;
	cleanup_free struct netlink_address *addresses = NULL;
	size_t count;
	int r = netlink_addresses(
		interface->netlink, interface->link.index, &addresses, &count, err);

	for (size_t i = 0; r >= 0 && i < wanted->address_count; i++) {
		const struct described_address *described = &wanted->addresses[i];

		if (!described->is_ours || is_there(described, addresses, count))
			continue;
		r = netlink_address_add(interface->netlink, interface->link.index,
			&described->address, described->prefix_length, err);
		if (r == 0)
			interface->changed = true;
		else if (r == -EEXIST) /* an IPv6 one, with another prefix length */
			r = 0;
	}
	return r;
}

static bool are_settled(const struct netlink_address *addresses, size_t count, const void *context)
{
	for (size_t i = 0; i < count; i++)
		if (addresses[i].is_tentative && described_as(context, &addresses[i]))
			return false;
	return true;
}

static int duplicates_report(struct interface *interface, struct err *err)
{
	cleanup_free struct netlink_address *addresses = NULL;
	size_t count;
	int r = netlink_addresses(
		interface->netlink, interface->link.index, &addresses, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		char text[ADDRESS_TEXT_MAX];

		if (!addresses[i].has_failed || !described_as(interface->wanted, &addresses[i]))
			continue;
		address_format(&addresses[i].address, text);
		log_warning("interface %s: another machine on the network has address %s, so the "
			    "kernel does not use it here; find that machine, take the address off "
			    "it, and run \"amphora-interface up %s\"",
			interface->link.name, text, interface->link.name);
	}
	return r;
}

/*
 * Waits until none of the described addresses, keepalived's included, is in duplicate address
 * detection: no route can have such a one as its source, and nothing can be bound to it.
 */
static int addresses_settle(struct interface *interface, int timeout_ms, struct err *err)
{
	int r = netlink_await_addresses(interface->netlink, interface->link.index, are_settled,
		interface->wanted, timeout_ms, err);

	if (r == -ETIMEDOUT) {
		log_warning("interface %s: duplicate address detection has not ended after %d s; "
			    "going on. Has the link a carrier?",
			interface->link.name, DETECTION_MAX_MS / 1000);
		r = 0;
	}
	return r < 0 ? r : duplicates_report(interface, err);
}

/* A DHCP address, or where a router may give one as well that one: the network may lack a server.
 */
static bool is_leased(const struct netlink_address *addresses, size_t count, const void *context)
{
	const struct interface_description *wanted = context;

	for (size_t i = 0; i < count; i++)
		if (!addresses[i].is_permanent && !addresses[i].is_link_local &&
			!addresses[i].is_tentative &&
			(addresses[i].address.family == AF_INET || wanted->wants_slaac))
			return true;
	return false;
}

static int lease_await(struct interface *interface, int timeout_ms, struct err *err)
{
	int r = netlink_await_addresses(interface->netlink, interface->link.index, is_leased,
		interface->wanted, timeout_ms, err);

	if (r == -ETIMEDOUT) {
		log_warning("interface %s: no DHCP server has given an address within %d s; "
			    "dhclient goes on asking. Has the subnet DHCP enabled?",
			interface->link.name, LEASE_MAX_MS / 1000);
		r = 0;
	}
	return r;
}

int interface_await_addresses(struct interface *interface, bool wants_lease, struct err *err)
{
	int64_t start_ms = clock_now_ms();
	int r = addresses_settle(interface, DETECTION_MAX_MS, err);

	if (r == 0 && wants_lease)
		r = lease_await(interface, clock_left_ms(start_ms + LEASE_MAX_MS), err);
	return r;
}
