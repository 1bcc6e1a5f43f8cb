/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT "/listeners/0/insert_headers/"
#define HTTPS_MODEL(keys)                                                                          \
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TERMINATED_HTTPS', "              \
	"'protocol_port': 443, 'certificate': 'web.pem'" keys "}]}"

static void headers_are_asked_for_by_text_or_boolean(void **state)
{
	cleanup_model struct model_case model = model_parse(
		LISTENER_MODEL(", 'insert_headers': {'X-Forwarded-For': 'True', "
			       "'X-Forwarded-Port': true, 'X-Forwarded-Proto': 'false'}"));
	const bool *headers = model.load_balancer->listeners[0].insert_headers;

	(void)state;
	assert_true(headers[INSERT_X_FORWARDED_FOR]);
	assert_true(headers[INSERT_X_FORWARDED_PORT]);
	for (size_t i = INSERT_X_FORWARDED_PROTO; i < INSERT_HEADER_COUNT; i++)
		assert_false(headers[i]);
}

static void a_listener_that_ends_tls_tells_of_the_clients_certificate(void **state)
{
	static const char *const names[INSERT_HEADER_COUNT] = {"X-Forwarded-For",
		"X-Forwarded-Port", "X-Forwarded-Proto", "X-SSL-Client-Verify",
		"X-SSL-Client-Has-Cert", "X-SSL-Client-DN", "X-SSL-Client-CN", "X-SSL-Issuer",
		"X-SSL-Client-SHA1", "X-SSL-Client-Not-Before", "X-SSL-Client-Not-After"};

	(void)state;
	for (size_t asked = 0; asked < INSERT_HEADER_COUNT; asked++) {
		cleanup_free char *text =
			xformat(HTTPS_MODEL(", 'insert_headers': {'%s': 'true'}"), names[asked]);
		cleanup_model struct model_case model = model_parse(text);

		assert_non_null(model.load_balancer);
		for (size_t i = 0; i < INSERT_HEADER_COUNT; i++)
			assert_int_equal(
				model.load_balancer->listeners[0].insert_headers[i], i == asked);
	}
}

static void what_is_no_truth_is_a_fault(void **state)
{
	(void)state;
	assert_faults(LISTENER_MODEL(", 'insert_headers': {'X-Forwarded-For': 'yes', "
				     "'X-Forwarded-Port': 1, 'X-Forwarded-Proto': null}"),
		AT "X-Forwarded-For: must be \"true\" or \"false\"\n" AT
		   "X-Forwarded-Port: must be \"true\" or \"false\"");
	assert_faults(LISTENER_MODEL(", 'insert_headers': []"),
		"/listeners/0/insert_headers: must be an object");
}

static void other_headers_are_unknown(void **state)
{
	(void)state;
	assert_faults(
		LISTENER_MODEL(", 'insert_headers': {'x-forwarded-for': 'true', 'Via': 'true'}"), AT
		"x-forwarded-for: is no key of this object\n" AT "Via: is no key of this object");
}

static void headers_of_tls_need_it(void **state)
{
	(void)state;
	assert_faults(LISTENER_MODEL(", 'insert_headers': {'X-SSL-Issuer': 'false'}"),
		AT "X-SSL-Issuer: needs a TERMINATED_HTTPS listener");
}

static void other_listeners_insert_no_headers(void **state)
{
	static const char *const protocols[] = {"TCP", "HTTPS", "PROMETHEUS", "UDP", "SCTP"};

	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		cleanup_free char *asked = xformat(
			"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': '%s', "
			"'protocol_port': 1, 'insert_headers': {'X-Forwarded-For': 'true'}}]}",
			protocols[i]);
		cleanup_free char *empty =
			xformat("{'vip_address': '10.0.0.1', 'listeners': [{'protocol': '%s', "
				"'protocol_port': 1, 'insert_headers': {}}]}",
				protocols[i]);

		assert_faults(asked,
			"/listeners/0/insert_headers: has a meaning for HTTP and TERMINATED_HTTPS "
			"listeners only");
		assert_faults(empty, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_asked_for_by_text_or_boolean),
		cmocka_unit_test(a_listener_that_ends_tls_tells_of_the_clients_certificate),
		cmocka_unit_test(what_is_no_truth_is_a_fault),
		cmocka_unit_test(other_headers_are_unknown),
		cmocka_unit_test(headers_of_tls_need_it),
		cmocka_unit_test(other_listeners_insert_no_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
