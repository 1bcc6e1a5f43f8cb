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
	static const char only[] = "has a meaning for HTTP monitors only";
	cleanup_free char *expected =
		xformat(AT "url_path: %s\n" AT "expected_codes: %s", only, only);

	(void)state;
	assert_faults(MONITOR_MODEL(", 'type': 'TCP', 'url_path': '/', 'expected_codes': '200', "
				    "'http_method': null, 'domain_name': null"),
		expected);
}

static void types_that_are_not_built_yet_are_one_fault(void **state)
{
	(void)state;
	assert_faults(MONITOR_MODEL(", 'type': 'HTTPS', 'url_path': 'x'"),
		AT "type: HTTPS is not supported by this version of the agent yet");
	assert_faults(MONITOR_MODEL(", 'type': 'ICMP'"), AT "type: must be one of HTTP, TCP");
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
		cmocka_unit_test(types_that_are_not_built_yet_are_one_fault),
		cmocka_unit_test(a_url_path_is_a_path),
		cmocka_unit_test(codes_of_another_form_are_a_fault),
		cmocka_unit_test(the_http_version_is_a_number_or_a_text),
		cmocka_unit_test(a_host_needs_http_1_1),
		cmocka_unit_test(a_host_is_a_domain_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
