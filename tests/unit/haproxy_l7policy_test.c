/* SPDX-License-Identifier: Apache-2.0 */
/* L7 policies and rules as ACLs and what hangs on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render_case.h"

#define POOLS                                                                                      \
	"'pools': [{'id': 'P', 'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'}, {'id': 'Q', "   \
	"'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'}, {'id': 'DOWN', 'protocol': 'HTTP', "  \
	"'lb_algorithm': 'ROUND_ROBIN', 'admin_state_up': false}], "
#define POLICIES(policies)                                                                         \
	"{'vip_address': '10.0.0.1', " POOLS                                                       \
	"'listeners': [{'id': 'L', 'protocol': 'HTTP', 'protocol_port': 80, "                      \
	"'default_pool_id': 'P', 'l7policies': [" policies "]}]}"
#define RULE(keys) POLICIES("{'id': 'A', 'action': 'REJECT', 'rules': [{'id': 'R', " keys "}]}")
#define TLS_RULE(keys)                                                                             \
	"{'vip_address': '10.0.0.1', 'listeners': [{'id': 'L', 'protocol': 'TERMINATED_HTTPS', "   \
	"'protocol_port': 80, 'certificate': 'a.pem', 'l7policies': [{'id': 'A', 'action': "       \
	"'REJECT', 'rules': [{'id': 'R', " keys "}]}]}]}"
#define ONE_PATH(id, path)                                                                         \
	"'rules': [{'id': '" id "', 'type': 'PATH', 'compare_type': 'EQUAL_TO', 'value': '" path   \
	"'}]"

static void assert_rule(const char *model, const char *acl)
{
	cleanup_free char *text = render(model);
	cleanup_free char *lines =
		xformat("    acl R %s\n    http-request deny if R\n    default_backend P:L", acl);
	cleanup_free char *tls_lines =
		xformat("    acl R %s\n    http-request deny if R\n    redirect scheme", acl);

	if (strstr(model, "TERMINATED"))
		assert_non_null(strstr(text, tls_lines));
	else
		assert_holds(text, lines);
}

static void each_type_of_rule_looks_at_its_own_thing(void **state)
{
	(void)state;
	assert_rule(RULE("'type': 'HOST_NAME', 'compare_type': 'EQUAL_TO', 'value': 'a.example'"),
		"req.hdr(host) -i -m str -- a.example");
	assert_rule(RULE("'type': 'PATH', 'compare_type': 'STARTS_WITH', 'value': '/api'"),
		"path -m beg -- /api");
	assert_rule(RULE("'type': 'FILE_TYPE', 'compare_type': 'EQUAL_TO', 'value': 'jpg'"),
		"path -m end -- jpg");
	assert_rule(RULE("'type': 'FILE_TYPE', 'compare_type': 'REGEX', 'value': 'jpg|png'"),
		"path -m reg -- jpg|png");
	assert_rule(RULE("'type': 'HEADER', 'key': 'X-Kind', 'compare_type': 'ENDS_WITH', 'value': "
			 "'z'"),
		"req.hdr(X-Kind) -m end -- z");
	assert_rule(RULE("'type': 'COOKIE', 'key': 'session', 'compare_type': 'CONTAINS', 'value': "
			 "'y'"),
		"req.cook(session) -m sub -- y");
	assert_rule(TLS_RULE("'type': 'SSL_CONN_HAS_CERT', 'compare_type': 'EQUAL_TO', 'value': "
			     "'True'"),
		"ssl_c_used");
	assert_rule(TLS_RULE("'type': 'SSL_VERIFY_RESULT', 'compare_type': 'EQUAL_TO', 'value': "
			     "'10'"),
		"ssl_c_verify eq 10");
	assert_rule(TLS_RULE("'type': 'SSL_DN_FIELD', 'key': 'CN', 'compare_type': 'REGEX', "
			     "'value': '^a.*b$'"),
		"ssl_c_s_dn(CN) -m reg -- ^a.*b\\x24");
}

static void a_value_that_looks_like_a_flag_is_a_value(void **state)
{
	(void)state;
	assert_rule(RULE("'type': 'HEADER', 'key': 'X', 'compare_type': 'EQUAL_TO', 'value': "
			 "'-f'"),
		"req.hdr(X) -m str -- -f");
	assert_rule(RULE("'type': 'HEADER', 'key': 'X', 'compare_type': 'EQUAL_TO', 'value': "
			 "'--'"),
		"req.hdr(X) -m str -- --");
}

static void a_value_is_one_word_whatever_it_holds(void **state)
{
	(void)state;
	assert_rule(RULE("'type': 'PATH', 'compare_type': 'REGEX', 'value': '^/a\\\\.b c#$'"),
		"path -m reg -- ^/a\\\\.b\\ c\\#\\x24");
	assert_rule(RULE("'type': 'HEADER', 'key': 'X', 'compare_type': 'EQUAL_TO', 'value': "
			 "'%[src]{}if||!'"),
		"req.hdr(X) -m str -- %[src]{}if||!");
}

static void a_key_is_one_argument_whatever_it_holds(void **state)
{
	(void)state;
	assert_rule(RULE("'type': 'HEADER', 'key': 'a\\u0027b', 'compare_type': 'EQUAL_TO', "
			 "'value': 'x'"),
		"req.hdr(\\\"a\\'b\\\") -m str -- x");
	assert_rule(RULE("'type': 'COOKIE', 'key': 'a#b$c%d|e', 'compare_type': 'EQUAL_TO', "
			 "'value': 'x'"),
		"req.cook(a\\#b\\x24c%d|e) -m str -- x");
}

static void all_rules_of_a_policy_must_hold_and_some_must_not(void **state)
{
	cleanup_free char *text = render(POLICIES(
		"{'id': 'A', 'action': 'REJECT', 'rules': [{'id': 'R', 'type': 'PATH', "
		"'compare_type': "
		"'EQUAL_TO', 'value': '/a'}, {'id': 'S', 'type': 'PATH', 'compare_type': "
		"'EQUAL_TO', "
		"'value': '/b', 'invert': true}, {'id': 'T', 'type': 'PATH', 'compare_type': "
		"'EQUAL_TO', 'value': '/c', 'admin_state_up': false}]}"));

	(void)state;
	assert_holds(text, "    acl R path -m str -- /a\n    acl S path -m str -- /b\n"
			   "    http-request deny if R !S");
	assert_lacks(text, "/c");
}

static void each_action_has_its_words(void **state)
{
	cleanup_free char *text = render(POLICIES(
		"{'id': 'A', 'action': 'REDIRECT_TO_URL', 'redirect_url': "
		"'http://a.example/%20?a=1&b=\\'#$', 'redirect_http_code': 308, " ONE_PATH(
			"R", "/1") "}, {'id': 'B', 'action': 'REDIRECT_PREFIX', "
				   "'redirect_prefix': 'https://b.example/x', " ONE_PATH(
					   "S", "/2") "}, {'id': 'C', 'action': "
						      "'REDIRECT_TO_POOL', 'redirect_pool_id': "
						      "'Q', " ONE_PATH("T", "/3") "}"));

	(void)state;
	assert_holds(text, "    redirect code 302 prefix https://b.example/x if S");
	assert_holds(text, "    use_backend Q:L if T");
	assert_holds(text, "backend Q:L");
	assert_holds(text, "    redirect code 308 location "
			   "http://a.example/%20?a=1&b=\\\"\\#\\x24 if R");
}

static void what_haproxy_takes_first_stands_first(void **state)
{
	cleanup_free char *text = render(POLICIES(
		"{'id': 'A', 'position': 1, 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': "
		"'Q', " ONE_PATH("R",
			"/1") "}, {'id': 'B', 'position': 3, 'action': 'REDIRECT_PREFIX', "
			      "'redirect_prefix': 'https://b.example', " ONE_PATH("S",
				      "/2") "}, {'id': 'C', 'position': 2, 'action': "
					    "'REDIRECT_PREFIX', 'redirect_prefix': "
					    "'https://c.example', " ONE_PATH("T",
						    "/3") "}, {'id': 'D', "
							  "'position': 4, "
							  "'action': "
							  "'REJECT', " ONE_PATH("U", "/4") "}"));

	(void)state;
	assert_before(text, "deny if U", "redirect code 302 prefix https://c.example if T");
	assert_before(text, "c.example if T", "b.example if S");
	assert_before(text, "b.example if S", "use_backend Q:L if R");
	assert_before(text, "use_backend Q:L if R", "default_backend P:L");
}

static void what_is_down_redirects_nothing(void **state)
{
	cleanup_free char *policy_down = render(
		POLICIES("{'id': 'A', 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': 'Q', "
			 "'admin_state_up': false, " ONE_PATH("R", "/1") "}"));
	cleanup_free char *pool_down =
		render(POLICIES("{'id': 'A', 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': "
				"'DOWN', " ONE_PATH("R", "/1") "}"));
	cleanup_free char *no_rules = render(
		POLICIES("{'id': 'A', 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': 'Q'}"));

	(void)state;
	assert_lacks(policy_down, "acl R");
	assert_lacks(policy_down, "backend Q:L");
	assert_lacks(pool_down, "acl R");
	assert_lacks(pool_down, "backend DOWN:L");
	assert_lacks(no_rules, "backend Q:L");
}

static void a_policy_whose_rules_are_down_keeps_its_backend(void **state)
{
	cleanup_free char *text = render(
		POLICIES("{'id': 'A', 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': 'Q', "
			 "'rules': [{'id': 'R', 'type': 'PATH', 'compare_type': 'EQUAL_TO', "
			 "'value': '/', 'admin_state_up': false}]}"));

	(void)state;
	assert_lacks(text, "use_backend");
	assert_holds(text, "backend Q:L");
}

static void a_pool_has_one_backend_behind_a_listener(void **state)
{
	cleanup_free char *text = render(POLICIES(
		"{'id': 'A', 'action': 'REDIRECT_TO_POOL', 'redirect_pool_id': 'Q', " ONE_PATH(
			"R", "/1") "}, {'id': 'B', 'action': 'REDIRECT_TO_POOL', "
				   "'redirect_pool_id': 'Q', " ONE_PATH(
					   "S", "/2") "}, {'id': 'C', 'action': "
						      "'REDIRECT_TO_POOL', 'redirect_pool_id': "
						      "'P', " ONE_PATH("T", "/3") "}"));
	const char *first = strstr(text, "\nbackend Q:L");

	(void)state;
	assert_non_null(first);
	assert_null(strstr(first + 1, "\nbackend Q:L"));
	first = strstr(text, "\nbackend P:L");
	assert_null(strstr(first + 1, "\nbackend P:L"));
	assert_holds(text, "    use_backend P:L if T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_of_rule_looks_at_its_own_thing),
		cmocka_unit_test(a_value_that_looks_like_a_flag_is_a_value),
		cmocka_unit_test(a_value_is_one_word_whatever_it_holds),
		cmocka_unit_test(a_key_is_one_argument_whatever_it_holds),
		cmocka_unit_test(all_rules_of_a_policy_must_hold_and_some_must_not),
		cmocka_unit_test(each_action_has_its_words),
		cmocka_unit_test(what_haproxy_takes_first_stands_first),
		cmocka_unit_test(what_is_down_redirects_nothing),
		cmocka_unit_test(a_policy_whose_rules_are_down_keeps_its_backend),
		cmocka_unit_test(a_pool_has_one_backend_behind_a_listener),
	};

	return cmocka_run_group_tests(tests, render_setup, render_teardown);
}
