/* SPDX-License-Identifier: Apache-2.0 */
#include "model/listener.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/naming.h"
#include "model/reader.h"
#include "model/text_index.h"

static const struct choice protocols[] = {
	{"HTTP", LISTENER_HTTP},
	{"TCP", LISTENER_TCP},
	{"HTTPS", CHOICE_NOT_YET},
	{"TERMINATED_HTTPS", CHOICE_NOT_YET},
	{"PROMETHEUS", CHOICE_NOT_YET},
	{"UDP", CHOICE_NOT_YET},
	{"SCTP", CHOICE_NOT_YET},
	{NULL, 0},
};

/* Which pools may serve which listeners, as Octavia's API has it. */
static const bool fits[LISTENER_PROTOCOL_COUNT][POOL_PROTOCOL_COUNT] = {
	[LISTENER_TCP] = {[POOL_TCP] = true, [POOL_HTTP] = true},
	[LISTENER_HTTP] = {[POOL_HTTP] = true},
};

static const char *const required_keys[] = {"protocol", "protocol_port", NULL};

static const struct refused_key refused_keys[] = {
	{"insert_headers", REFUSED_NOT_YET},
	{"allowed_cidrs", REFUSED_NOT_YET},
	{"l7policies", REFUSED_NOT_YET},
	{"certificate", REFUSED_NOT_YET},
	{"sni_certificates", REFUSED_NOT_YET},
	{"client_authentication", REFUSED_NOT_YET},
	{"client_ca_certificate", REFUSED_NOT_YET},
	{"client_crl", REFUSED_NOT_YET},
	{"tls_ciphers", REFUSED_NOT_YET},
	{"tls_versions", REFUSED_NOT_YET},
	{"alpn_protocols", REFUSED_NOT_YET},
	{"hsts_max_age", REFUSED_NOT_YET},
	{"hsts_include_subdomains", REFUSED_NOT_YET},
	{"hsts_preload", REFUSED_NOT_YET},
	{"default_tls_container_ref", REFUSED_BARBICAN("certificate")},
	{"sni_container_refs", REFUSED_BARBICAN("sni_certificates")},
	{"client_ca_tls_container_ref", REFUSED_BARBICAN("client_ca_certificate")},
	{"client_crl_container_ref", REFUSED_BARBICAN("client_crl")},
	{NULL, NULL},
};

static void read_id(struct reader *reader, struct naming *naming, struct text_index *ports,
	int protocol, struct listener *listener)
{
	char identity[32], port[8];
	bool identified = protocol != CHOICE_NOT_YET && listener->protocol_port != 0;

	/* All of HAProxy's listeners are TCP: one of them has the port. */
	snprintf(port, sizeof(port), "%u", listener->protocol_port);
	if (listener->protocol_port != 0 && !text_index_add(ports, port, 0)) {
		reader_fault(reader, "protocol_port", "another listener has port %s already", port);
		identified = false;
	}
	if (identified)
		snprintf(identity, sizeof(identity), "%s/%s", choice_name(protocols, protocol),
			port);
	naming_read_id(
		naming, reader, NAMING_LISTENER, identified ? identity : NULL, &listener->id);
}

/* 0 is Octavia's word for its default. */
static long read_timeout(struct reader *reader, const char *key, long default_ms)
{
	long timeout_ms =
		reader_duration_ms(reader, key, 1, 0, LISTENER_TIMEOUT_MAX_MS, default_ms);

	return timeout_ms ? timeout_ms : default_ms;
}

static void read_limits(struct reader *reader, struct listener *listener)
{
	long limit = reader_number(reader, "connection_limit", -1, INT_MAX, -1);

	listener->connection_limit = limit > 0 ? (unsigned)limit : 0;
	listener->timeout_client_data_ms =
		read_timeout(reader, "timeout_client_data", LISTENER_TIMEOUT_DATA_DEFAULT_MS);
	listener->timeout_member_connect_ms =
		read_timeout(reader, "timeout_member_connect", LISTENER_TIMEOUT_CONNECT_DEFAULT_MS);
	listener->timeout_member_data_ms =
		read_timeout(reader, "timeout_member_data", LISTENER_TIMEOUT_DATA_DEFAULT_MS);
	listener->timeout_tcp_inspect_ms = read_timeout(reader, "timeout_tcp_inspect", 0);
}

/* {"name": …} or {"id": …}, with nothing that would describe a pool. */
static bool read_pool_reference(struct reader *pool, struct pool_reference *ret_reference)
{
	size_t keys = (size_t)reader_has(pool, "id") + (size_t)reader_has(pool, "name");

	if (keys == 0 || json_object_size(pool->object) != keys)
		return false;
	ret_reference->key = "default_pool";
	ret_reference->id = reader_text(pool, "id", READER_NAME_MAX);
	if (!ret_reference->id)
		ret_reference->name = reader_text(pool, "name", READER_NAME_MAX);
	return true;
}

static void read_default_pool(struct reader *reader, struct naming *naming, struct pool_list *pools,
	struct listener *listener, struct pool_reference *ret_reference)
{
	struct reader inner;
	struct pool *pool;

	*ret_reference = (struct pool_reference){.index = reader->place.index};
	if (reader_has(reader, "default_pool") && reader_has(reader, "default_pool_id")) {
		reader_fault(reader, "default_pool_id", "must not stand beside default_pool");
	} else if (reader_has(reader, "default_pool_id")) {
		ret_reference->key = "default_pool_id";
		ret_reference->id = reader_text(reader, "default_pool_id", READER_NAME_MAX);
		ret_reference->name = ret_reference->id;
	}
	if (!reader_enter_object(reader, "default_pool", &inner) ||
		read_pool_reference(&inner, ret_reference))
		return;
	pool = pool_list_add(pools);
	pool_parse(&inner, naming, &listener->id, pool);
	listener_set_default_pool(listener, pool, inner.faults, &inner.place, "protocol");
}

void listener_parse(struct reader *reader, struct naming *naming, struct text_index *ports,
	struct pool_list *pools, struct listener *ret_listener,
	struct pool_reference *ret_reference)
{
	int protocol = reader_choice(reader, "protocol", protocols, CHOICE_NOT_YET);

	/* The fallback takes every pool: no fault that follows from a fault. */
	*ret_listener = (struct listener){.name = reader_name(reader),
		.protocol = protocol == LISTENER_HTTP ? LISTENER_HTTP : LISTENER_TCP};
	reader_require(reader, required_keys);
	ret_listener->protocol_port =
		(in_port_t)reader_number(reader, "protocol_port", 1, UINT16_MAX, 0);
	read_id(reader, naming, ports, protocol, ret_listener);
	ret_listener->admin_state_up = reader_flag(reader, "admin_state_up", true);
	read_limits(reader, ret_listener);
	read_default_pool(reader, naming, pools, ret_listener, ret_reference);
	reader_finish(reader, refused_keys);
}

void listener_set_default_pool(struct listener *listener, const struct pool *pool,
	struct faults *faults, const struct place *place, const char *key)
{
	if (!fits[listener->protocol][pool->protocol])
		faults_add(faults, place, key, "%s pools cannot serve %s listeners",
			pool_protocol_name(pool->protocol),
			choice_name(protocols, (int)listener->protocol));
	listener->default_pool = pool;
}

void listener_deinit(struct listener *listener)
{
	free(listener->name);
}
