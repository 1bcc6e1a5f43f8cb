/* SPDX-License-Identifier: Apache-2.0 */
#include "net/allow_rule.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* HAPROXY_BASE_PEER_PORT and VRRP_PROTOCOL_NUM of octavia/common/constants.py. */
enum { PEERS_PORT = 1025, VRRP_PORT = 112 };

DEFINE_CLEANUP(json_t *, json_decref);

static const char *const protocol_names[] = {
	[ALLOW_TCP] = "TCP",
	[ALLOW_UDP] = "UDP",
	[ALLOW_SCTP] = "SCTP",
	[ALLOW_VRRP] = "vrrp",
};
enum { PROTOCOLS = sizeof(protocol_names) / sizeof(protocol_names[0]) };

static int protocol_parse(const json_t *value, enum allow_protocol *ret_protocol, struct err *err)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (json_is_string(value) &&
			text_equal(json_string_value(value), protocol_names[i])) {
			*ret_protocol = (enum allow_protocol)i;
			return 0;
		}
	return err_set(err, -EINVAL, "protocol: must be TCP, UDP, SCTP or vrrp");
}

/* 0.0.0.0/0 means IPv6 as well: it is what "anybody" becomes in the controller's database. */
static int source_parse(const json_t *value, struct allow_rule *rule, struct err *err)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) ||
		cidr_parse_network(json_string_value(value), &rule->source) < 0)
		return err_set(err, -EINVAL,
			"cidr: must be null or a network such as 192.0.2.0/24 or 2001:db8::/32");
	rule->has_source = rule->source.address.family != AF_INET || rule->source.prefix_length > 0;
	return 0;
}

static int port_parse(const json_t *value, uint16_t *ret_port, struct err *err)
{
	json_int_t port = json_integer_value(value);

	if (!json_is_integer(value) || port < 1 || port > UINT16_MAX)
		return err_set(err, -EINVAL, "port: must be a whole number from 1 to 65535");
	*ret_port = (uint16_t)port;
	return 0;
}

static int keys_check(const json_t *object, struct err *err)
{
	static const char *const keys[] = {"protocol", "cidr", "port"};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

	if (!json_is_object(object))
		return err_set(err, -EINVAL, "must be an object");
	for (size_t i = 0; i < KEYS; i++)
		if (!json_object_get(object, keys[i]))
			return err_set(err, -EINVAL, "%s: is missing", keys[i]);
	if (json_object_size(object) != KEYS)
		return err_set(err, -EINVAL, "has a key that is none of protocol, cidr and port");
	return 0;
}

static int rule_parse(const json_t *object, struct allow_rule *ret_rule, struct err *err)
{
	struct allow_rule rule = {.has_source = false};
	int r = keys_check(object, err);

	if (r == 0)
		r = protocol_parse(json_object_get(object, "protocol"), &rule.protocol, err);
	if (r == 0)
		r = source_parse(json_object_get(object, "cidr"), &rule, err);
	if (r == 0)
		r = port_parse(json_object_get(object, "port"), &rule.port, err);
	if (r < 0)
		return r;
	if (rule.protocol == ALLOW_VRRP)
		rule.port = VRRP_PORT;
	*ret_rule = rule;
	return 0;
}

static int list_load(const char *json, size_t size_bytes, json_t **ret_list, struct err *err)
{
	CLEANUP(cleanup_json_decref) json_t *list = NULL;
	json_error_t error;

	/* A JSON tree takes many times its text. */
	if (size_bytes > ALLOW_RULES_JSON_MAX_BYTES)
		return err_set(err, -EINVAL, "the list is longer than %d bytes",
			ALLOW_RULES_JSON_MAX_BYTES);
	list = json_loadb(json, size_bytes, JSON_REJECT_DUPLICATES, &error);
	if (!list)
		return err_set(err, -EINVAL, "no JSON: line %d, column %d: %s", error.line,
			error.column, error.text);
	if (!json_is_array(list))
		return err_set(err, -EINVAL, "must be a list of rules");
	if (json_array_size(list) > ALLOW_RULES_MAX)
		return err_set(err, -EINVAL, "%zu rules: at most %d are possible",
			json_array_size(list), ALLOW_RULES_MAX);
	*ret_list = take_ptr(list);
	return 0;
}

