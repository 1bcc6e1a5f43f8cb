/* SPDX-License-Identifier: Apache-2.0 */
#include "model/session_persistence.h"

#include <stdlib.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/text.h"
#include "model/reader.h"
#include "model/token.h"

enum {
	COOKIE_CHARACTERS_MAX = 255,
	TIMEOUT_MAX_S = 31 * 24 * 3600, /* keepalived's and the kernel's */
	PREFIX_LENGTH_MAX = 128,
};

static const struct choice types[] = {
	{"SOURCE_IP", PERSISTENCE_SOURCE_IP},
	{"HTTP_COOKIE", PERSISTENCE_HTTP_COOKIE},
	{"APP_COOKIE", PERSISTENCE_APP_COOKIE},
	{NULL, 0},
};

static const char *const required_keys[] = {"type", NULL};

static const struct refused_key refused_cookie[] = {
	{"cookie_name", "has a meaning for type APP_COOKIE only"}, {NULL, NULL}};
static const struct refused_key refused_times[] = {
	{"persistence_timeout", "has a meaning for UDP and SCTP pools only"},
	{"persistence_granularity", "has a meaning for UDP and SCTP pools only"}, {NULL, NULL}};

static void read_cookie_name(struct reader *reader, struct session_persistence *persistence)
{
	const char *name = reader_text(reader, "cookie_name", COOKIE_CHARACTERS_MAX);
	const char *fault;

	if (!name)
		return;
	fault = name[0] ? token_fault(name) : "must not be empty";
	if (fault)
		reader_fault(reader, "cookie_name", "%s", fault);
	else
		persistence->cookie_name = xstrdup(name);
}

/* Ones and then zeros: how many ones, or -1. */
static int mask_length(const uint8_t *bytes, size_t size_bytes)
{
	int length = 0;

	while ((size_t)length < 8 * size_bytes && (bytes[length / 8] & (0x80 >> (length % 8))))
		length++;
	for (size_t bit = (size_t)length; bit < 8 * size_bytes; bit++)
		if (bytes[bit / 8] & (0x80 >> (bit % 8)))
			return -1;
	return length;
}

/* "255.255.255.0" stays; "64" and, as Octavia's API has it, "ffff:ffff:ffff:ffff::" become "64". */
static char *format_granularity(const char *text)
{
	struct address mask;
	uint64_t prefix_length;
	int length;

	if (text_parse_u64(text, 1, PREFIX_LENGTH_MAX, &prefix_length) == 0)
		return xformat("%u", (unsigned)prefix_length);
	if (address_parse(text, &mask) < 0)
		return NULL;
	if (mask.family == AF_INET)
		return mask_length((const uint8_t *)&mask.v4, sizeof(mask.v4)) >= 0 ? xstrdup(text)
										    : NULL;
	length = mask_length(mask.v6.s6_addr, sizeof(mask.v6.s6_addr));
	return length > 0 ? xformat("%d", length) : NULL;
}

/* A length is a number; whoever writes a text means the same. */
static char *read_length(struct reader *reader, const char *key)
{
	long length = reader_number(reader, key, 1, PREFIX_LENGTH_MAX, 0);

	return length > 0 ? xformat("%ld", length) : NULL;
}

static void read_granularity(struct reader *reader, struct session_persistence *persistence)
{
	static const char key[] = "persistence_granularity";
	const char *text;

	if (json_is_integer(reader_value(reader, key))) {
		persistence->granularity = read_length(reader, key);
		return;
	}
	text = reader_text(reader, key, ADDRESS_TEXT_MAX);
	if (!text)
		return;
	persistence->granularity = format_granularity(text);
	if (!persistence->granularity)
		reader_fault(reader, key,
			"must be a netmask such as \"255.255.255.0\" or, for IPv6, the length of a "
			"prefix from 1 to %d",
			PREFIX_LENGTH_MAX);
}

static void read_lvs(struct reader *reader, struct session_persistence *persistence)
{
	persistence->timeout_s =
		(unsigned)reader_seconds(reader, "persistence_timeout", 0, TIMEOUT_MAX_S, 0);
	read_granularity(reader, persistence);
}

/* Cookies are HTTP's. */
static void check_type(
	struct reader *reader, enum pool_protocol pool_protocol, enum session_persistence_type type)
{
	if (type != PERSISTENCE_HTTP_COOKIE && type != PERSISTENCE_APP_COOKIE)
		return;
	if (pool_protocol_is_lvs(pool_protocol))
		reader_fault(reader, "type", "must be SOURCE_IP in UDP and SCTP pools");
	else if (pool_protocol == POOL_TCP || pool_protocol == POOL_HTTPS)
		reader_warn(reader, "type",
			"has no effect in %s pools: HAProxy sees no cookies there",
			pool_protocol_name(pool_protocol));
}

void session_persistence_parse(struct reader *reader, enum pool_protocol pool_protocol,
	struct session_persistence *ret_persistence)
{
	/* NONE is no word of the table: at fault, so that nothing can be said of what has to fit.
	 */
	enum session_persistence_type type = (enum session_persistence_type)reader_choice(
		reader, "type", types, PERSISTENCE_NONE);

	*ret_persistence = (struct session_persistence){.type = type};
	reader_require(reader, required_keys);
	check_type(reader, pool_protocol, type);
	if (type == PERSISTENCE_APP_COOKIE || type == PERSISTENCE_NONE)
		read_cookie_name(reader, ret_persistence);
	else
		reader_refuse(reader, refused_cookie);
	if (pool_protocol_is_lvs(pool_protocol) || pool_protocol == POOL_PROTOCOL_UNKNOWN)
		read_lvs(reader, ret_persistence);
	else
		reader_refuse(reader, refused_times);
	if (type == PERSISTENCE_APP_COOKIE && !reader_has(reader, "cookie_name"))
		reader_fault(reader, "cookie_name", "is required for type APP_COOKIE");
	reader_finish(reader, NULL);
}

void session_persistence_deinit(struct session_persistence *persistence)
{
	free(persistence->cookie_name);
	free(persistence->granularity);
}
