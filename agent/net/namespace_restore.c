/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/allow_list.h"
#include "net/interface.h"
#include "net/masquerade.h"
#include "net/namespace.h"
#include "net/plugged_interfaces.h"
#include "sys/network_namespace.h"

/* One interface on its way up, in a thread of its own. */
struct ascent {
	const struct net_site *site;
	struct interface_description description;
	pthread_t thread;
	bool has_thread;
	bool changed;
	int r;
	struct err err;
};

/* Into the namespace again; one that is nowhere was unplugged for good. */
static bool interfaces_take(
	const struct net_site *site, const struct plugged_interface *interfaces, size_t count)
{
	bool all_done = true;

	for (size_t i = 0; i < count; i++) {
		struct err err = ERR_NONE;
		int r = namespace_take(site, &interfaces[i].mac, interfaces[i].name, &err);

		if (r == -ENODEV) {
			log_debug("%s", err.text);
		} else if (r < 0) {
			log_error("%s", err.text);
			all_done = false;
		}
	}
	return all_done;
}

static void *ascent_run(void *context)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	struct ascent *ascent = context;

	ascent->r = network_namespace_enter(ascent->site->network_namespace, &stay, &ascent->err);
	if (ascent->r == 0)
		ascent->r = interface_up(&ascent->description, &ascent->changed, &ascent->err);
	return NULL;
}

static void ascent_start(struct ascent *ascent)
{
	ascent->has_thread = pthread_create(&ascent->thread, NULL, ascent_run, ascent) == 0;
	if (!ascent->has_thread)
		ascent_run(ascent);
}

/* nft's transactions would only get into each other's way: they come one after the other. */
static bool ascent_finish(struct ascent *ascent)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	const struct interface_description *description = &ascent->description;
	struct err *err = &ascent->err;
	int r;

	if (ascent->has_thread)
		pthread_join(ascent->thread, NULL);
	r = ascent->r;
	if (r == 0 && description->type != INTERFACE_LO) {
		r = network_namespace_enter(ascent->site->network_namespace, &stay, err);
		if (r == 0)
			r = masquerade_add(description, err);
	}
	if (r == 0 && ascent->changed)
		log_info("interface %s is up", description->name);
	else if (r == -ENODEV)
		log_info("interface %s is described but not there", description->name);
	else if (r < 0)
		log_error("%s", err->text);
	return r == 0 || r == -ENODEV;
}

/* What is described is loaded first, so that one bad file is told from one bad interface. */
static size_t ascents_load(const struct net_site *site, const struct interface_name *names,
	size_t count, struct ascent *ascents)
{
	size_t loaded = 0;

	for (size_t i = 0; i < count; i++) {
		struct ascent *ascent = &ascents[loaded];
		struct err err = ERR_NONE;

		if (description_load(
			    site->interfaces_dir, names[i].text, &ascent->description, &err) < 0) {
			log_error("interface %s stays as it is: %s", names[i].text, err.text);
			continue;
		}
		ascent->site = site;
		loaded++;
	}
	return loaded;
}

/* A stored one, and for SR-IOV an empty one where none was stored: never none. */
static bool allow_list_restore(
	const struct net_site *site, const struct ascent *ascents, size_t count)
{
	bool is_needed = allow_list_exists(site);
	struct err err = ERR_NONE;

	for (size_t i = 0; i < count; i++)
		is_needed |= ascents[i].description.is_sriov;
	if (!is_needed || allow_list_enforce(site, &err) == 0)
		return true;
	log_error("allow-list: %s; SR-IOV interfaces stay down", err.text);
	return false;
}

/* Returns how many are left. */
static size_t ascents_drop_sriov(struct ascent *ascents, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (ascents[i].description.is_sriov)
			description_deinit(&ascents[i].description);
		else
			ascents[left++] = ascents[i];
	}
	return left;
}

static bool interfaces_up(
	const struct net_site *site, const struct interface_name *names, size_t count)
{
	cleanup_free struct ascent *ascents = xcalloc(count + 1, sizeof(*ascents));
	size_t loaded = ascents_load(site, names, count, ascents);
	bool all_done = loaded == count;

	if (!allow_list_restore(site, ascents, loaded)) {
		loaded = ascents_drop_sriov(ascents, loaded);
		all_done = false;
	}
	for (size_t i = 0; i < loaded; i++)
		ascent_start(&ascents[i]);
	for (size_t i = 0; i < loaded; i++) {
		all_done &= ascent_finish(&ascents[i]);
		description_deinit(&ascents[i].description);
	}
	return all_done;
}

/* Without a namespace, others' interfaces may be described too: only plugged ones are ours. */
static int names_load(const struct net_site *site, const struct plugged_interface *interfaces,
	size_t interface_count, struct interface_name **ret_names, size_t *ret_count,
	struct err *err)
{
	struct interface_name *names;

	if (net_site_has_namespace(site))
		return description_names(site->interfaces_dir, ret_names, ret_count, err);
	names = xcalloc(interface_count + 1, sizeof(*names));
	for (size_t i = 0; i < interface_count; i++)
		snprintf(names[i].text, sizeof(names[i].text), "%s", interfaces[i].name);
	*ret_names = names;
	*ret_count = interface_count;
	return 0;
}

/* A list that cannot be read has none: those that are inside already need it no more. */
static bool plugged_load(
	const struct net_site *site, struct plugged_interface **ret_interfaces, size_t *ret_count)
{
	struct err err = ERR_NONE;

	*ret_count = 0;
	if (plugged_interfaces_load(
		    site->plugged_interfaces_path, ret_interfaces, ret_count, &err) == 0)
		return true;
	log_error("no interface is moved into the namespace: %s", err.text);
	return false;
}

static int restore(const struct net_site *site, bool *ret_all_done, struct err *err)
{
	cleanup_free struct plugged_interface *interfaces = NULL;
	cleanup_free struct interface_name *names = NULL;
	size_t interface_count;
	size_t name_count;
	bool all_done;
	int r = namespace_ensure(site, err);

	if (r < 0)
		return r;
	all_done = plugged_load(site, &interfaces, &interface_count);
	r = names_load(site, interfaces, interface_count, &names, &name_count, err);
	if (r < 0)
		return r;
	all_done &= interfaces_take(site, interfaces, interface_count);
	all_done &= interfaces_up(site, names, name_count);
	*ret_all_done = all_done;
	return 0;
}

bool namespace_restore(const struct net_site *site)
{
	cleanup_net_lock int lock = -1;
	struct err err = ERR_NONE;
	bool all_done = false;
	int r = net_site_lock(site, &lock, &err);

	if (r == 0)
		r = restore(site, &all_done, &err);
	if (r < 0)
		log_error("restoring the network: %s", err.text);
	return r == 0 && all_done;
}
