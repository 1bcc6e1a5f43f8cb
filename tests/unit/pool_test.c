/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define WITH_POOL(keys) LISTENER_MODEL(", 'default_pool': {" keys "}")

static void a_pool_may_be_empty(void **state)
{
	cleanup_model struct model_case model = model_parse(POOL_MODEL(""));
	const struct pool *pool = model.load_balancer->pools.items[0];

	(void)state;
	assert_int_equal(pool->protocol, POOL_HTTP);
	assert_int_equal(pool->lb_algorithm, LB_ROUND_ROBIN);
	assert_int_equal(pool->member_count, 0);
	assert_null(pool->health_monitor);
	assert_true(pool->admin_state_up);
	assert_string_equal(pool->name, "");
}

static void members_keep_their_order(void **state)
{
	cleanup_model struct model_case model =
		model_parse(MEMBERS_MODEL("{'address': '10.0.0.5', 'protocol_port': 1},"
					  "{'address': '10.0.0.4', 'protocol_port': 2}"));
	const struct pool *pool = model.load_balancer->pools.items[0];

	(void)state;
	assert_int_equal(pool->member_count, 2);
	assert_int_equal(pool->members[0].protocol_port, 1);
	assert_int_equal(pool->members[1].protocol_port, 2);
}

static void protocol_and_algorithm_are_required(void **state)
{
	(void)state;
	assert_faults(WITH_POOL("'members': []"),
		POOL_POINTER "/protocol: is required\n" POOL_POINTER "/lb_algorithm: is required");
}

static void secrets_in_barbican_are_named_by_our_key(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'ca_tls_container_ref': 'https://barbican/x'"), POOL_POINTER
		"/ca_tls_container_ref: names a secret in Barbican, which an agent cannot "
		"read: upload the PEM and name it in 'ca_certificate'");
}

static void members_that_are_no_list_of_objects_are_faults(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'members': {}"), POOL_POINTER "/members: must be a list");
	assert_faults(MEMBERS_MODEL("null, 'x'"), POOL_POINTER
		"/members/0: must be an object\n" POOL_POINTER "/members/1: must be an object");
	assert_faults(POOL_MODEL(", 'healthmonitor': []"),
		POOL_POINTER "/healthmonitor: must be an object");
}

static void a_listed_pool_needs_something_to_refer_to(void **state)
{
	(void)state;
	assert_faults("{'vip_address': '10.0.0.1', 'pools': [{'protocol': 'TCP', 'lb_algorithm': "
		      "'ROUND_ROBIN'}]}",
		"/pools/0: needs a name or an id, by which listeners refer to it");
	assert_faults("{'vip_address': '10.0.0.1', 'pools': [{'name': 5, 'protocol': 'TCP', "
		      "'lb_algorithm': 'ROUND_ROBIN'}]}",
		"/pools/0/name: must be a text");
}

static void a_fault_in_the_pool_does_not_hide_those_of_its_members(void **state)
{
	(void)state;
	assert_faults(
		WITH_POOL("'id': '?', 'protocol': 'X', 'lb_algorithm': 'ROUND_ROBIN', 'members': "
			  "[{'address': '10.0.0.4', 'protocol_port': 1, 'weight': 1000}]"),
		POOL_POINTER
		"/protocol: must be one of HTTP, TCP, HTTPS, PROXY, PROXYV2, UDP, "
		"SCTP\n" POOL_POINTER
		"/id: id is not valid: 1 to 64 letters, digits, '_' and '-', not starting with "
		"'-'\n" POOL_POINTER "/members/0/weight: must be at most 256");
}

#define PERSISTENCE_MODEL(protocol, keys)                                                          \
	LISTED_POOL_MODEL(protocol, ", 'session_persistence': {" keys "}")
#define PERSISTENCE LISTED_POOL_POINTER "/session_persistence"
#define TLS(keys)   LISTED_POOL_MODEL("TCP", ", 'tls_enabled': true" keys)

