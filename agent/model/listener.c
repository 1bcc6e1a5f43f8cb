/* SPDX-License-Identifier: Apache-2.0 */
#include "model/listener.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "model/naming.h"
#include "model/pool_reference.h"
#include "model/reader.h"
#include "model/text_index.h"

/* A listener's protocol that is at fault: nothing that would follow from it is a fault too. */
#define PROTOCOL_UNKNOWN LISTENER_PROTOCOL_COUNT

static const struct choice protocols[] = {
	{"HTTP", LISTENER_HTTP},
	{"HTTPS", LISTENER_HTTPS},
	{"TCP", LISTENER_TCP},
	{"TERMINATED_HTTPS", LISTENER_TERMINATED_HTTPS},
	{"PROMETHEUS", LISTENER_PROMETHEUS},
	{"UDP", LISTENER_UDP},
	{"SCTP", LISTENER_SCTP},
	{NULL, 0},
};

/* Octavia's VALID_LISTENER_POOL_PROTOCOL_MAP. */
static const struct pool_fit fits[LISTENER_PROTOCOL_COUNT + 1] = {
	[LISTENER_TCP] = {"TCP", {[POOL_TCP] = true,
					 [POOL_HTTP] = true,
					 [POOL_HTTPS] = true,
					 [POOL_PROXY] = true,
					 [POOL_PROXYV2] = true}},
	[LISTENER_HTTP] = {"HTTP",
		{[POOL_HTTP] = true, [POOL_PROXY] = true, [POOL_PROXYV2] = true}},
	[LISTENER_HTTPS] = {"HTTPS", {[POOL_TCP] = true,
					     [POOL_HTTPS] = true,
					     [POOL_PROXY] = true,
					     [POOL_PROXYV2] = true}},
	[LISTENER_TERMINATED_HTTPS] = {"TERMINATED_HTTPS",
		{[POOL_HTTP] = true, [POOL_PROXY] = true, [POOL_PROXYV2] = true}},
	[LISTENER_UDP] = {"UDP", {[POOL_UDP] = true}},
	[LISTENER_SCTP] = {"SCTP", {[POOL_SCTP] = true}},
	[PROTOCOL_UNKNOWN] = {"", {true, true, true, true, true, true, true}},
};

static const char *const required_keys[] = {"protocol", "protocol_port", NULL};

static const struct refused_key refused_keys[] = {
	{"default_tls_container_ref", REFUSED_BARBICAN("certificate")},
	{"sni_container_refs", REFUSED_BARBICAN("sni_certificates")},
	{"client_ca_tls_container_ref", REFUSED_BARBICAN("client_ca_certificate")},
	{"client_crl_container_ref", REFUSED_BARBICAN("client_crl")},
	{NULL, NULL},
};

#define NEEDS_HTTP "has a meaning for HTTP and TERMINATED_HTTPS listeners only"
static const struct refused_key keys_of_http[] = {
	{"insert_headers", NEEDS_HTTP}, {"l7policies", NEEDS_HTTP}, {NULL, NULL}};

#define NEEDS_NO_POOL "must not be there: a PROMETHEUS listener serves the amphora's own metrics"
static const struct refused_key keys_of_pools[] = {
	{"default_pool", NEEDS_NO_POOL}, {"default_pool_id", NEEDS_NO_POOL}, {NULL, NULL}};

/* UDP and SCTP have ports of their own; all else is TCP. */
static const char *transport_of(enum listener_protocol protocol)
{
	if (protocol == LISTENER_UDP)
		return "UDP";
	return protocol == LISTENER_SCTP ? "SCTP" : "TCP";
}

/* Whether the listener is the first on its port. */
static bool take_port(
	struct reader *reader, struct text_index *ports, const struct listener *listener)
{
	char port[16];

	snprintf(port, sizeof(port), "%s %u", transport_of(listener->protocol),
		listener->protocol_port);
	if (text_index_add(ports, port, 0))
		return true;
	reader_fault(reader, "protocol_port", "another listener has %s port %u already",
		transport_of(listener->protocol), listener->protocol_port);
	return false;
}

static void read_id(struct reader *reader, struct listener_surroundings *surroundings,
	struct listener *listener)
{
	char identity[32];
	bool identified = listener->protocol != PROTOCOL_UNKNOWN && listener->protocol_port != 0 &&
			  take_port(reader, surroundings->ports, listener);

	if (identified)
		snprintf(identity, sizeof(identity), "%s/%u",
			choice_name(protocols, (int)listener->protocol), listener->protocol_port);
	naming_read_id(surroundings->naming, reader, NAMING_LISTENER, identified ? identity : NULL,
		&listener->id);
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

/* As in Octavia's API, bits behind the prefix are dropped. */
static bool read_cidr(struct reader_list *list, const char *text,
	const struct listener_surroundings *surroundings, struct text_index *seen,
	struct cidr *ret_cidr)
{
	char canonical[CIDR_TEXT_MAX];

