/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT                 POOL_POINTER "/healthmonitor/"
#define HTTP_MONITOR(keys) MONITOR_MODEL(", 'type': 'HTTP'" keys)

static const struct health_monitor *monitor_of(const struct model_case *model)
{
	assert_non_null(model->load_balancer);
	return model->load_balancer->pools.items[0]->health_monitor;
}

static void a_tcp_monitor_asks_nothing(void **state)
{
	cleanup_model struct model_case model = model_parse(MONITOR_MODEL(", 'type': 'TCP'"));
	const struct health_monitor *monitor = monitor_of(&model);

	(void)state;
	assert_int_equal(monitor->type, HEALTH_MONITOR_TCP);
	assert_int_equal(monitor->delay_ms, 5000);
	assert_int_equal(monitor->timeout_ms, 3000);
	assert_int_equal(monitor->max_retries, 2);
	assert_int_equal(monitor->max_retries_down, 3);
	assert_true(monitor->admin_state_up);
	assert_null(monitor->request.path);
	assert_null(monitor->request.codes);
}

static void an_http_monitor_gets_the_root_and_expects_200(void **state)
{
	cleanup_model struct model_case model = model_parse(HTTP_MONITOR(""));
	const struct health_monitor_request *request = &monitor_of(&model)->request;

	(void)state;
	assert_string_equal(request->method, "GET");
	assert_string_equal(request->path, "/");
	assert_null(request->version);
	assert_null(request->host);
	assert_int_equal(request->code_count, 1);
	assert_int_equal(request->codes[0], 200);
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(HTTP_MONITOR(
		", 'http_method': 'HEAD', 'url_path': '/a?b=1&c', 'http_version': 1.1, "
		"'domain_name': 'www.example.org', 'expected_codes': '204 , 200,204', "
		"'max_retries_down': 10, 'admin_state_up': false, 'name': 'n'"));
	const struct health_monitor *monitor = monitor_of(&model);

	(void)state;
	assert_string_equal(monitor->request.method, "HEAD");
	assert_string_equal(monitor->request.path, "/a?b=1&c");
	assert_string_equal(monitor->request.version, "1.1");
	assert_string_equal(monitor->request.host, "www.example.org");
	assert_int_equal(monitor->request.code_count, 2);
	assert_int_equal(monitor->request.codes[0], 200);
	assert_int_equal(monitor->request.codes[1], 204);
	assert_int_equal(monitor->max_retries_down, 10);
	assert_false(monitor->admin_state_up);
}

static void codes_may_be_a_range(void **state)
{
	cleanup_model struct model_case model =
		model_parse(HTTP_MONITOR(", 'expected_codes': '200-204'"));
	const struct health_monitor_request *request = &monitor_of(&model)->request;

	(void)state;
	assert_int_equal(request->code_count, 5);
	assert_int_equal(request->codes[0], 200);
	assert_int_equal(request->codes[4], 204);
}

static void four_keys_are_required(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'healthmonitor': {}"),
		AT "type: is required\n" AT "delay: is required\n" AT "timeout: is required\n" AT
		   "max_retries: is required");
}

static void times_are_positive_and_retries_one_to_ten(void **state)
{
	(void)state;
	assert_faults(POOL_MODEL(", 'healthmonitor': {'type': 'TCP', 'delay': 0, 'timeout': 0, "
				 "'max_retries': 0, 'max_retries_down': 11}"),
		AT "delay: must be at least 1\n" AT "timeout: must be at least 1\n" AT
		   "max_retries: must be at least 1\n" AT "max_retries_down: must be at most 10");
	assert_faults(POOL_MODEL(", 'healthmonitor': {'type': 'TCP', 'delay': 2073600, 'timeout': "
				 "'577h', 'max_retries': 10}"),
		AT "timeout: must be at most 2073600");
}

static void a_timeout_longer_than_the_delay_is_a_warning(void **state)
{
	cleanup_model struct model_case model = model_parse(POOL_MODEL(
		", 'healthmonitor': {'type': 'TCP', 'delay': 5, 'timeout': 6, 'max_retries': 1}"));

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.faults.warnings.count, 1);
	assert_string_equal(model.faults.warnings.items[0].path, AT "timeout");
}

static void a_timeout_as_long_as_the_delay_is_none(void **state)
{
	cleanup_model struct model_case model = model_parse(POOL_MODEL(
		", 'healthmonitor': {'type': 'TCP', 'delay': 5, 'timeout': 5, 'max_retries': 1}"));

	(void)state;
	assert_int_equal(model.faults.warnings.count, 0);
}

