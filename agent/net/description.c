/* SPDX-License-Identifier: Apache-2.0 */
#include "net/description.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

bool description_name_is_valid(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size >= IFNAMSIZ || text_equal(name, ".") || text_equal(name, ".."))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!isgraph((unsigned char)name[i]) || name[i] == '/' || name[i] == ':')
			return false;
	return true;
}

static bool addresses_are_equal(
	const struct described_address *a, const struct described_address *b)
{
	return a->prefix_length == b->prefix_length && address_equal(&a->address, &b->address);
}

/* What the kernel tells routes apart by. */
static bool routes_collide(const struct described_route *a, const struct described_route *b)
{
	return a->table == b->table && cidr_equal(&a->destination, &b->destination);
}

static bool rules_are_equal(const struct described_rule *a, const struct described_rule *b)
{
	return a->table == b->table && cidr_equal(&a->source, &b->source);
}

void description_add_address(
	struct interface_description *description, const struct described_address *address)
{
	for (size_t i = 0; i < description->address_count; i++)
		if (addresses_are_equal(&description->addresses[i], address))
			return;
	description->addresses = xrealloc_array(description->addresses,
		description->address_count + 1, sizeof(*description->addresses));
	description->addresses[description->address_count++] = *address;
}

void description_add_route(
	struct interface_description *description, const struct described_route *route)
{
	for (size_t i = 0; i < description->route_count; i++)
		if (routes_collide(&description->routes[i], route))
			return;
	description->routes = xrealloc_array(
		description->routes, description->route_count + 1, sizeof(*description->routes));
	description->routes[description->route_count++] = *route;
}

void description_add_rule(
	struct interface_description *description, const struct described_rule *rule)
{
	for (size_t i = 0; i < description->rule_count; i++)
		if (rules_are_equal(&description->rules[i], rule))
			return;
	description->rules = xrealloc_array(
		description->rules, description->rule_count + 1, sizeof(*description->rules));
	description->rules[description->rule_count++] = *rule;
}

void description_deinit(struct interface_description *description)
{
	free(description->addresses);
	free(description->routes);
	free(description->rules);
	*description = (struct interface_description){0};
}

bool description_has_family(const struct interface_description *description, int family)
{
	if (family == AF_INET ? description->wants_dhcp : description->wants_slaac)
		return true;
	for (size_t i = 0; i < description->address_count; i++)
		if (description->addresses[i].address.family == family)
			return true;
	return false;
}

static bool routes_are_equal(const struct described_route *a, const struct described_route *b)
{
	return routes_collide(a, b) && a->is_link_scope == b->is_link_scope &&
	       a->has_gateway == b->has_gateway && a->has_source == b->has_source &&
	       (!a->has_gateway || address_equal(&a->gateway, &b->gateway)) &&
	       (!a->has_source || address_equal(&a->source, &b->source));
}

bool description_equal(const struct interface_description *a, const struct interface_description *b)
{
	if (!text_equal(a->name, b->name) || a->type != b->type || a->mtu_bytes != b->mtu_bytes ||
		a->is_sriov != b->is_sriov || a->wants_dhcp != b->wants_dhcp ||
		a->wants_slaac != b->wants_slaac || a->address_count != b->address_count ||
		a->route_count != b->route_count || a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!addresses_are_equal(&a->addresses[i], &b->addresses[i]) ||
			a->addresses[i].is_ours != b->addresses[i].is_ours)
			return false;
	for (size_t i = 0; i < a->route_count; i++)
		if (!routes_are_equal(&a->routes[i], &b->routes[i]))
			return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!rules_are_equal(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}