	if (cidr_parse_network(text, ret_cidr) < 0) {
		reader_list_fault(list, "must be an IPv4 or IPv6 network, such as 10.0.0.0/8");
		return false;
	}
	if (ret_cidr->address.family == AF_INET6 ? !surroundings->has_ipv6
						 : !surroundings->has_ipv4)
		reader_list_fault(list, "is of another IP version than every VIP");
	cidr_format(ret_cidr, canonical);
	if (!text_index_add(seen, canonical, 0))
		reader_list_fault(list, "%s stands in this list already", canonical);
	return true;
}

static void read_allowed_cidrs(struct reader *reader,
	const struct listener_surroundings *surroundings, struct listener *listener)
{
	cleanup_text_index struct text_index seen = {NULL};
	struct reader_list list;
	const char *text;

	if (!reader_enter_list(reader, "allowed_cidrs", &list))
		return;
	listener->allowed_cidrs =
		xcalloc(reader_list_size(&list), sizeof(*listener->allowed_cidrs));
	while (reader_list_next_text(&list, CIDR_TEXT_MAX, &text))
		if (read_cidr(&list, text, surroundings, &seen,
			    &listener->allowed_cidrs[listener->allowed_cidr_count]))
			listener->allowed_cidr_count++;
}

static void read_default_pool(struct reader *reader, struct listener_surroundings *surroundings,
	struct listener *listener)
{
	const struct pool_use use = {.key = "default_pool",
		.id_key = "default_pool_id",
		.user_id = &listener->id,
		.fit = &fits[listener->protocol]};
	struct pool_reference reference;

	pool_reference_parse(reader, &use, surroundings->naming, surroundings->pools,
		&listener->default_pool, &reference);
	reference.listener_index = reader->place.index;
	reference.l7policy_index = POOL_REFERENCE_DEFAULT;
	reference.target = &listener->default_pool;
	pool_references_add(surroundings->references, &reference);
}

/* What only some protocols have. */
static void read_http(struct reader *reader, struct listener_surroundings *surroundings,
	struct listener *listener)
{
	bool ends_tls = listener->protocol != LISTENER_HTTP;
	const struct l7policy_listener policies_listener = {.id = &listener->id,
		.index = reader->place.index,
		.ends_tls = ends_tls,
		.fit = &fits[listener->protocol],
		.naming = surroundings->naming,
		.pools = surroundings->pools,
		.references = surroundings->references};

	insert_headers_parse(reader, ends_tls, listener->insert_headers);
	l7policies_parse(
		reader, &policies_listener, &listener->l7policies, &listener->l7policy_count);
}

static enum listener_tls_use tls_use_of(enum listener_protocol protocol)
{
	if (protocol == PROTOCOL_UNKNOWN)
		return LISTENER_TLS_UNKNOWN;
	if (protocol == LISTENER_PROMETHEUS)
		return LISTENER_TLS_OPTIONAL;
	return protocol == LISTENER_TERMINATED_HTTPS ? LISTENER_TLS_ALWAYS : LISTENER_TLS_NEVER;
}

void listener_parse(struct reader *reader, struct listener_surroundings *surroundings,
	struct listener *ret_listener)
{
	enum listener_protocol protocol = (enum listener_protocol)reader_choice(
		reader, "protocol", protocols, PROTOCOL_UNKNOWN);

	*ret_listener = (struct listener){.name = reader_name(reader), .protocol = protocol};
	reader_require(reader, required_keys);
	ret_listener->protocol_port =
		(in_port_t)reader_number(reader, "protocol_port", 1, UINT16_MAX, 0);
	read_id(reader, surroundings, ret_listener);
	ret_listener->admin_state_up = reader_flag(reader, "admin_state_up", true);
	read_limits(reader, ret_listener);
	read_allowed_cidrs(reader, surroundings, ret_listener);
	listener_tls_parse(reader, tls_use_of(protocol), &ret_listener->tls);
	if (protocol == LISTENER_PROMETHEUS)
		reader_refuse(reader, keys_of_pools);
	else
		read_default_pool(reader, surroundings, ret_listener);
	if (protocol == LISTENER_HTTP || protocol == LISTENER_TERMINATED_HTTPS ||
		protocol == PROTOCOL_UNKNOWN)
		read_http(reader, surroundings, ret_listener);
	else
		reader_refuse(reader, keys_of_http);
	reader_finish(reader, refused_keys);
}

bool listener_is_lvs(const struct listener *listener)
{
	return listener->protocol == LISTENER_UDP || listener->protocol == LISTENER_SCTP;
}

const struct pool **listener_pools(const struct listener *listener, size_t *ret_count)
{
	const struct pool **pools = xcalloc(listener->l7policy_count + 1, sizeof(*pools));
	cleanup_text_index struct text_index seen = {NULL};
	size_t count = 0;

	if (listener->default_pool) {
		text_index_add(&seen, listener->default_pool->id.text, 0);
		pools[count++] = listener->default_pool;
	}
	for (size_t i = 0; i < listener->l7policy_count; i++) {
		const struct l7policy *policy = &listener->l7policies[i];

		if (policy->redirect_pool && l7policy_is_in_force(policy) &&
			text_index_add(&seen, policy->redirect_pool->id.text, 0))
			pools[count++] = policy->redirect_pool;
	}
	*ret_count = count;
	return pools;
}

void listener_deinit(struct listener *listener)
{
	free(listener->name);
	free(listener->allowed_cidrs);
	for (size_t i = 0; i < listener->l7policy_count; i++)
		l7policy_deinit(&listener->l7policies[i]);
	free(listener->l7policies);
	listener_tls_deinit(&listener->tls);
}
