/* SPDX-License-Identifier: Apache-2.0 */
#include "model/load_balancer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "model/document.h"
#include "model/naming.h"
#include "model/pool_reference.h"
#include "model/reader.h"
#include "model/text_index.h"

enum {
	PROJECT_ID_CHARACTERS_MAX = 36,
	LISTENERS_MAX = 10 * 1000,
	VIPS_MAX = 64, /* every listener is bound to each */
};
enum { TOPOLOGY_UNKNOWN = -1 };

static const struct choice topologies[] = {
	{"SINGLE", TOPOLOGY_SINGLE},
	{"ACTIVE_STANDBY", TOPOLOGY_ACTIVE_STANDBY},
	{NULL, 0},
};

static const struct refused_key refused_of_single[] = {
	{"amphorae", "has a meaning with topology ACTIVE_STANDBY only"},
	{"vrrp", "has a meaning with topology ACTIVE_STANDBY only"},
	{NULL, NULL},
};
static const char *const required_of_pair[] = {"amphorae", "vrrp", NULL};

static void read_pools(
	struct reader *reader, struct naming *naming, struct load_balancer *load_balancer)
{
	struct reader_list list;
	struct reader pool;

	if (!reader_enter_list(reader, "pools", &list))
		return;
	while (reader_list_next(&list, &pool))
		pool_parse(&pool, naming, NULL, pool_list_add(&load_balancer->pools));
}

/* A VIP that is at fault has none, and could have had any. */
static bool has_family(const struct load_balancer *load_balancer, int family)
{
	for (size_t i = 0; i < load_balancer->vip_count; i++)
		if (load_balancer->vips[i].address.family == family ||
			load_balancer->vips[i].address.family == 0)
			return true;
	return false;
}

/* Kept in the pool: thousands of listeners may share it. */
static bool has_member_of(const struct pool *pool, int family)
{
	return family == AF_INET6 ? pool->has_ipv6_member : pool->has_ipv4_member;
}

/*
 * IPVS reaches a member from VIPs of its own family only, as Octavia's driver has it. list is the
 * one that the listeners were read from; name is the family's.
 */
static void check_family(const struct load_balancer *load_balancer, const struct reader_list *list,
	int family, const char *name)
{
	if (has_family(load_balancer, family))
		return;
	for (size_t i = 0; i < load_balancer->listener_count; i++) {
		const struct listener *listener = &load_balancer->listeners[i];
		const struct place place = {.parent = &list->place, .index = i};

		if (listener_is_lvs(listener) && listener->default_pool &&
			has_member_of(listener->default_pool, family))
			faults_add(list->faults, &place, NULL,
				"has a member with an %s address, and the load balancer has no "
				"%s VIP to reach it from",
				name, name);
	}
}

static void read_listeners(
	struct reader *reader, struct naming *naming, struct load_balancer *load_balancer)
{
	cleanup_text_index struct text_index ports = {NULL};
	cleanup_pool_references struct pool_references references = {NULL};
	struct listener_surroundings surroundings = {.naming = naming,
		.pools = &load_balancer->pools,
		.references = &references,
		.ports = &ports,
		.has_ipv4 = has_family(load_balancer, AF_INET),
		.has_ipv6 = has_family(load_balancer, AF_INET6)};
	struct reader_list list;
	struct reader listener;

	if (!reader_enter_list(reader, "listeners", &list))
		return;
	if (reader_list_size(&list) > LISTENERS_MAX) {
		reader_fault(reader, "listeners", "must be at most %d", LISTENERS_MAX);
		return;
	}
	load_balancer->listeners =
		xcalloc(reader_list_size(&list), sizeof(*load_balancer->listeners));
	while (reader_list_next(&list, &listener))
		listener_parse(&listener, &surroundings,
			&load_balancer->listeners[load_balancer->listener_count++]);
	pool_references_resolve(&references, &load_balancer->pools, &list);
	/* Else a listener's number in the list is not known, and there are faults enough. */
	if (load_balancer->listener_count == reader_list_size(&list)) {
		check_family(load_balancer, &list, AF_INET, "IPv4");
		check_family(load_balancer, &list, AF_INET6, "IPv6");
	}
}

/* The URL's id, which the document may repeat; else the document's; else one made of the VIP. */
static void read_id(struct reader *reader, const struct id *id, struct load_balancer *load_balancer)
{
	bool given = reader_id(reader, "id", &load_balancer->id);
	char vip[ADDRESS_TEXT_MAX];

	if (given && id && !id_equal(id, &load_balancer->id))
		reader_fault(reader, "id", "differs from the id that the model is sent to, %s",
			id->text);
	if (id) {
		load_balancer->id = *id;
	} else if (!given && load_balancer->vips[0].address.family != 0) {
		address_format(&load_balancer->vips[0].address, vip);
		naming_derive_load_balancer_id(vip, &load_balancer->id);
	}
}

static void read_additional_vips(
	struct reader_list *list, bool is_pair, struct load_balancer *load_balancer)
{
	cleanup_text_index struct text_index addresses = {NULL};
	char text[ADDRESS_TEXT_MAX];
	struct reader reader;

