/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pool.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/naming.h"
#include "model/reader.h"
#include "model/text_index.h"

static const struct choice protocols[] = {
	{"HTTP", POOL_HTTP},
	{"TCP", POOL_TCP},
	{"HTTPS", CHOICE_NOT_YET},
	{"PROXY", CHOICE_NOT_YET},
	{"PROXYV2", CHOICE_NOT_YET},
	{"UDP", CHOICE_NOT_YET},
	{"SCTP", CHOICE_NOT_YET},
	{NULL, 0},
};

static const struct choice algorithms[] = {
	{"ROUND_ROBIN", LB_ROUND_ROBIN},
	{"LEAST_CONNECTIONS", CHOICE_NOT_YET},
	{"SOURCE_IP", CHOICE_NOT_YET},
	{NULL, 0},
};

static const char *const required_keys[] = {"protocol", "lb_algorithm", NULL};

static const struct refused_key refused_keys[] = {
	{"session_persistence", REFUSED_NOT_YET},
	{"tls_enabled", REFUSED_NOT_YET},
	{"tls_ciphers", REFUSED_NOT_YET},
	{"tls_versions", REFUSED_NOT_YET},
	{"alpn_protocols", REFUSED_NOT_YET},
	{"client_certificate", REFUSED_NOT_YET},
	{"ca_certificate", REFUSED_NOT_YET},
	{"crl", REFUSED_NOT_YET},
	{"tls_container_ref", REFUSED_BARBICAN("client_certificate")},
	{"ca_tls_container_ref", REFUSED_BARBICAN("ca_certificate")},
	{"crl_container_ref", REFUSED_BARBICAN("crl")},
	{NULL, NULL},
};

const char *pool_protocol_name(enum pool_protocol protocol)
{
	return choice_name(protocols, (int)protocol);
}

static void read_id(
	struct reader *reader, struct naming *naming, const struct id *owner_id, struct pool *pool)
{
	cleanup_free char *identity = NULL;

	if (pool->name[0])
		identity = xformat("name/%s", pool->name);
	else if (owner_id && owner_id->text[0])
		identity = xformat("listener/%s", owner_id->text);
	else if (!owner_id && !reader_has(reader, "id"))
		reader_fault(reader, NULL, "needs a name or an id, by which listeners refer to it");
	naming_read_id(naming, reader, NAMING_POOL, identity, &pool->id);
}

static void read_members(struct reader *reader, struct naming *naming, struct pool *pool)
{
	cleanup_text_index struct text_index ends = {NULL};
	struct reader_list list;
	struct reader member;

	if (!reader_enter_list(reader, "members", &list))
		return;
	pool->members = xcalloc(reader_list_size(&list), sizeof(*pool->members));
	while (reader_list_next(&list, &member))
		member_parse(
			&member, naming, &pool->id, &ends, &pool->members[pool->member_count++]);
}

static void read_health_monitor(struct reader *reader, struct naming *naming, struct pool *pool)
{
	struct reader monitor;

	if (!reader_enter_object(reader, "healthmonitor", &monitor))
		return;
	pool->health_monitor = xcalloc(1, sizeof(*pool->health_monitor));
	health_monitor_parse(&monitor, naming, &pool->id, pool->health_monitor);
}

void pool_parse(struct reader *reader, struct naming *naming, const struct id *owner_id,
	struct pool *ret_pool)
{
	*ret_pool = (struct pool){.name = reader_name(reader)};
	reader_require(reader, required_keys);
	read_id(reader, naming, owner_id, ret_pool);
	ret_pool->admin_state_up = reader_flag(reader, "admin_state_up", true);
	/* The fallback is what fits every listener: no fault that follows from a fault. */
	ret_pool->protocol =
		(enum pool_protocol)reader_choice(reader, "protocol", protocols, POOL_HTTP);
	ret_pool->lb_algorithm = (enum lb_algorithm)reader_choice(
		reader, "lb_algorithm", algorithms, LB_ROUND_ROBIN);
	read_members(reader, naming, ret_pool);
	read_health_monitor(reader, naming, ret_pool);
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