static void a_tcp_monitor_with_a_request_is_a_fault(void **state)
{
	static const char only[] = "has a meaning for HTTP and HTTPS monitors only";
	cleanup_free char *expected =
		xformat(AT "url_path: %s\n" AT "expected_codes: %s", only, only);

	(void)state;
	assert_faults(MONITOR_MODEL(", 'type': 'TCP', 'url_path': '/', 'expected_codes': '200', "
				    "'http_method': null, 'domain_name': null"),
		expected);
}

/* Octavia's API takes them. */
static void a_version_and_host_without_a_request_are_a_warning(void **state)
{
	static const char unused[] = "has no effect: only HTTP and HTTPS monitors send requests";
	cleanup_model struct model_case model = model_parse(MONITOR_MODEL(
		", 'type': 'TCP', 'http_version': 1.0, 'domain_name': 'www.example.org'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);
	cleanup_free char *expected =
		xformat(AT "http_version: %s\n" AT "domain_name: %s", unused, unused);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(warnings, expected);
}

static void assert_path_fault(const char *path, const char *fault)
{
	cleanup_free char *model = xformat(HTTP_MONITOR(", 'url_path': '%s'"), path);
	cleanup_free char *expected = fault ? xformat(AT "url_path: %s", fault) : xstrdup("");

	assert_faults(model, expected);
}

static void a_url_path_is_a_path(void **state)
{
	cleanup_free char *longest = xcalloc(256, 1);

	(void)state;
	memset(longest, '/', 1);
	memset(longest + 1, 'a', 254);
	assert_path_fault(longest, NULL);
	assert_path_fault("/%20?x=%C3%A4;[]|{}", NULL);
	assert_path_fault("/\\\"\\\\$\xc3\xa4", NULL);
	longest[255] = 'a';
	longest = xrealloc_array(longest, 257, 1);
	longest[256] = '\0';
	assert_path_fault(longest, "must be at most 255 characters long");
	assert_path_fault("", "must begin with '/'");
	assert_path_fault("healthz", "must begin with '/'");
	assert_path_fault("http://host/", "must begin with '/'");
	assert_path_fault("//host/", "must be a path: '//' begins a host name");
	assert_path_fault("/[a]?b", "must not hold '[' or ']' before its '?': write %5B and %5D");
	assert_path_fault("/a]", "must not hold '[' or ']' before its '?': write %5B and %5D");
	assert_path_fault("/a b", "must not hold a space: write %20");
	assert_path_fault("/a#b", "must not hold '#': a fragment is never sent to a server");
	assert_path_fault("/a%2", "holds a '%' that two hexadecimal digits do not follow");
	assert_path_fault("/a%zz", "holds a '%' that two hexadecimal digits do not follow");
	assert_path_fault("/a\\r\\nX: y", "must not hold control characters");
}

static void assert_codes_fault(const char *codes)
{
	cleanup_free char *model = xformat(HTTP_MONITOR(", 'expected_codes': %s"), codes);

	assert_faults(model, AT "expected_codes: must be status codes from 100 to 999: \"200\", "
				"\"200,202\" or \"200-204\"");
}

static void codes_of_another_form_are_a_fault(void **state)
{
	static const char *const wrong[] = {"''", "'20'", "'2000'", "'abc'", "'200-'", "'204-200'",
		"'200,'", "',200'", "'200 202'", "'200-202,204'", "'099'", "'200;202'", "'+20'",
		"'200|.*'", "'200-20x'"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_codes_fault(wrong[i]);
}

static void the_http_version_is_a_number_or_a_text(void **state)
{
	(void)state;
	assert_faults(HTTP_MONITOR(", 'http_version': 1.0"), "");
	assert_faults(HTTP_MONITOR(", 'http_version': 1"), "");
	assert_faults(HTTP_MONITOR(", 'http_version': '1.1'"), "");
	assert_faults(HTTP_MONITOR(", 'http_version': 2"), AT "http_version: must be 1.0 or 1.1");
	assert_faults(
		HTTP_MONITOR(", 'http_version': '1.1\\r'"), AT "http_version: must be 1.0 or 1.1");
	assert_faults(
		HTTP_MONITOR(", 'http_version': true"), AT "http_version: must be 1.0 or 1.1");
}

static void a_host_needs_http_1_1(void **state)
{
	(void)state;
	assert_faults(HTTP_MONITOR(", 'domain_name': 'a.b', 'http_version': 1.0"),
		AT "domain_name: needs http_version 1.1");
	assert_faults(
		HTTP_MONITOR(", 'domain_name': 'a.b'"), AT "domain_name: needs http_version 1.1");
	assert_faults(HTTP_MONITOR(", 'domain_name': 'a.b', 'http_version': 2"),
		AT "http_version: must be 1.0 or 1.1");
}

static void a_host_is_a_domain_name(void **state)
{
	static const char *const right[] = {"a", "a.b", "a.b.", "_x.y-z.1", "127.0.0.1",
		"a23456789012345678901234567890123456789012345678901234567890123"};
	static const char *const wrong[] = {"", ".", "a..b", ".a", "a..", "-a", "a-", "a.-b", "a_b",
		"a b", "a:80", "%[src]", "a\\\"b", "ä",
		"a234567890123456789012345678901234567890123456789012345678901234"};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		cleanup_free char *model = xformat(
			HTTP_MONITOR(", 'http_version': 1.1, 'domain_name': '%s'"), right[i]);

		assert_faults(model, "");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_free char *model = xformat(
			HTTP_MONITOR(", 'http_version': 1.1, 'domain_name': '%s'"), wrong[i]);

		assert_faults(model, AT "domain_name: must be a domain name");
	}
}

#define CHECKED_POOL(protocol, type, keys)                                                         \
	LISTED_POOL_MODEL(protocol, ", 'healthmonitor': {'type': '" type                           \
				    "', 'delay': 5, 'timeout': 3, 'max_retries': 2" keys "}")
#define CHECKED_AT LISTED_POOL_POINTER "/healthmonitor/"

static const char *const type_names[HEALTH_MONITOR_TYPE_COUNT] = {
	[HEALTH_MONITOR_TCP] = "TCP",
	[HEALTH_MONITOR_HTTP] = "HTTP",
	[HEALTH_MONITOR_HTTPS] = "HTTPS",
	[HEALTH_MONITOR_PING] = "PING",
	[HEALTH_MONITOR_TLS_HELLO] = "TLS-HELLO",
	[HEALTH_MONITOR_UDP_CONNECT] = "UDP-CONNECT",
	[HEALTH_MONITOR_SCTP] = "SCTP",
};

/* fits: a letter for each of type_names. */
static void assert_types_fit(const char *protocol, const char *fits)
{
	for (size_t i = 0; i < HEALTH_MONITOR_TYPE_COUNT; i++) {
		cleanup_free char *text =
			xformat(CHECKED_POOL("%s", "%s", ""), protocol, type_names[i]);
		cleanup_free char *fault =
			xformat(CHECKED_AT "type: %s monitors cannot check the members of %s pools",
				type_names[i], protocol);
		cleanup_model struct model_case model = model_parse(text);

		assert_faults(text, fits[i] == 'y' ? "" : fault);
		if (model.load_balancer)
			assert_int_equal(monitor_of(&model)->type, i);
	}
}

static void a_monitor_fits_its_pool_as_in_octavias_api(void **state)
{
	(void)state;
	assert_types_fit("TCP", "yyyyy--");
	assert_types_fit("HTTP", "yyyyy--");
	assert_types_fit("HTTPS", "yyyyy--");
	assert_types_fit("PROXY", "yyyyy--");
	assert_types_fit("PROXYV2", "yyyyy--");
	assert_types_fit("UDP", "yy---yy");
	assert_types_fit("SCTP", "yy---yy");
}

static void an_https_monitor_asks_as_an_http_monitor(void **state)
{
	cleanup_model struct model_case model =
		model_parse(MONITOR_MODEL(", 'type': 'HTTPS', 'url_path': '/x'"));

	(void)state;
	assert_string_equal(monitor_of(&model)->request.path, "/x");
	assert_int_equal(monitor_of(&model)->request.codes[0], 200);
	assert_faults(MONITOR_MODEL(", 'type': 'HTTPS', 'url_path': 'x'"),
		AT "url_path: must begin with '/'");
}

static void every_method_of_octavia_is_taken(void **state)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"};

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		cleanup_free char *text =
			xformat(HTTP_MONITOR(", 'http_method': '%s'"), methods[i]);
		cleanup_model struct model_case model = model_parse(text);

		assert_string_equal(monitor_of(&model)->request.method, methods[i]);
	}
}

