/* SPDX-License-Identifier: Apache-2.0 */
#include "net/allow_rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

/* nft's lines for a list that must be fine; the caller's to free. */
static char *lines_of(const char *json)
{
	cleanup_free struct allow_rule *rules = NULL;
	cleanup_buf struct buf lines = BUF_INIT(MIB);
	struct err err = ERR_NONE;
	size_t count;

	if (allow_rules_parse(json, strlen(json), &rules, &count, &err) < 0)
		fail_msg("%s", err.text);
	allow_rules_format(rules, count, &lines);
	assert_int_equal(buf_error(&lines), 0);
	return xstrdup(buf_text(&lines));
}

static void assert_lines(const char *json, const char *expected)
{
	cleanup_free char *lines = lines_of(json);

	assert_string_equal(lines, expected);
}

static void assert_refused(const char *json, const char *why)
{
	struct allow_rule *rules = NULL;
	struct err err = ERR_NONE;
	size_t count = 77;

	assert_int_equal(allow_rules_parse(json, strlen(json), &rules, &count, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("%s: refused with '%s'", json, err.text);
	assert_null(rules);
	assert_int_equal(count, 77);
}

/* The list of data/controller-16/rules-vrrp.json. */
static void a_controllers_list_is_understood(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\": \"TCP\", \"cidr\": \"198.51.100.253/32\", \"port\": 80}, "
		     "{\"protocol\": \"TCP\", \"cidr\": \"203.0.113.0/24\", \"port\": 80}, "
		     "{\"protocol\": \"vrrp\", \"cidr\": \"198.51.100.19/32\", \"port\": 112}]",
		"\t\tip saddr { 198.51.100.253/32, 203.0.113.0/24 } tcp dport 80 accept\n"
		"\t\tip saddr { 198.51.100.19/32 } meta l4proto 112 accept\n"
		"\t\tip saddr { 198.51.100.19/32 } tcp dport 1025 accept\n");
}

static void each_protocol_has_its_match(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"SCTP\",\"cidr\":null,\"port\":1},"
		     "{\"protocol\":\"UDP\",\"cidr\":null,\"port\":65535},"
		     "{\"protocol\":\"TCP\",\"cidr\":null,\"port\":443}]",
		"\t\ttcp dport 443 accept\n"
		"\t\tudp dport 65535 accept\n"
		"\t\tsctp dport 1 accept\n");
}

static void a_vrrp_peer_of_either_family_is_let_in_with_its_stick_tables(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"vrrp\",\"cidr\":\"2001:db8::19/128\",\"port\":112}]",
		"\t\tip6 saddr { 2001:db8::19/128 } meta l4proto 112 accept\n"
		"\t\tip6 saddr { 2001:db8::19/128 } tcp dport 1025 accept\n");
}

static void the_peers_port_is_never_opened_to_everybody(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"vrrp\",\"cidr\":null,\"port\":112}]",
		"\t\tmeta l4proto 112 accept\n");
	assert_lines("[{\"protocol\":\"vrrp\",\"cidr\":\"192.0.2.2\",\"port\":112},"
		     "{\"protocol\":\"vrrp\",\"cidr\":\"0.0.0.0/0\",\"port\":112}]",
		"\t\tmeta l4proto 112 accept\n"
		"\t\tip saddr { 192.0.2.2/32 } tcp dport 1025 accept\n");
}

static void null_and_all_of_ipv4_mean_anybody(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"TCP\",\"cidr\":\"10.0.0.0/8\",\"port\":80},"
		     "{\"protocol\":\"TCP\",\"cidr\":\"0.0.0.0/0\",\"port\":80}]",
		"\t\ttcp dport 80 accept\n");
	assert_lines("[{\"protocol\":\"TCP\",\"cidr\":\"::/0\",\"port\":80}]",
		"\t\tip6 saddr { ::/0 } tcp dport 80 accept\n");
}

static void sources_of_both_families_stand_apart(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"TCP\",\"cidr\":\"2001:DB8::/32\",\"port\":80},"
		     "{\"protocol\":\"TCP\",\"cidr\":\"10.0.0.0/8\",\"port\":80},"
		     "{\"protocol\":\"TCP\",\"cidr\":\"2001:db8::1\",\"port\":443}]",
		"\t\tip saddr { 10.0.0.0/8 } tcp dport 80 accept\n"
		"\t\tip6 saddr { 2001:db8::/32 } tcp dport 80 accept\n"
		"\t\tip6 saddr { 2001:db8::1/128 } tcp dport 443 accept\n");
}

static void bits_behind_the_prefix_do_not_count(void **state)
{
	(void)state;
	assert_lines("[{\"protocol\":\"TCP\",\"cidr\":\"10.1.2.3/8\",\"port\":80}]",
		"\t\tip saddr { 10.0.0.0/8 } tcp dport 80 accept\n");
	assert_lines("[{\"protocol\":\"TCP\",\"cidr\":\"10.1.2.3/0\",\"port\":80}]",
		"\t\ttcp dport 80 accept\n");
}