int allow_rules_parse(const char *json, size_t size_bytes, struct allow_rule **ret_rules,
	size_t *ret_count, struct err *err)
{
	CLEANUP(cleanup_json_decref) json_t *list = NULL;
	cleanup_free struct allow_rule *rules = NULL;
	size_t count;
	int r = list_load(json, size_bytes, &list, err);

	if (r < 0)
		return r;
	count = json_array_size(list);
	rules = xcalloc(count, sizeof(*rules));
	for (size_t i = 0; i < count; i++) {
		r = rule_parse(json_array_get(list, i), &rules[i], err);
		if (r < 0)
			return err_wrap(err, r, "rule %zu", i + 1);
	}
	*ret_rules = take_ptr(rules);
	*ret_count = count;
	return 0;
}

static bool allow_the_same(const struct allow_rule *a, const struct allow_rule *b)
{
	return a->protocol == b->protocol && a->port == b->port;
}

static int numbers_compare(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

/* Anybody first, then one family after the other. */
static int sources_compare(const struct allow_rule *a, const struct allow_rule *b)
{
	const struct cidr *x = &a->source;
	const struct cidr *y = &b->source;
	size_t size = address_prefix_max(x->address.family) / 8;
	int order = numbers_compare(a->has_source, b->has_source);

	if (order == 0 && a->has_source)
		order = numbers_compare(
			x->address.family == AF_INET6, y->address.family == AF_INET6);
	if (order == 0 && a->has_source)
		order = memcmp(&x->address.v6, &y->address.v6, size);
	return order != 0 ? order : numbers_compare(x->prefix_length, y->prefix_length);
}

/* What allows the same together. */
static int rules_compare(const void *left, const void *right)
{
	const struct allow_rule *a = left;
	const struct allow_rule *b = right;
	int order = numbers_compare(a->protocol, b->protocol);

	if (order == 0)
		order = numbers_compare(a->port, b->port);
	return order != 0 ? order : sources_compare(a, b);
}

/* A line a family: these sources are let in with what matches. */
static void append_sources(
	struct buf *lines, const struct allow_rule *rules, size_t count, const char *match)
{
	char source[CIDR_TEXT_MAX];
	size_t i = 0;

	while (i < count) {
		int family = rules[i].source.address.family;
		const char *separator = "";

		buf_append_text(lines, family == AF_INET ? "\t\tip saddr {" : "\t\tip6 saddr {");
		for (; i < count && rules[i].source.address.family == family; i++) {
			cidr_format(&rules[i].source, source);
			buf_append_format(lines, "%s %s", separator, source);
			separator = ",";
		}
		buf_append_format(lines, " } %s accept\n", match);
	}
}

/* Sorted rules that allow the same, at least one. */
static void append_group(struct buf *lines, const struct allow_rule *rules, size_t count)
{
	static const char *const matches[] = {
		[ALLOW_TCP] = "tcp dport",
		[ALLOW_UDP] = "udp dport",
		[ALLOW_SCTP] = "sctp dport",
		[ALLOW_VRRP] = "meta l4proto",
	};
	cleanup_free char *match = xformat("%s %u", matches[rules[0].protocol], rules[0].port);
	cleanup_free char *peers = xformat("tcp dport %d", PEERS_PORT);
	size_t anybody = 0;

	while (anybody < count && !rules[anybody].has_source)
		anybody++;
	if (anybody > 0)
		buf_append_format(lines, "\t\t%s accept\n", match);
	else
		append_sources(lines, rules, count, match);
	if (rules[0].protocol == ALLOW_VRRP)
		append_sources(lines, rules + anybody, count - anybody, peers);
}

void allow_rules_format(const struct allow_rule *rules, size_t count, struct buf *ret_lines)
{
	cleanup_free struct allow_rule *sorted = xcalloc(count, sizeof(*sorted));
	size_t end;

	for (size_t i = 0; i < count; i++)
		sorted[i] = rules[i];
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), rules_compare);
	for (size_t start = 0; start < count; start = end) {
		end = start + 1;
		while (end < count && allow_the_same(&sorted[start], &sorted[end]))
			end++;
		append_group(ret_lines, sorted + start, end - start);
	}
}