static const struct pool *pool_of(const struct model_case *model)
{
	assert_non_null(model->load_balancer);
	return model->load_balancer->pools.items[0];
}

static void every_protocol_and_algorithm_of_amphorae_is_taken(void **state)
{
	static const char *const protocols[] = {
		"TCP", "HTTP", "HTTPS", "PROXY", "PROXYV2", "UDP", "SCTP"};
	static const char *const algorithms[] = {"ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"};

	(void)state;
	for (size_t i = 0; i < POOL_PROTOCOL_COUNT; i++) {
		cleanup_free char *text = xformat("{'vip_address': '10.0.0.1', 'pools': [{'id': "
						  "'p', 'protocol': '%s', 'lb_algorithm': '%s'}]}",
			protocols[i], algorithms[i % 3]);
		cleanup_model struct model_case model = model_parse(text);

		assert_int_equal(pool_of(&model)->protocol, i);
		assert_int_equal(pool_of(&model)->lb_algorithm, i % 3);
		assert_string_equal(pool_protocol_name(pool_of(&model)->protocol), protocols[i]);
	}
}

static void an_algorithm_that_amphorae_refuse_is_a_fault(void **state)
{
	(void)state;
	assert_faults(WITH_POOL("'protocol': 'HTTP', 'lb_algorithm': 'SOURCE_IP_PORT'"),
		POOL_POINTER "/lb_algorithm: SOURCE_IP_PORT is not supported by amphorae");
}

static void an_application_cookie_is_named(void **state)
{
	cleanup_model struct model_case model = model_parse(
		PERSISTENCE_MODEL("HTTP", "'type': 'APP_COOKIE', 'cookie_name': 'JSESSIONID'"));

	(void)state;
	assert_int_equal(pool_of(&model)->session_persistence.type, PERSISTENCE_APP_COOKIE);
	assert_string_equal(pool_of(&model)->session_persistence.cookie_name, "JSESSIONID");
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'APP_COOKIE', 'cookie_name': null"),
		PERSISTENCE "/cookie_name: is required for type APP_COOKIE");
}

static void a_cookies_name_is_a_token(void **state)
{
	static const char bad[] = " ;,=/\\()<>@:[]{}?\x7f";

	(void)state;
	for (const char *c = bad; *c; c++) {
		cleanup_free char *text =
			xformat(PERSISTENCE_MODEL("HTTP", "'type': 'APP_COOKIE', 'cookie_name': "
							  "'a%sb'"),
				*c == '\\' ? "\\\\" : (char[]){*c, '\0'});
		cleanup_model struct model_case model = model_parse(text);

		assert_null(model.load_balancer);
		assert_int_equal(model.faults.errors.count, 1);
	}
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'APP_COOKIE', 'cookie_name': ''"),
		PERSISTENCE "/cookie_name: must not be empty");
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'APP_COOKIE', 'cookie_name': 'ä'"),
		PERSISTENCE "/cookie_name: must be made of letters, digits and any of "
			    "\"!#$%&'*+-.^_`|~\"");
}

static void only_an_application_cookie_has_a_name(void **state)
{
	(void)state;
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'HTTP_COOKIE', 'cookie_name': 'x'"),
		PERSISTENCE "/cookie_name: has a meaning for type APP_COOKIE only");
	assert_faults(PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'cookie_name': 'x'"),
		PERSISTENCE "/cookie_name: has a meaning for type APP_COOKIE only");
	/* As Octavia's answers have it. */
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'SOURCE_IP', 'cookie_name': null, "
						"'persistence_timeout': null, "
						"'persistence_granularity': null"),
		"");
}

static void persistence_has_a_type(void **state)
{
	(void)state;
	assert_faults(PERSISTENCE_MODEL("HTTP", ""), PERSISTENCE "/type: is required");
	assert_faults(PERSISTENCE_MODEL("HTTP", "'type': 'COOKIE', 'cookie_name': 'x', 'a': 1"),
		PERSISTENCE "/type: must be one of SOURCE_IP, HTTP_COOKIE, "
			    "APP_COOKIE\n" PERSISTENCE "/a: is no key of this object");
	assert_faults(LISTED_POOL_MODEL("HTTP", ", 'session_persistence': null"), "");
}

