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

/* An interface that is to be plugged, or is, and who else bears a name. */
struct found {
	const struct mac *mac;
	bool is_plugged;            /* in the namespace, under this name */
	char name[IFNAMSIZ];        /* the present one */
	struct netlink_link *links; /* in the namespace: none, while there is none */
	size_t link_count;
	struct plugged_interface *remembered;
	size_t remembered_count;
};

static void found_deinit(struct found *found)
{
	free(found->links);
	free(found->remembered);
}

static int inner_links(const struct net_site *site, struct found *found, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_netlink struct netlink *netlink = NULL;
	int r;

	if (!net_site_has_namespace(site) || !network_namespace_exists(site->network_namespace))
		return 0;
	r = network_namespace_enter(site->network_namespace, &stay, err);
	if (r == 0)
		r = netlink_open(&netlink, err);
	return r < 0 ? r : netlink_links(netlink, &found->links, &found->link_count, err);
}

static int outer_find(const struct mac *mac, struct netlink_link *ret_link, struct err *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	int r = netlink_open(&netlink, err);

	return r < 0 ? r : netlink_find_mac(netlink, mac, ret_link, err);
}

/* Whether the name is the one that the MAC is remembered under, and has been described. */
static bool is_plugged_in_place(const struct net_site *site, const struct found *found)
{
	CLEANUP(description_deinit) struct interface_description stored = {0};

	for (size_t i = 0; i < found->remembered_count; i++)
		if (mac_equal(&found->remembered[i].mac, found->mac))
			return text_equal(found->remembered[i].name, found->name) &&
			       description_load(site->interfaces_dir, found->name, &stored, NULL) ==
				       0;
	return false;
}

/* found: with its MAC. */
static int find(const struct net_site *site, struct found *found, struct err *err)
{
	struct netlink_link outer;
	int r = plugged_interfaces_load(
		site->plugged_interfaces_path, &found->remembered, &found->remembered_count, err);

	if (r == 0)
		r = inner_links(site, found, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < found->link_count; i++) {
		if (!mac_equal(&found->links[i].mac, found->mac))
			continue;
		found->is_plugged = true;
		memcpy(found->name, found->links[i].name, IFNAMSIZ);
		return 0;
	}
	r = outer_find(found->mac, &outer, err);
	if (r == -ENODEV)
		pci_rescan();
	if (r < 0)
		return r;
	memcpy(found->name, outer.name, IFNAMSIZ);
	found->is_plugged = !net_site_has_namespace(site) && is_plugged_in_place(site, found);
	return 0;
}

static bool is_in_namespace(const struct found *found, const char *name)
{
	for (size_t i = 0; i < found->link_count; i++)
		if (text_equal(found->links[i].name, name))
			return true;
	return false;
}

static bool is_remembered_for_another(const struct found *found, const char *name)
{
	for (size_t i = 0; i < found->remembered_count; i++)
		if (text_equal(found->remembered[i].name, name) &&
			!mac_equal(&found->remembered[i].mac, found->mac))
			return true;
	return false;
}

/* A MAC that was remembered under eth1 and is gone (the VIP got another port) is in nobody's way.
 */
static int vip_name_choose(const struct net_site *site, const struct found *found,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	if (is_in_namespace(found, vip_name))
		return err_set(err, -EEXIST,
			"network namespace %s has another interface %s, with another MAC: a VIP is "
			"plugged already; unplug that one first",
			site->network_namespace, vip_name);
	memcpy(ret_name, vip_name, sizeof(vip_name));
	return 0;
}

/* Free is what neither the namespace nor another MAC has; a MAC that had a name keeps it. */
static int port_name_choose(
	const struct found *found, char ret_name[static IFNAMSIZ], struct err *err)
{
	for (size_t i = 0; i < found->remembered_count; i++) {
		if (!mac_equal(&found->remembered[i].mac, found->mac) ||
			is_in_namespace(found, found->remembered[i].name))
			continue;
		memcpy(ret_name, found->remembered[i].name, IFNAMSIZ);
		return 0;
	}
	for (unsigned number = PORT_NUMBER_MIN; number <= PORT_NUMBER_MAX; number++) {
		snprintf(ret_name, IFNAMSIZ, "eth%u", number);
		if (!is_in_namespace(found, ret_name) &&
			!is_remembered_for_another(found, ret_name))
			return 0;
	}
	return err_set(err, -ENFILE, "no name from eth%d to eth%d is free", PORT_NUMBER_MIN,
		PORT_NUMBER_MAX);
}

/* What is plugged keeps its name, and so does everything where there is no namespace. */
static int name_choose(const struct net_site *site, const struct found *found, bool is_vip,
	char ret_name[static IFNAMSIZ], struct err *err)
{
	if (found->is_plugged || !net_site_has_namespace(site)) {
		memcpy(ret_name, found->name, IFNAMSIZ);
		return 0;
	}
	return is_vip ? vip_name_choose(site, found, ret_name, err)
		      : port_name_choose(found, ret_name, err);
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
	CLEANUP(found_deinit) struct found found = {.mac = &request->mac};
	cleanup_net_lock int lock = -1;
	char name[IFNAMSIZ];
	bool is_stored;
	int r = net_site_lock(site, &lock, err);

	if (r == 0)
		r = find(site, &found, err);
	if (r == 0)
		r = name_choose(site, &found, true, name, err);
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
	CLEANUP(found_deinit) struct found found = {.mac = &request->mac};
	cleanup_net_lock int lock = -1;
	char name[IFNAMSIZ];
	bool has_stored;
	int r = net_site_lock(site, &lock, err);

	if (r == 0)
		r = find(site, &found, err);
	if (r == 0)
		r = name_choose(site, &found, request->has_vip, name, err);
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
