/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT "/listeners/0/l7policies/0/rules/0/"
#define RULE_MODEL(keys)                                                                           \
	LISTENER_MODEL(", 'l7policies': [{'action': 'REJECT', 'rules': [{" keys "}]}]")
#define TLS_RULE_MODEL(keys)                                                                       \
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TERMINATED_HTTPS', "              \
	"'protocol_port': 443, 'certificate': 'web.pem', 'l7policies': [{'action': 'REJECT', "     \
	"'rules': [{" keys "}]}]}]}"
#define RULE(type, compare_type, keys)                                                             \
	RULE_MODEL("'type': '" type "', 'compare_type': '" compare_type "'" keys)
#define TLS_RULE(type, compare_type, keys)                                                         \
	TLS_RULE_MODEL("'type': '" type "', 'compare_type': '" compare_type "'" keys)
#define TOKEN "must be made of letters, digits and any of \"!#$%&'*+-.^_`|~\""

static void a_rule_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(RULE("HEADER", "CONTAINS",
		", 'key': 'X-Test', 'value': 'a;b#c', 'invert': true, 'admin_state_up': "
		"false, 'id': 'r1'"));
	const struct l7rule *rule = &model.load_balancer->listeners[0].l7policies[0].rules[0];

	(void)state;
	assert_string_equal(rule->id.text, "r1");
	assert_int_equal(rule->type, L7RULE_HEADER);
	assert_int_equal(rule->compare_type, L7RULE_CONTAINS);
	assert_string_equal(rule->key, "X-Test");
	assert_string_equal(rule->value, "a;b#c");
	assert_true(rule->invert);
	assert_false(rule->admin_state_up);
}

static void a_rule_is_up_and_not_inverted_unless_told(void **state)
{
	cleanup_model struct model_case model =
		model_parse(RULE("PATH", "STARTS_WITH", ", 'value': '/api'"));
	const struct l7rule *rule = &model.load_balancer->listeners[0].l7policies[0].rules[0];

	(void)state;
	assert_true(rule->admin_state_up);
	assert_false(rule->invert);
	assert_string_equal(rule->key, "");
}

static void type_comparison_and_value_are_required(void **state)
{
	(void)state;
	assert_faults(RULE_MODEL(""),
		AT "type: is required\n" AT "compare_type: is required\n" AT "value: is required");
	assert_faults(RULE("PATH", "EQUAL_TO", ", 'value': ''"), AT "value: must not be empty");
	assert_faults(RULE_MODEL("'type': 'BODY', 'compare_type': 'LIKE', 'value': 'x'"),
		AT "type: must be one of HOST_NAME, PATH, FILE_TYPE, HEADER, COOKIE, "
		   "SSL_CONN_HAS_CERT, SSL_VERIFY_RESULT, SSL_DN_FIELD\n" AT
		   "compare_type: must be one of REGEX, STARTS_WITH, ENDS_WITH, CONTAINS, "
		   "EQUAL_TO");
}