static void an_empty_list_allows_nothing(void **state)
{
	(void)state;
	assert_lines("[]", "");
}

static void what_is_no_list_of_rules_is_refused(void **state)
{
	(void)state;
	assert_refused("", "no JSON");
	assert_refused("[", "no JSON");
	assert_refused("{}", "must be a list");
	assert_refused("null", "no JSON");
	assert_refused("[[]]", "rule 1: must be an object");
	assert_refused("[]x", "no JSON");
}

static void a_rule_has_the_three_keys_and_no_other(void **state)
{
	(void)state;
	assert_refused("[{\"protocol\":\"TCP\",\"port\":80}]", "rule 1: cidr: is missing");
	assert_refused("[{\"protocol\":\"TCP\",\"cidr\":null}]", "rule 1: port: is missing");
	assert_refused("[{\"cidr\":null,\"port\":80}]", "rule 1: protocol: is missing");
	assert_refused("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80},"
		       "{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80,\"action\":\"drop\"}]",
		"rule 2: has a key");
	assert_refused("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80,\"port\":81}]", "no JSON");
	/* What a controller sends itself where there is no SR-IOV, and never to us. */
	assert_refused("[{\"non-sriov-vip\":true}]", "rule 1: ");
}

static void a_value_out_of_its_range_is_refused(void **state)
{
	static const char *const ports[] = {
		"0", "65536", "-1", "80.0", "\"80\"", "null", "1e3", "99999999999999999999"};
	static const char *const cidrs[] = {"\"\"", "\"10.0.0.0/33\"", "\"2001:db8::/129\"",
		"\"10.0.0.0/-1\"", "\"10.0.0.0/\"", "\"10.0.0/8\"", "\"any\"", "17", "[]",
		"\"10.0.0.0/8 } accept\"", "\"fe80::1%eth1\"", "\"10.0.0.0/8/8\"",
		"\"10.0.0.0\\u0000/8\""};
	static const char *const protocols[] = {
		"\"tcp\"", "\"VRRP\"", "\"ICMP\"", "\"\"", "6", "null"};
	char json[256];

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		snprintf(json, sizeof(json), "[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":%s}]",
			ports[i]);
		assert_refused(json, i == 7 ? "no JSON" : "rule 1: port: ");
	}
	for (size_t i = 0; i < sizeof(cidrs) / sizeof(cidrs[0]); i++) {
		snprintf(json, sizeof(json), "[{\"protocol\":\"TCP\",\"cidr\":%s,\"port\":80}]",
			cidrs[i]);
		assert_refused(json, i == 12 ? "no JSON" : "rule 1: cidr: ");
	}
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		snprintf(json, sizeof(json), "[{\"protocol\":%s,\"cidr\":null,\"port\":80}]",
			protocols[i]);
		assert_refused(json, "rule 1: protocol: ");
	}
}

/* "[RULE,RULE,…]"; the caller's to free. */
static char *list_of(size_t count)
{
	cleanup_buf struct buf json = BUF_INIT(MIB);

	buf_append_text(&json, "[");
	for (size_t i = 0; i < count; i++)
		buf_append_format(&json,
			"%s{\"protocol\":\"TCP\",\"cidr\":\"10.%zu.%zu.0/24\",\"port\":80}",
			i ? "," : "", i / 256, i % 256);
	buf_append_text(&json, "]");
	assert_int_equal(buf_error(&json), 0);
	return buf_take_text(&json);
}

static void a_list_is_of_bounded_length(void **state)
{
	cleanup_free char *most = list_of(ALLOW_RULES_MAX);
	cleanup_free char *more = list_of(ALLOW_RULES_MAX + 1);
	cleanup_free char *blanks = xformat("[%*s]", ALLOW_RULES_JSON_MAX_BYTES, "");
	cleanup_free char *lines = lines_of(most);

	(void)state;
	assert_non_null(strstr(lines, "10.39.15.0/24"));
	assert_refused(more, "10001 rules");
	assert_refused(blanks, "longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_controllers_list_is_understood),
		cmocka_unit_test(each_protocol_has_its_match),
		cmocka_unit_test(a_vrrp_peer_of_either_family_is_let_in_with_its_stick_tables),
		cmocka_unit_test(the_peers_port_is_never_opened_to_everybody),
		cmocka_unit_test(null_and_all_of_ipv4_mean_anybody),
		cmocka_unit_test(sources_of_both_families_stand_apart),
		cmocka_unit_test(bits_behind_the_prefix_do_not_count),
		cmocka_unit_test(an_empty_list_allows_nothing),
		cmocka_unit_test(what_is_no_list_of_rules_is_refused),
		cmocka_unit_test(a_rule_has_the_three_keys_and_no_other),
		cmocka_unit_test(a_value_out_of_its_range_is_refused),
		cmocka_unit_test(a_list_is_of_bounded_length),
	};

	return cmocka_run_group_tests_name("allow_rule", tests, NULL, NULL);
}
