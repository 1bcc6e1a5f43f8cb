/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "net/advertisement.h"
#include "net/namespace.h"
#include "net/plugged_interfaces.h"
#include "sys/netlink.h"
#include "sys/network_namespace.h"
#include "sys/pci.h"

/* The reference's, and what `details` and people expect. */
static const char vip_name[] = "eth1";
enum { PORT_NUMBER_MIN = 2, PORT_NUMBER_MAX = 9999 };

/* An interface that is to be plugged, or is. */
struct found {
	const struct mac *mac;
	bool is_plugged;     /* in the namespace, under this name */
	char name[IFNAMSIZ]; /* the present one */
};

/* The links of the site's namespace: none, while there is no namespace. */
static int inner_links(const struct net_site *site, struct netlink_link **ret_links,
	size_t *ret_count, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_netlink struct netlink *netlink = NULL;
	int r;

	*ret_links = NULL;
	*ret_count = 0;
	if (net_site_has_namespace(site) && !network_namespace_exists(site->network_namespace))
		return 0;
	r = network_namespace_enter(site->network_namespace, &stay, err);
	if (r == 0)
		r = netlink_open(&netlink, err);
	return r < 0 ? r : netlink_links(netlink, ret_links, ret_count, err);
}

/* The name that the MAC is remembered under; "" for none. */
static int remembered_name(const struct net_site *site, const struct mac *mac,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	cleanup_free struct plugged_interface *interfaces = NULL;
	size_t count;
	int r = plugged_interfaces_load(site->plugged_interfaces_path, &interfaces, &count, err);

	if (r < 0)
		return r;
	ret_name[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (mac_equal(&interfaces[i].mac, mac))
			memcpy(ret_name, interfaces[i].name, IFNAMSIZ);
	return 0;
}

static int outer_find(const struct mac *mac, struct netlink_link *ret_link, struct err *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	int r = netlink_open(&netlink, err);

	return r < 0 ? r : netlink_find_mac(netlink, mac, ret_link, err);
}

/* Without a namespace, plugged is what is remembered and has been described. */
static int is_plugged_in_place(const struct net_site *site, struct found *found, struct err *err)
{
	CLEANUP(description_deinit) struct interface_description stored = {0};
	char name[IFNAMSIZ];
	int r = remembered_name(site, found->mac, name, err);

	if (r < 0)
		return r;
	found->is_plugged = text_equal(name, found->name) &&
			    description_load(site->interfaces_dir, name, &stored, NULL) == 0;
	return 0;
}

static int find(const struct net_site *site, const struct mac *mac, struct found *ret_found,
	struct err *err)
{
	cleanup_free struct netlink_link *links = NULL;
	struct netlink_link outer;
	size_t count = 0;
	int r = net_site_has_namespace(site) ? inner_links(site, &links, &count, err) : 0;

	if (r < 0)
		return r;
	*ret_found = (struct found){.mac = mac};
	for (size_t i = 0; i < count; i++) {
		if (!mac_equal(&links[i].mac, mac))
			continue;
		ret_found->is_plugged = true;
		memcpy(ret_found->name, links[i].name, IFNAMSIZ);
		return 0;
	}
	r = outer_find(mac, &outer, err);
	if (r == -ENODEV)
		pci_rescan();
	if (r < 0)
		return r;
	memcpy(ret_found->name, outer.name, IFNAMSIZ);
	return net_site_has_namespace(site) ? 0 : is_plugged_in_place(site, ret_found, err);
}

static bool has_name(const struct netlink_link *links, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(links[i].name, name))
			return true;
	return false;
}

/* A MAC that was remembered under eth1 and is gone (the VIP got another port) is in nobody's way.
 */
static int vip_name_choose(const struct net_site *site, const struct found *found,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	cleanup_free struct netlink_link *links = NULL;
	size_t count;
	int r;

	if (found->is_plugged || !net_site_has_namespace(site)) {
		memcpy(ret_name, found->name, IFNAMSIZ);
		return 0;
	}
	r = inner_links(site, &links, &count, err);
	if (r < 0)
		return r;
	if (has_name(links, count, vip_name))
		return err_set(err, -EEXIST,
			"network namespace %s has another interface %s, with another MAC: a VIP is "
			"plugged already; unplug that one first",
			site->network_namespace, vip_name);
	memcpy(ret_name, vip_name, sizeof(vip_name));
	return 0;
}