static void each_type_has_its_comparisons(void **state)
{
	static const char *const types[] = {"HOST_NAME", "PATH", "FILE_TYPE", "HEADER", "COOKIE",
		"SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT", "SSL_DN_FIELD"};
	static const char *const comparisons[] = {
		"REGEX", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUAL_TO"};
	static const char *const keys[] = {
		"", "", "", ", 'key': 'k'", ", 'key': 'k'", "", "", ", 'key': 'k'"};
	static const char *const values[] = {"x", "x", "x", "x", "x", "true", "0", "x"};

	(void)state;
	for (size_t type = 0; type < 8; type++)
		for (size_t comparison = 0; comparison < 5; comparison++) {
			cleanup_free char *text = xformat(
				TLS_RULE_MODEL(
					"'type': '%s', 'compare_type': '%s', 'value': '%s'%s"),
				types[type], comparisons[comparison], values[type], keys[type]);
			const char *expected = "";

			if ((type == 5 || type == 6) && comparison != 4)
				expected = type == 5 ? AT "compare_type: must be EQUAL_TO for "
							  "SSL_CONN_HAS_CERT rules"
						     : AT "compare_type: must be EQUAL_TO for "
							  "SSL_VERIFY_RESULT rules";
			if (type == 2 && comparison >= 1 && comparison <= 3)
				expected = AT "compare_type: must be EQUAL_TO or REGEX for "
					      "FILE_TYPE rules";
			assert_faults(text, expected);
		}
}

static void headers_cookies_and_names_have_a_key(void **state)
{
	(void)state;
	assert_faults(RULE("HEADER", "EQUAL_TO", ", 'value': 'x'"),
		AT "key: is required for HEADER rules");
	assert_faults(RULE("COOKIE", "REGEX", ", 'value': 'x', 'key': null"),
		AT "key: is required for COOKIE rules");
	assert_faults(
		RULE("COOKIE", "REGEX", ", 'value': 'x', 'key': ''"), AT "key: must not be empty");
	assert_faults(RULE("HEADER", "EQUAL_TO", ", 'value': 'x', 'key': 'a b'"), AT "key: " TOKEN);
	assert_faults(RULE("HEADER", "EQUAL_TO", ", 'value': 'x', 'key': 'a)'"), AT "key: " TOKEN);
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'value': 'x', 'key': 'a,b'"), AT "key: " TOKEN);
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'value': 'x', 'key': 'a=b'"), AT "key: " TOKEN);
	assert_faults(
		RULE("COOKIE", "EQUAL_TO", ", 'value': 'x', 'key': 'a_b.c-d!#$%&*+^`|~'"), "");
	assert_faults(RULE("PATH", "EQUAL_TO", ", 'value': 'x', 'key': ''"), "");
}

/* Legal in Octavia, which may show one in its answers. */
static void a_key_of_no_use_is_warned_of(void **state)
{
	cleanup_model struct model_case model =
		model_parse(RULE("PATH", "EQUAL_TO", ", 'value': 'x', 'key': 'k'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(warnings, AT "key: has no meaning for PATH rules");
	assert_string_equal(model.load_balancer->listeners[0].l7policies[0].rules[0].key, "");
}

static void a_field_of_a_name_is_a_word(void **state)
{
	static const char fault[] =
		AT "key: must be a field such as CN: a letter, then letters, digits and '-'";

	(void)state;
	assert_faults(TLS_RULE("SSL_DN_FIELD", "EQUAL_TO", ", 'value': 'x'"),
		AT "key: is required for SSL_DN_FIELD rules");
	assert_faults(
		TLS_RULE("SSL_DN_FIELD", "EQUAL_TO", ", 'value': 'Example Ltd.', 'key': 'O'"), "");
	assert_faults(TLS_RULE("SSL_DN_FIELD", "EQUAL_TO", ", 'value': 'x', 'key': 'ST-1x'"), "");
	assert_faults(TLS_RULE("SSL_DN_FIELD", "EQUAL_TO", ", 'value': 'x', 'key': '1x'"), fault);
	assert_faults(TLS_RULE("SSL_DN_FIELD", "EQUAL_TO", ", 'value': 'x', 'key': 'C N'"), fault);
	assert_faults(TLS_RULE("SSL_DN_FIELD", "REGEX", ", 'value': '(', 'key': 'CN'"),
		AT "value: has a '(' without its ')'");
}

static void values_are_what_a_header_can_hold(void **state)
{
	(void)state;
	assert_faults(RULE("HOST_NAME", "EQUAL_TO", ", 'value': 'a b'"),
		AT "value: must not hold a space, unless it stands in double quotes");
	assert_faults(RULE("PATH", "CONTAINS", ", 'value': '/\xc3\xa9'"),
		AT "value: must be printable ASCII");
	assert_faults(RULE("PATH", "CONTAINS", ", 'value': 'a\\nb'"),
		AT "value: must not hold control characters");
	assert_faults(RULE("HEADER", "EQUAL_TO", ", 'key': 'k', 'value': '\\\"a b\\\"'"), "");
	assert_faults(RULE("HEADER", "EQUAL_TO", ", 'key': 'k', 'value': '\\\"a b'"),
		AT "value: must not hold a space, unless it stands in double quotes");
	assert_faults(
		RULE("FILE_TYPE", "EQUAL_TO", ", 'value': '!#$%&*+,-./:;<=>?@[\\\\]^_`{|}~'"), "");
}

static void values_are_what_a_cookie_can_hold(void **state)
{
	static const char fault[] =
		AT "value: must be printable ASCII without a space and any of '\";\\'";

	(void)state;
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'key': 'k', 'value': 'a=b,c:/?@[]'"), "");
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'key': 'k', 'value': 'a;b'"), fault);
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'key': 'k', 'value': 'a b'"), fault);
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'key': 'k', 'value': '\\\"'"), fault);
	assert_faults(RULE("COOKIE", "EQUAL_TO", ", 'key': 'k', 'value': '\\\\'"), fault);
}

static void a_regular_expression_may_hold_spaces(void **state)
{
	(void)state;
	assert_faults(RULE("PATH", "REGEX", ", 'value': '^/(a b|\xc3\xa9)$'"), "");
	assert_faults(
		RULE("PATH", "REGEX", ", 'value': '['"), AT "value: has a '[' without its ']'");
}

static void rules_about_tls_have_their_values(void **state)
{
	(void)state;
	assert_faults(TLS_RULE("SSL_CONN_HAS_CERT", "EQUAL_TO", ", 'value': 'True'"), "");
	assert_faults(TLS_RULE("SSL_CONN_HAS_CERT", "EQUAL_TO", ", 'value': 'false'"),
		AT "value: must be \"true\"");
	assert_faults(TLS_RULE("SSL_CONN_HAS_CERT", "EQUAL_TO", ", 'value': 'true', 'key': 'k'"),
		AT "key: has no meaning for SSL_CONN_HAS_CERT rules");
	assert_faults(TLS_RULE("SSL_VERIFY_RESULT", "EQUAL_TO", ", 'value': '18'"), "");
	assert_faults(TLS_RULE("SSL_VERIFY_RESULT", "EQUAL_TO", ", 'value': '-1'"),
		AT "value: must be the number of a verification's result: \"0\" when all is well");
	assert_faults(TLS_RULE("SSL_VERIFY_RESULT", "EQUAL_TO", ", 'value': '2147483648'"),
		AT "value: must be the number of a verification's result: \"0\" when all is well");
}

/* Legal in Octavia, and of no use. */
static void a_rule_about_tls_never_matches_without(void **state)
{
	cleanup_model struct model_case plain =
		model_parse(RULE("SSL_CONN_HAS_CERT", "EQUAL_TO", ", 'value': 'true'"));
	cleanup_model struct model_case tls =
		model_parse(TLS_RULE("SSL_CONN_HAS_CERT", "EQUAL_TO", ", 'value': 'true'"));
	cleanup_free char *warnings = fault_lines(&plain.faults.warnings);

	(void)state;
	assert_non_null(plain.load_balancer);
	assert_string_equal(warnings, AT "type: never matches: the listener ends no TLS");
	assert_int_equal(tls.faults.warnings.count, 0);
}

static void texts_are_as_long_as_in_octavia(void **state)
{
	char longest[255 + 1];
	cleanup_free char *fits = NULL;
	cleanup_free char *longer = NULL;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fits = xformat(
		RULE("HEADER", "EQUAL_TO", ", 'key': '%s', 'value': '%s'"), longest, longest);
	longer = xformat(
		RULE("HEADER", "EQUAL_TO", ", 'key': '%sx', 'value': '%sx'"), longest, longest);
	assert_faults(fits, "");
	assert_faults(longer, AT "key: must be at most 255 characters long\n" AT
				 "value: must be at most 255 characters long");
}

/* An acl called so would end the condition that it stands in. */
static void a_rule_is_not_called_or(void **state)
{
	(void)state;
	assert_faults(RULE("PATH", "EQUAL_TO", ", 'value': 'x', 'id': 'Or'"),
		AT "id: must not be 'Or': HAProxy's conditions use that word");
	assert_faults(RULE("PATH", "EQUAL_TO", ", 'value': 'x', 'id': 'orx'"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_read),
		cmocka_unit_test(a_rule_is_up_and_not_inverted_unless_told),
		cmocka_unit_test(type_comparison_and_value_are_required),
		cmocka_unit_test(each_type_has_its_comparisons),
		cmocka_unit_test(headers_cookies_and_names_have_a_key),
		cmocka_unit_test(a_key_of_no_use_is_warned_of),
		cmocka_unit_test(a_field_of_a_name_is_a_word),
		cmocka_unit_test(values_are_what_a_header_can_hold),
		cmocka_unit_test(values_are_what_a_cookie_can_hold),
		cmocka_unit_test(a_regular_expression_may_hold_spaces),
		cmocka_unit_test(rules_about_tls_have_their_values),
		cmocka_unit_test(a_rule_about_tls_never_matches_without),
		cmocka_unit_test(texts_are_as_long_as_in_octavia),
		cmocka_unit_test(a_rule_is_not_called_or),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