static void an_unknown_type_does_not_hide_other_faults(void **state)
{
	(void)state;
	assert_faults(MONITOR_MODEL(", 'type': 'ICMP', 'url_path': 'x', 'http_version': 1.0"),
		AT "type: must be one of HTTP, TCP, HTTPS, PING, TLS-HELLO, UDP-CONNECT, SCTP\n" AT
		   "url_path: must begin with '/'");
}

static void udp_is_asked_every_three_seconds_at_most(void **state)
{
	(void)state;
	assert_faults(
		LISTED_POOL_MODEL("UDP", ", 'healthmonitor': {'type': 'UDP-CONNECT', 'delay': 2, "
					 "'timeout': 1, 'max_retries': 1}"),
		CHECKED_AT "delay: must be at least 3");
	assert_faults(LISTED_POOL_MODEL("UDP", ", 'healthmonitor': {'type': 'SCTP', 'delay': 2, "
					       "'timeout': 1, 'max_retries': 1}"),
		"");
}

static void a_path_that_keepalived_cannot_be_told_is_a_fault(void **state)
{
	(void)state;
	assert_faults(CHECKED_POOL("UDP", "HTTP", ", 'url_path': '/$a'"), CHECKED_AT
		"url_path: must not hold a '$' before a letter, '_' or '{': keepalived would read "
		"a definition");
	assert_faults(CHECKED_POOL("TCP", "HTTP", ", 'url_path': '/$a'"), "");
}