static void timeout_and_granularity_are_of_udp_and_sctp_pools(void **state)
{
	cleanup_model struct model_case model = model_parse(
		PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'persistence_timeout': 60, "
					 "'persistence_granularity': '255.255.0.0'"));

	(void)state;
	assert_int_equal(pool_of(&model)->session_persistence.timeout_s, 60);
	assert_string_equal(pool_of(&model)->session_persistence.granularity, "255.255.0.0");
	assert_faults(PERSISTENCE_MODEL("TCP", "'type': 'SOURCE_IP', 'persistence_timeout': 60, "
					       "'persistence_granularity': '255.255.0.0'"),
		PERSISTENCE "/persistence_timeout: has a meaning for UDP and SCTP pools "
			    "only\n" PERSISTENCE
			    "/persistence_granularity: has a meaning for UDP and SCTP pools only");
	assert_faults(PERSISTENCE_MODEL("SCTP", "'type': 'HTTP_COOKIE'"),
		PERSISTENCE "/type: must be SOURCE_IP in UDP and SCTP pools");
}

static void a_timeout_is_whole_seconds_up_to_a_month(void **state)
{
	cleanup_model struct model_case model = model_parse(
		PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'persistence_timeout': '1h'"));

	(void)state;
	assert_int_equal(pool_of(&model)->session_persistence.timeout_s, 3600);
	assert_faults(
		PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'persistence_timeout': 2678401"),
		PERSISTENCE "/persistence_timeout: must be at most 2678400");
	assert_faults(
		PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'persistence_timeout': '1500ms'"),
		PERSISTENCE "/persistence_timeout: must be whole seconds");
}

static void granularity_of_ipv6_is_a_prefix_length(void **state)
{
	static const char *const spellings[] = {"64", "'64'", "'ffff:ffff:ffff:ffff::'"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		cleanup_free char *text =
			xformat(PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', "
							 "'persistence_granularity': %s"),
				spellings[i]);
		cleanup_model struct model_case model = model_parse(text);

		assert_string_equal(pool_of(&model)->session_persistence.granularity, "64");
	}
}

static void granularity_is_nothing_else(void **state)
{
	static const char *const bad[] = {"'0'", "'129'", "'255.0.255.0'", "'::'", "'::1'",
		"'ffff::1'", "'x'", "''", "'255.255.255.0/24'"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cleanup_free char *text =
			xformat(PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', "
							 "'persistence_granularity': %s"),
				bad[i]);

		assert_faults(text, PERSISTENCE
			"/persistence_granularity: must be a netmask such as \"255.255.255.0\" or, "
			"for IPv6, the length of a prefix from 1 to 128");
	}
	assert_faults(
		PERSISTENCE_MODEL("UDP", "'type': 'SOURCE_IP', 'persistence_granularity': 129"),
		PERSISTENCE "/persistence_granularity: must be at most 128");
}