/* Free is what neither the namespace nor another MAC has; a MAC that had a name keeps it. */
static int free_name_choose(const struct net_site *site, const struct mac *mac,
	const struct netlink_link *links, size_t link_count, char ret_name[static IFNAMSIZ],
	struct err *err)
{
	cleanup_free struct plugged_interface *interfaces = NULL;
	size_t count;
	int r = plugged_interfaces_load(site->plugged_interfaces_path, &interfaces, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!mac_equal(&interfaces[i].mac, mac) ||
			has_name(links, link_count, interfaces[i].name))
			continue;
		memcpy(ret_name, interfaces[i].name, IFNAMSIZ);
		return 0;
	}
	for (unsigned number = PORT_NUMBER_MIN; number <= PORT_NUMBER_MAX; number++) {
		bool taken;

		snprintf(ret_name, IFNAMSIZ, "eth%u", number);
		taken = has_name(links, link_count, ret_name);
		for (size_t i = 0; i < count && !taken; i++)
			taken = text_equal(interfaces[i].name, ret_name) &&
				!mac_equal(&interfaces[i].mac, mac);
		if (!taken)
			return 0;
	}
	return err_set(err, -ENFILE, "no name from eth%d to eth%d is free", PORT_NUMBER_MIN,
		PORT_NUMBER_MAX);
}

static int port_name_choose(const struct net_site *site, const struct found *found,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	cleanup_free struct netlink_link *links = NULL;
	size_t count;
	int r;

	if (found->is_plugged || !net_site_has_namespace(site)) {
		memcpy(ret_name, found->name, IFNAMSIZ);
		return 0;
	}
	r = inner_links(site, &links, &count, err);
	return r < 0 ? r : free_name_choose(site, found->mac, links, count, ret_name, err);
}

/*
 * What is stored of the interface, if anything that can be read: true. A file that cannot is
 * replaced by what is asked now.
 */
static bool stored_load(
	const struct net_site *site, const char *name, struct interface_description *ret_stored)
{
	struct err err = ERR_NONE;
	int r = description_load(site->interfaces_dir, name, ret_stored, &err);

	if (r < 0 && r != -ENOENT)
		log_warning("%s; the file is replaced", err.text);
	return r == 0;
}

/*
 * Each step finds what the one before left, and does nothing where it was done: whoever asks again
 * after a kill ends where an undisturbed request ends. The description comes first, for from the
 * move on a boot goes by it.
 */
static int carry_out(const struct net_site *site, const struct found *found,
	const struct interface_description *description, bool is_stored,
	enum plug_result *ret_result, struct err *err)
{
	bool changed = false;
	int r = is_stored ? 0 : description_store(site->interfaces_dir, description, err);

	if (r == 0)
		r = plugged_interfaces_set(
			site->plugged_interfaces_path, found->mac, description->name, err);
	if (r == 0)
		r = namespace_ensure(site, err);
	if (r == 0)
		r = namespace_take(site, found->mac, description->name, err);
	if (r == 0)
		r = namespace_interface_up(site, description, &changed, err);
	if (r < 0)
		return r;
	if (!found->is_plugged)
		*ret_result = PLUG_DONE;
	else
		*ret_result = changed || !is_stored ? PLUG_UPDATED : PLUG_UNCHANGED;
	return 0;
}

int plug_vip(const struct net_site *site, enum topology topology,
	const struct plug_vip_request *request, enum plug_result *ret_result,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	cleanup_net_lock int lock = -1;
	struct found found;
	char name[IFNAMSIZ];
	bool is_stored;
	int r = net_site_lock(site, &lock, err);

	if (r == 0)
		r = find(site, &request->mac, &found, err);
	if (r == 0)
		r = vip_name_choose(site, &found, name, err);
	if (r < 0)
		return r;
	is_stored = found.is_plugged && stored_load(site, name, &description);
	if (!is_stored)
		plug_vip_describe(request, topology, name, &description);
	r = carry_out(site, &found, &description, is_stored, ret_result, err);
	if (r == 0)
		memcpy(ret_name, name, IFNAMSIZ);
	return r;
}

static int network_plug(const struct net_site *site, enum topology topology,
	const struct plug_network_request *request, enum plug_result *ret_result,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	CLEANUP(description_deinit) struct interface_description stored = {0};
	CLEANUP(description_deinit) struct interface_description description = {0};
	cleanup_net_lock int lock = -1;
	struct found found;
	char name[IFNAMSIZ];
	bool has_stored;
	int r = net_site_lock(site, &lock, err);

	if (r == 0)
		r = find(site, &request->mac, &found, err);
	if (r == 0)
		r = request->has_vip ? vip_name_choose(site, &found, name, err)
				     : port_name_choose(site, &found, name, err);
	if (r < 0)
		return r;
	has_stored = found.is_plugged && stored_load(site, name, &stored);
	plug_network_describe(request, topology, name, has_stored ? &stored : NULL, &description);
	r = carry_out(site, &found, &description,
		has_stored && description_equal(&stored, &description), ret_result, err);
	if (r == 0)
		memcpy(ret_name, name, IFNAMSIZ);
	return r;
}

int plug_network(const struct net_site *site, enum topology topology,
	const struct plug_network_request *request, enum plug_result *ret_result,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	cleanup_free struct address *addresses =
		xcalloc(request->fixed_ip_count + 1, sizeof(*addresses));
	int r = network_plug(site, topology, request, ret_result, ret_name, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < request->fixed_ip_count; i++)
		addresses[i] = request->fixed_ips[i].address;
	advertise_all(site, addresses, request->fixed_ip_count);
	return 0;
}