	if (load_balancer->vips[0].address.family != 0) {
		address_format(&load_balancer->vips[0].address, text);
		text_index_add(&addresses, text, 0);
	}
	while (load_balancer->vip_count < VIPS_MAX && reader_list_next(list, &reader)) {
		struct vip *vip = &load_balancer->vips[load_balancer->vip_count++];

		vip_parse(&reader, "ip_address", is_pair, vip);
		reader_finish(&reader, NULL);
		if (vip->address.family == 0)
			continue;
		address_format(&vip->address, text);
		if (!text_index_add(&addresses, text, 0))
			reader_fault(
				&reader, "ip_address", "is a VIP of this load balancer already");
	}
}

static void read_vips(struct reader *reader, struct load_balancer *load_balancer)
{
	bool is_pair = load_balancer->topology == TOPOLOGY_ACTIVE_STANDBY;
	struct reader_list additional;
	bool has_additional = reader_enter_list(reader, "additional_vips", &additional);

	if (has_additional && reader_list_size(&additional) >= VIPS_MAX)
		reader_fault(reader, "additional_vips", "must be at most %d", VIPS_MAX - 1);
	load_balancer->vips = xcalloc(VIPS_MAX, sizeof(*load_balancer->vips));
	load_balancer->vip_count = 1;
	vip_parse(reader, "vip_address", is_pair, &load_balancer->vips[0]);
	if (has_additional)
		read_additional_vips(&additional, is_pair, load_balancer);
}

/* topology is one of the words, or TOPOLOGY_UNKNOWN where it is at fault itself. */
static void read_pair(struct reader *reader, int topology, struct load_balancer *load_balancer)
{
	struct reader_list amphorae;
	struct reader vrrp;

	if (topology == TOPOLOGY_SINGLE) {
		reader_refuse(reader, refused_of_single);
		return;
	}
	if (topology == TOPOLOGY_ACTIVE_STANDBY)
		reader_require(reader, required_of_pair);
	if (reader_enter_list(reader, "amphorae", &amphorae))
		amphorae_parse(&amphorae, load_balancer->vips, load_balancer->vip_count,
			&load_balancer->amphorae, &load_balancer->amphora_count);
	if (reader_enter_object(reader, "vrrp", &vrrp))
		vrrp_group_parse(&vrrp, &load_balancer->id, &load_balancer->vrrp_group);
}

static void read_load_balancer(
	struct reader *reader, const struct id *id, struct load_balancer *load_balancer)
{
	const char *project_id = reader_text(reader, "project_id", PROJECT_ID_CHARACTERS_MAX);
	int topology = reader_has(reader, "topology")
			       ? reader_choice(reader, "topology", topologies, TOPOLOGY_UNKNOWN)
			       : TOPOLOGY_SINGLE;
	cleanup_naming struct naming naming;

	if (topology == TOPOLOGY_ACTIVE_STANDBY)
		load_balancer->topology = TOPOLOGY_ACTIVE_STANDBY;
	read_vips(reader, load_balancer);
	read_id(reader, id, load_balancer);
	naming_init(&naming, &load_balancer->id);
	load_balancer->name = reader_name(reader);
	load_balancer->project_id = xstrdup(project_id ? project_id : "");
	load_balancer->admin_state_up = reader_flag(reader, "admin_state_up", true);
	read_pair(reader, topology, load_balancer);
	read_pools(reader, &naming, load_balancer);
	read_listeners(reader, &naming, load_balancer);
	reader_finish(reader, NULL);
}

static void read_document(const json_t *document, const struct id *id, struct faults *faults,
	struct load_balancer *load_balancer)
{
	struct reader whole, inner;

	if (!reader_init(&whole, document, faults))
		return;
	if (!reader_has(&whole, "loadbalancer")) {
		read_load_balancer(&whole, id, load_balancer);
		return;
	}
	if (reader_enter_object(&whole, "loadbalancer", &inner))
		read_load_balancer(&inner, id, load_balancer);
	reader_finish(&whole, NULL);
}

int load_balancer_parse(const char *text, size_t size_bytes, const struct id *id,
	struct faults *ret_faults, struct load_balancer **ret_load_balancer, struct err *err)
{
	cleanup_load_balancer struct load_balancer *load_balancer =
		xcalloc(1, sizeof(*load_balancer));
	json_auto_t *document = document_parse(text, size_bytes, ret_faults);

	if (document)
		read_document(document, id, ret_faults, load_balancer);
	if (ret_faults->errors.count > 0)
		return err_set(err, -EINVAL, "the model is refused: faults: %zu",
			ret_faults->errors.count + ret_faults->errors.left_out);
	*ret_load_balancer = take_ptr(load_balancer);
	return 0;
}

void load_balancer_free(struct load_balancer *load_balancer)
{
	if (!load_balancer)
		return;
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		listener_deinit(&load_balancer->listeners[i]);
	free(load_balancer->listeners);
	for (size_t i = 0; i < load_balancer->vip_count; i++)
		vip_deinit(&load_balancer->vips[i]);
	free(load_balancer->vips);
	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		amphora_deinit(&load_balancer->amphorae[i]);
	free(load_balancer->amphorae);
	vrrp_group_deinit(&load_balancer->vrrp_group);
	pool_list_deinit(&load_balancer->pools);
	free(load_balancer->project_id);
	free(load_balancer->name);
	free(load_balancer);
}

bool load_balancer_has_frontend(const struct load_balancer *load_balancer)
{
	if (!load_balancer->admin_state_up)
		return false;
	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (load_balancer->listeners[i].admin_state_up &&
			!listener_is_lvs(&load_balancer->listeners[i]))
			return true;
	return false;
}