static void codes_and_times_that_keepalived_does_not_know_are_faults(void **state)
{
	(void)state;
	assert_faults(CHECKED_POOL("UDP", "HTTP", ", 'expected_codes': '200,599'"), "");
	assert_faults(CHECKED_POOL("UDP", "HTTP", ", 'expected_codes': '200,600'"), CHECKED_AT
		"expected_codes: must be at most 599 in UDP and SCTP pools: keepalived knows no "
		"others");
	assert_faults(CHECKED_POOL("TCP", "HTTP", ", 'expected_codes': '200,600'"), "");
	assert_faults(LISTED_POOL_MODEL("UDP", ", 'healthmonitor': {'type': 'TCP', 'delay': '2h', "
					       "'timeout': 4294, 'max_retries': 1}"),
		CHECKED_AT "timeout: must be at most 4293");
	assert_faults(LISTED_POOL_MODEL("TCP", ", 'healthmonitor': {'type': 'TCP', 'delay': '2h', "
					       "'timeout': 4294, 'max_retries': 1}"),
		"");
}

static void a_request_that_keepalived_cannot_send_is_a_warning(void **state)
{
	cleanup_model struct model_case model =
		model_parse(CHECKED_POOL("UDP", "HTTP", ", 'http_method': 'HEAD'"));
	cleanup_model struct model_case get =
		model_parse(CHECKED_POOL("UDP", "HTTP", ", 'http_method': 'GET'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_string_equal(warnings, CHECKED_AT
		"http_method: is not GET: members of UDP and SCTP pools are then not checked at "
		"all");
	assert_int_equal(get.faults.warnings.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tcp_monitor_asks_nothing),
		cmocka_unit_test(an_http_monitor_gets_the_root_and_expects_200),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(codes_may_be_a_range),
		cmocka_unit_test(four_keys_are_required),
		cmocka_unit_test(times_are_positive_and_retries_one_to_ten),
		cmocka_unit_test(a_timeout_longer_than_the_delay_is_a_warning),
		cmocka_unit_test(a_timeout_as_long_as_the_delay_is_none),
		cmocka_unit_test(a_tcp_monitor_with_a_request_is_a_fault),
		cmocka_unit_test(a_version_and_host_without_a_request_are_a_warning),
		cmocka_unit_test(a_url_path_is_a_path),
		cmocka_unit_test(codes_of_another_form_are_a_fault),
		cmocka_unit_test(the_http_version_is_a_number_or_a_text),
		cmocka_unit_test(a_host_needs_http_1_1),
		cmocka_unit_test(a_host_is_a_domain_name),
		cmocka_unit_test(a_monitor_fits_its_pool_as_in_octavias_api),
		cmocka_unit_test(an_https_monitor_asks_as_an_http_monitor),
		cmocka_unit_test(every_method_of_octavia_is_taken),
		cmocka_unit_test(an_unknown_type_does_not_hide_other_faults),
		cmocka_unit_test(udp_is_asked_every_three_seconds_at_most),
		cmocka_unit_test(a_path_that_keepalived_cannot_be_told_is_a_fault),
		cmocka_unit_test(codes_and_times_that_keepalived_does_not_know_are_faults),
		cmocka_unit_test(a_request_that_keepalived_cannot_send_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
