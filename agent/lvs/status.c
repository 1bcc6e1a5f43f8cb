/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/status.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/*
 * What the kernel has of one listener, sorted, so that a member is found quickly. The services of
 * one family have the same members.
 */
struct destinations {
	const struct ipvs_destination **list;
	size_t count;
};

static void destinations_deinit(struct destinations *destinations)
{
	free(destinations->list);
}

static int compare(const struct address *address, uint16_t port, const struct address *other,
	uint16_t other_port)
{
	if (address->family != other->family)
		return address->family < other->family ? -1 : 1;
	if (port != other_port)
		return port < other_port ? -1 : 1;
	return address->family == AF_INET ? memcmp(&address->v4, &other->v4, sizeof(address->v4))
					  : memcmp(&address->v6, &other->v6, sizeof(address->v6));
}

static int destination_compare(const void *a, const void *b)
{
	const struct ipvs_destination *left = *(const struct ipvs_destination *const *)a;
	const struct ipvs_destination *right = *(const struct ipvs_destination *const *)b;

	return compare(&left->address, left->port, &right->address, right->port);
}

static int member_compare(const void *key, const void *item)
{
	const struct lvs_endpoint *endpoint = key;
	const struct ipvs_destination *destination = *(const struct ipvs_destination *const *)item;

	return compare(
		&endpoint->address, endpoint->port, &destination->address, destination->port);
}

static bool is_service_of(const struct ipvs_service *service, const struct lvs_config *config)
{
	if (service->protocol != (config->is_sctp ? IPPROTO_SCTP : IPPROTO_UDP))
		return false;
	for (size_t i = 0; i < config->virtual_server_count; i++) {
		const struct lvs_endpoint *virtual_server = &config->virtual_servers[i];

		if (compare(&service->address, service->port, &virtual_server->address,
			    virtual_server->port) == 0)
			return true;
	}
	return false;
}

static void service_add(struct lvs_status *status, const struct ipvs_service *service)
{
	struct ipvs_service *added;

	status->services = xrealloc_array(
		status->services, status->service_count + 1, sizeof(*status->services));
	added = &status->services[status->service_count++];
	*added = *service;
	added->first_destination = 0;
	added->destination_count = 0;
}

/* Takes the listener's services, and gathers their destinations. */
static void services_take(struct lvs_status *status, const struct lvs_config *config,
	const struct ipvs_table *kernel, struct destinations *destinations)
{
	destinations->list = xcalloc(kernel->destination_count, sizeof(*destinations->list));
	for (size_t i = 0; i < kernel->service_count; i++) {
		const struct ipvs_service *service = &kernel->services[i];

		if (!is_service_of(service, config))
			continue;
		service_add(status, service);
		for (size_t j = 0; j < service->destination_count; j++) {
			const struct ipvs_destination *destination =
				&kernel->destinations[service->first_destination + j];

			status->connections_active += destination->active_connections;
			destinations->list[destinations->count++] = destination;
		}
	}
	if (destinations->count > 1)
		qsort(destinations->list, destinations->count, sizeof(*destinations->list),
			destination_compare);
}

/* The first of those that the member is: each address of the listener has one. NULL: none is. */
static const struct ipvs_destination *const *destinations_find(
	const struct destinations *destinations, const struct lvs_member *member)
{
	const struct ipvs_destination *const *found;

	if (member->is_disabled || destinations->count == 0)
		return NULL;
	found = bsearch(&member->endpoint, destinations->list, destinations->count,
		sizeof(*destinations->list), member_compare);
	while (found && found > destinations->list &&
		member_compare(&member->endpoint, found - 1) == 0)
		found--;
	return found;
}

static void destination_count_in(
	struct lvs_member_status *status, const struct ipvs_destination *destination)
{
	status->is_in_kernel = true;
	status->weight = destination->weight;
	status->connections_active += destination->active_connections;
	status->counters.connections += destination->counters.connections;
	status->counters.bytes_in += destination->counters.bytes_in;
	status->counters.bytes_out += destination->counters.bytes_out;
}

/* What the kernel has of the member. */
static void destinations_count_in(struct lvs_member_status *status,
	const struct destinations *destinations, const struct lvs_member *member)
{
	const struct ipvs_destination *const *end = destinations->list + destinations->count;
	const struct ipvs_destination *const *at = destinations_find(destinations, member);

	for (; at && at < end && member_compare(&member->endpoint, at) == 0; at++)
		destination_count_in(status, *at);
}

/* The pool's monitor checks all of its members or none. */
static bool is_checked(const struct lvs_config *config)
{
	for (size_t i = 0; i < config->member_count; i++)
		if (config->members[i].has_checker)
			return true;
	return false;
}

static bool has_members_in(const struct destinations *destinations, const struct lvs_config *config)
{
	for (size_t i = 0; i < config->member_count; i++)
		if (destinations_find(destinations, &config->members[i]))
			return true;
	return false;
}

static void pool_conclude(struct lvs_status *status, const struct lvs_config *config,
	const struct destinations *destinations, bool is_config_pending)
{
	bool checked = is_checked(config);
	bool in_kernel = has_members_in(destinations, config);
	const char *absent = is_config_pending        ? "RESTARTING"
			     : !checked && !in_kernel ? "no check"
						      : "DOWN";

	status->has_pool = true;
	status->pool = config->pool;
	status->pool_status = checked && !in_kernel ? "DOWN" : "UP";
	status->members = xcalloc(config->member_count, sizeof(*status->members));
	for (size_t i = 0; i < config->member_count; i++) {
		const struct lvs_member *member = &config->members[i];
		struct lvs_member_status *member_status = &status->members[status->member_count++];

		member_status->id = member->id;
		destinations_count_in(member_status, destinations, member);
		if (member->is_disabled)
			member_status->status = "MAINT";
		else if (!member_status->is_in_kernel)
			member_status->status = absent;
		else if (member_status->weight == 0)
			member_status->status = "DRAIN";
		else
			member_status->status = checked ? "UP" : "no check";
	}
}

struct lvs_status *lvs_status_conclude(const struct id *listener, const struct lvs_config *config,
	const struct ipvs_table *kernel, bool is_config_pending)
{
	CLEANUP(destinations_deinit) struct destinations destinations = {.list = NULL};
	struct lvs_status *status = xcalloc(1, sizeof(*status));

	status->listener = *listener;
	if (!kernel)
		return status;
	status->is_read = true;
	services_take(status, config, kernel, &destinations);
	if (config->has_pool && !config->is_pool_disabled)
		pool_conclude(status, config, &destinations, is_config_pending);
	return status;
}

void lvs_status_free(struct lvs_status *status)
{
	if (!status)
		return;
	free(status->services);
	free(status->members);
	free(status);
}