static void cookies_where_haproxy_sees_none_are_a_warning(void **state)
{
	cleanup_model struct model_case model =
		model_parse(PERSISTENCE_MODEL("HTTPS", "'type': 'HTTP_COOKIE'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(warnings,
		PERSISTENCE "/type: has no effect in HTTPS pools: HAProxy sees no cookies there");
}

/* Which of them fit depends on the protocol, which is not known. */
static void a_protocol_at_fault_is_the_only_fault(void **state)
{
	(void)state;
	assert_faults(
		LISTED_POOL_MODEL("UPD",
			", 'session_persistence': {'type': 'SOURCE_IP', 'persistence_timeout': 1}, "
			"'healthmonitor': {'type': 'UDP-CONNECT', 'delay': 5, 'timeout': 5, "
			"'max_retries': 1}"),
		LISTED_POOL_POINTER
		"/protocol: must be one of HTTP, TCP, HTTPS, PROXY, PROXYV2, UDP, SCTP");
}

static void tls_to_members_has_octavias_defaults(void **state)
{
	cleanup_model struct model_case model = model_parse(TLS(""));
	cleanup_model struct model_case plain = model_parse(LISTED_POOL_MODEL("TCP", ""));

	(void)state;
	assert_true(pool_of(&model)->tls.enabled);
	assert_true(pool_of(&model)->tls.tls.versions[TLS_TLSV1_3]);
	assert_false(pool_of(&model)->tls.tls.versions[TLS_TLSV1]);
	assert_string_equal(pool_of(&model)->tls.tls.alpn_protocols, "h2,http/1.1,http/1.0");
	assert_string_equal(pool_of(&model)->tls.ca_certificate.text, "");
	assert_false(pool_of(&plain)->tls.enabled);
	assert_string_equal(pool_of(&plain)->tls.tls.ciphers, "");
}

static void certificates_are_names_of_uploaded_files(void **state)
{
	cleanup_model struct model_case model = model_parse(TLS(
		", 'client_certificate': 'me.pem', 'ca_certificate': 'ca.pem', 'crl': 'l.pem'"));

	(void)state;
	assert_string_equal(pool_of(&model)->tls.client_certificate.text, "me.pem");
	assert_string_equal(pool_of(&model)->tls.ca_certificate.text, "ca.pem");
	assert_string_equal(pool_of(&model)->tls.crl.text, "l.pem");
	assert_faults(TLS(", 'client_certificate': '../x.pem'"), LISTED_POOL_POINTER
		"/client_certificate: certificate name is not valid: NAME.pem, at most 243 "
		"letters, digits, '_', '-' and '.', not starting with '.'");
}

static void a_revocation_list_needs_its_authority(void **state)
{
	(void)state;
	assert_faults(TLS(", 'crl': 'l.pem'"),
		LISTED_POOL_POINTER "/crl: needs a ca_certificate beside it");
	assert_faults(TLS(", 'crl': 'l.pem', 'ca_certificate': ''"),
		LISTED_POOL_POINTER "/crl: needs a ca_certificate beside it");
}

static void certificates_without_tls_are_a_warning(void **state)
{
	cleanup_model struct model_case model =
		model_parse(LISTED_POOL_MODEL("TCP", ", 'ca_certificate': 'ca.pem'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(
		warnings, LISTED_POOL_POINTER "/ca_certificate: has no effect without tls_enabled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_may_be_empty),
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(protocol_and_algorithm_are_required),
		cmocka_unit_test(secrets_in_barbican_are_named_by_our_key),
		cmocka_unit_test(members_that_are_no_list_of_objects_are_faults),
		cmocka_unit_test(a_listed_pool_needs_something_to_refer_to),
		cmocka_unit_test(a_fault_in_the_pool_does_not_hide_those_of_its_members),
		cmocka_unit_test(every_protocol_and_algorithm_of_amphorae_is_taken),
		cmocka_unit_test(an_algorithm_that_amphorae_refuse_is_a_fault),
		cmocka_unit_test(an_application_cookie_is_named),
		cmocka_unit_test(a_cookies_name_is_a_token),
		cmocka_unit_test(only_an_application_cookie_has_a_name),
		cmocka_unit_test(persistence_has_a_type),
		cmocka_unit_test(timeout_and_granularity_are_of_udp_and_sctp_pools),
		cmocka_unit_test(a_timeout_is_whole_seconds_up_to_a_month),
		cmocka_unit_test(granularity_of_ipv6_is_a_prefix_length),
		cmocka_unit_test(granularity_is_nothing_else),
		cmocka_unit_test(cookies_where_haproxy_sees_none_are_a_warning),
		cmocka_unit_test(a_protocol_at_fault_is_the_only_fault),
		cmocka_unit_test(tls_to_members_has_octavias_defaults),
		cmocka_unit_test(certificates_are_names_of_uploaded_files),
		cmocka_unit_test(a_revocation_list_needs_its_authority),
		cmocka_unit_test(certificates_without_tls_are_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
