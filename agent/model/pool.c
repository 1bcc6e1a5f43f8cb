/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pool.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/naming.h"
#include "model/reader.h"
#include "model/text_index.h"

static const struct choice algorithms[] = {
	{"ROUND_ROBIN", LB_ROUND_ROBIN},
	{"LEAST_CONNECTIONS", LB_LEAST_CONNECTIONS},
	{"SOURCE_IP", LB_SOURCE_IP},
	{"SOURCE_IP_PORT", CHOICE_REFUSED},
	{NULL, 0},
};

static const char *const required_keys[] = {"lb_algorithm", NULL};

static const struct refused_key refused_keys[] = {
	{"tls_container_ref", REFUSED_BARBICAN("client_certificate")},
	{"ca_tls_container_ref", REFUSED_BARBICAN("ca_certificate")},
	{"crl_container_ref", REFUSED_BARBICAN("crl")},
	{NULL, NULL},
};

static void read_id(
	struct reader *reader, struct naming *naming, const struct id *owner_id, struct pool *pool)
{
	cleanup_free char *identity = NULL;

	if (pool->name[0])
		identity = xformat("name/%s", pool->name);
	else if (owner_id && owner_id->text[0])
		identity = xformat("listener/%s", owner_id->text);
	else if (!owner_id && !reader_has(reader, "id") && !reader_says(reader, "name"))
		reader_fault(reader, NULL, "needs a name or an id, by which listeners refer to it");
	naming_read_id(naming, reader, NAMING_POOL, identity, &pool->id);
}

static void read_persistence(struct reader *reader, enum pool_protocol protocol, struct pool *pool)
{
	struct reader persistence;

	if (reader_enter_object(reader, "session_persistence", &persistence))
		session_persistence_parse(&persistence, protocol, &pool->session_persistence);
}

static void read_certificate(
	struct reader *reader, const char *key, bool tls_enabled, struct certificate_name *name)
{
	if (reader_certificate(reader, key, name) && !tls_enabled)
		reader_warn(reader, key, "has no effect without tls_enabled");
}

static void read_tls(struct reader *reader, enum pool_protocol protocol, struct pool_tls *tls)
{
	tls->enabled = reader_flag(reader, "tls_enabled", false);
	if (tls->enabled && pool_protocol_is_lvs(protocol))
		reader_warn(reader, "tls_enabled", "has no effect in UDP and SCTP pools");
	tls_parse(reader, tls->enabled ? TLS_DEFAULTS_OCTAVIA : TLS_DEFAULTS_NONE, &tls->tls);
	read_certificate(reader, "client_certificate", tls->enabled, &tls->client_certificate);
	read_certificate(reader, "ca_certificate", tls->enabled, &tls->ca_certificate);
	read_certificate(reader, "crl", tls->enabled, &tls->crl);
	if (tls->crl.text[0] && !reader_says(reader, "ca_certificate"))
		reader_fault(reader, "crl", "needs a ca_certificate beside it");
}

static void read_members(struct reader *reader, struct naming *naming, enum pool_protocol protocol,
	struct pool *pool)
{
	cleanup_text_index struct text_index ends = {NULL};
	struct reader_list list;
	struct reader member;

	if (!reader_enter_list(reader, "members", &list))
		return;
	pool->members = xcalloc(reader_list_size(&list), sizeof(*pool->members));
	while (reader_list_next(&list, &member)) {
		struct member *read = &pool->members[pool->member_count++];

		member_parse(&member, naming, &pool->id, protocol, &ends, read);
		pool->has_ipv4_member |= read->address.family == AF_INET;
		pool->has_ipv6_member |= read->address.family == AF_INET6;
	}
}

static void read_health_monitor(struct reader *reader, struct naming *naming,
	enum pool_protocol protocol, struct pool *pool)
{
	struct reader monitor;

	if (!reader_enter_object(reader, "healthmonitor", &monitor))
		return;
	pool->health_monitor = xcalloc(1, sizeof(*pool->health_monitor));
	health_monitor_parse(&monitor, naming, &pool->id, protocol, pool->health_monitor);
}

void pool_parse(struct reader *reader, struct naming *naming, const struct id *owner_id,
	struct pool *ret_pool)
{
	enum pool_protocol protocol = pool_protocol_parse(reader);

	/* An unknown one fits every listener: no fault that follows from a fault. */
	*ret_pool = (struct pool){.name = reader_name(reader), .protocol = protocol};
	reader_require(reader, required_keys);
	read_id(reader, naming, owner_id, ret_pool);
	ret_pool->admin_state_up = reader_flag(reader, "admin_state_up", true);
	ret_pool->lb_algorithm = (enum lb_algorithm)reader_choice(
		reader, "lb_algorithm", algorithms, LB_ROUND_ROBIN);
	read_persistence(reader, protocol, ret_pool);
	read_tls(reader, protocol, &ret_pool->tls);
	read_members(reader, naming, protocol, ret_pool);
	read_health_monitor(reader, naming, protocol, ret_pool);
	reader_finish(reader, refused_keys);
}

static void pool_free(struct pool *pool)
{
	for (size_t i = 0; i < pool->member_count; i++)
		member_deinit(&pool->members[i]);
	free(pool->members);
	if (pool->health_monitor)
		health_monitor_deinit(pool->health_monitor);
	free(pool->health_monitor);
	session_persistence_deinit(&pool->session_persistence);
	tls_deinit(&pool->tls.tls);
	free(pool->name);
	free(pool);
}

struct pool *pool_list_add(struct pool_list *list)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->items = xrealloc_array(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count] = xcalloc(1, sizeof(**list->items));
	return list->items[list->count++];
}

void pool_list_deinit(struct pool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		pool_free(list->items[i]);
	free(list->items);
	*list = (struct pool_list){0};
}
