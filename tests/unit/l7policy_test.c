/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT                   "/listeners/0/l7policies/0/"
#define POLICIES(policies)   LISTENER_MODEL(", 'l7policies': [" policies "]")
#define POLICY(keys)         POLICIES("{" keys "}")
#define RULE(value)          "{'type': 'PATH', 'compare_type': 'EQUAL_TO', 'value': '" value "'}"
#define RULES(rules)         ", 'rules': [" rules "]"
#define ACTION(action, keys) "'action': '" action "'" keys RULES(RULE("/x"))
#define TO_URL(keys)         POLICY(ACTION("REDIRECT_TO_URL", keys))
#define PREFIX(keys)         POLICY(ACTION("REDIRECT_PREFIX", keys))
#define REJECT(value)        "'action': 'REJECT'" RULES(RULE(value))
#define INNER_POOL           "'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'"
#define NO_MEANING           "has no meaning for a policy that is to "

static const struct l7policy *policy_of(const struct model_case *model, size_t index)
{
	assert_non_null(model->load_balancer);
	assert_in_range(index, 0, model->load_balancer->listeners[0].l7policy_count - 1);
	return &model->load_balancer->listeners[0].l7policies[index];
}

static void a_policy_that_rejects_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		POLICY("'id': 'p1', 'name': 'no', " REJECT("/x") ", 'admin_state_up': false"));
	const struct l7policy *policy = policy_of(&model, 0);

	(void)state;
	assert_string_equal(policy->id.text, "p1");
	assert_string_equal(policy->name, "no");
	assert_false(policy->admin_state_up);
	assert_int_equal(policy->action, L7POLICY_REJECT);
	assert_int_equal(policy->position, 1);
	assert_null(policy->redirect_pool);
	assert_null(policy->redirect_url);
	assert_null(policy->redirect_prefix);
	assert_int_equal(policy->redirect_http_code, 0);
	assert_int_equal(policy->rule_count, 1);
	assert_int_equal(model.faults.warnings.count, 0);
}

static void redirections_have_302_unless_told(void **state)
{
	cleanup_model struct model_case url =
		model_parse(TO_URL(", 'redirect_url': 'https://example.com/a?b=1&c'"));
	cleanup_model struct model_case prefix =
		model_parse(PREFIX(", 'redirect_prefix': 'https://example.com', "
				   "'redirect_http_code': 308"));

	(void)state;
	assert_int_equal(policy_of(&url, 0)->action, L7POLICY_REDIRECT_TO_URL);
	assert_string_equal(policy_of(&url, 0)->redirect_url, "https://example.com/a?b=1&c");
	assert_int_equal(policy_of(&url, 0)->redirect_http_code, 302);
	assert_int_equal(policy_of(&prefix, 0)->action, L7POLICY_REDIRECT_PREFIX);
	assert_string_equal(policy_of(&prefix, 0)->redirect_prefix, "https://example.com");
	assert_int_equal(policy_of(&prefix, 0)->redirect_http_code, 308);
}

static void an_action_is_required(void **state)
{
	(void)state;
	assert_faults(POLICY("'name': 'x'"), AT "action: is required");
	assert_faults(POLICY("'action': 'ALLOW', 'redirect_url': 'x'"),
		AT "action: must be one of REDIRECT_TO_POOL, REDIRECT_TO_URL, REDIRECT_PREFIX, "
		   "REJECT");
}

static void every_action_has_its_target(void **state)
{
	(void)state;
	assert_faults(TO_URL(""), AT "redirect_url: is required");
	assert_faults(PREFIX(", 'redirect_prefix': null"), AT "redirect_prefix: is required");
	assert_faults(POLICY(ACTION("REDIRECT_TO_POOL", "")),
		AT "redirect_pool: is required, or redirect_pool_id, where requests are to "
		   "REDIRECT_TO_POOL");
}

static void a_target_of_another_action_is_a_fault(void **state)
{
	(void)state;
	assert_faults(POLICY(ACTION("REJECT",
			      ", 'redirect_pool': {'id': 'p'}, 'redirect_pool_id': 'p', "
			      "'redirect_url': 'http://a', 'redirect_prefix': 'http://a', "
			      "'redirect_http_code': 301")),
		AT "redirect_pool: " NO_MEANING "REJECT\n" AT "redirect_pool_id: " NO_MEANING
		   "REJECT\n" AT "redirect_url: " NO_MEANING "REJECT\n" AT
		   "redirect_prefix: " NO_MEANING "REJECT\n" AT "redirect_http_code: " NO_MEANING
		   "REJECT");
	assert_faults(TO_URL(", 'redirect_url': 'http://a', 'redirect_prefix': 'http://a', "
			     "'redirect_pool_id': 'p'"),
		AT "redirect_pool_id: " NO_MEANING "REDIRECT_TO_URL\n" AT
		   "redirect_prefix: " NO_MEANING "REDIRECT_TO_URL");
	assert_faults(PREFIX(", 'redirect_prefix': 'http://a', 'redirect_pool': {'id': 'p'}, "
			     "'redirect_url': 'http://a'"),
		AT "redirect_pool: " NO_MEANING "REDIRECT_PREFIX\n" AT "redirect_url: " NO_MEANING
		   "REDIRECT_PREFIX");
	assert_faults(POLICY(ACTION("REDIRECT_TO_POOL",
			      ", 'redirect_pool': {" INNER_POOL "}, 'redirect_http_code': 302")),
		AT "redirect_http_code: " NO_MEANING "REDIRECT_TO_POOL");
}

static void what_octavia_shows_of_other_actions_is_taken(void **state)
{
	(void)state;
	assert_faults(POLICY(ACTION("REJECT",
			      ", 'redirect_pool_id': null, 'redirect_url': null, "
			      "'redirect_prefix': null, 'redirect_http_code': null, "
			      "'listener_id': 'x', 'project_id': 'x', 'tenant_id': 'x', "
			      "'provisioning_status': 'ACTIVE', 'operating_status': 'ONLINE', "
			      "'created_at': 'x', 'updated_at': null, 'tags': [], 'description': "
			      "'', 'position': 1")),
		"");
}

static void a_url_is_one(void **state)
{
	(void)state;
	assert_faults(TO_URL(", 'redirect_url': '/path'"),
		AT "redirect_url: must be a URL that begins with http:// or https://");
	assert_faults(TO_URL(", 'redirect_url': 'http://a/\\r\\nX: y'"),
		AT "redirect_url: must not hold control characters");
	assert_faults(TO_URL(", 'redirect_url': 'http://a/ b'"),
		AT "redirect_url: must not hold a space: write %20");
	assert_faults(PREFIX(", 'redirect_prefix': 'http://'"),
		AT "redirect_prefix: must be a URL with a host");
	assert_faults(PREFIX(", 'redirect_prefix': 5"), AT "redirect_prefix: must be a text");
}

static void a_url_is_as_long_as_in_octavia(void **state)
{
	char longest[255 + 1] = "http://a/";
	cleanup_free char *fits = NULL;
	cleanup_free char *longer = NULL;

	(void)state;
	memset(longest + 9, 'x', sizeof(longest) - 10);
	fits = xformat(TO_URL(", 'redirect_url': '%s'"), longest);
	longer = xformat(TO_URL(", 'redirect_url': '%sx'"), longest);
	assert_faults(fits, "");
	assert_faults(longer, AT "redirect_url: must be at most 255 characters long");
}

static void a_code_is_one_of_redirection(void **state)
{
	static const char *const codes[] = {"301", "302", "303", "307", "308"};
	static const char *const others[] = {
		"0", "200", "300", "304", "306", "309", "'301'", "301.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		cleanup_free char *text = xformat(
			TO_URL(", 'redirect_url': 'http://a', 'redirect_http_code': %s"), codes[i]);

		assert_faults(text, "");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cleanup_free char *text =
			xformat(TO_URL(", 'redirect_url': 'http://a', 'redirect_http_code': %s"),
				others[i]);

		assert_faults(
			text, AT "redirect_http_code: must be one of 301, 302, 303, 307, 308");
	}
}

static void policies_are_in_the_order_of_their_positions(void **state)
{
	cleanup_model struct model_case model = model_parse(
		POLICIES("{'name': 'last', " REJECT("/1") "}, {'name': 'c', 'position': 9, " REJECT(
			"/2") "}, {'name': 'a', 'position': 2, " REJECT("/3") "}, {'name': 'very "
									      "last', " REJECT(
										      "/4") "}, "
											    "{'"
											    "name':"
											    " 'b', "
											    "'posit"
											    "ion': "
											    "2,"
											    " " REJECT(
												    "/5") "}"));
	static const char *const names[] = {"a", "b", "c", "last", "very last"};
	cleanup_free char *warnings = NULL;

	(void)state;
	assert_non_null(model.load_balancer);
	assert_int_equal(model.load_balancer->listeners[0].l7policy_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(policy_of(&model, i)->name, names[i]);
		assert_int_equal(policy_of(&model, i)->position, i + 1);
	}
	warnings = fault_lines(&model.faults.warnings);
	assert_string_equal(warnings,
		"/listeners/0/l7policies/4/position: is another policy's too: they come in the "
		"order of this list");
	assert_faults(
		POLICY(ACTION("REJECT", ", 'position': 0")), AT "position: must be at least 1");
}

static void faults_are_where_the_document_has_them(void **state)
{
	(void)state;
	assert_faults(
		POLICIES("{'position': 3, " ACTION("REDIRECT_TO_POOL",
			", 'redirect_pool_id': 'none'") "}, 5, {'position': 1, 'action': 'REJECT', "
							"'rules': [{}, 7]}"),
		"/listeners/0/l7policies/1: must be an object\n"
		"/listeners/0/l7policies/2/rules/0/type: is required\n"
		"/listeners/0/l7policies/2/rules/0/compare_type: is required\n"
		"/listeners/0/l7policies/2/rules/0/value: is required\n"
		"/listeners/0/l7policies/2/rules/1: must be an object\n"
		"/listeners/0/l7policies/0/redirect_pool_id: there is no pool 'none'");
}

static void rules_are_fifty_at_most(void **state)
{
	cleanup_buf struct buf rules = BUF_INIT(MIB);

	(void)state;
	for (unsigned i = 0; i < L7RULES_MAX; i++)
		buf_append_format(&rules, "%s" RULE("/%u"), i ? ", " : "", i);
	{
		cleanup_free char *most =
			xformat(POLICY("'action': 'REJECT'" RULES("%s")), buf_text(&rules));
		cleanup_free char *more = xformat(
			POLICY("'action': 'REJECT'" RULES("%s, " RULE("/x"))), buf_text(&rules));

		assert_faults(most, "");
		assert_faults(more, AT "rules: must be at most 50");
	}
}

static void a_policy_without_rules_is_warned_of(void **state)
{
	cleanup_model struct model_case model = model_parse(POLICY("'action': 'REJECT'"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_string_equal(warnings, AT "rules: are none: no request ever matches");
	assert_false(l7policy_is_in_force(policy_of(&model, 0)));
}

static void other_listeners_have_no_policies(void **state)
{
	static const char *const protocols[] = {"TCP", "HTTPS", "PROMETHEUS", "UDP", "SCTP"};

	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		cleanup_free char *text =
			xformat("{'vip_address': '10.0.0.1', 'listeners': [{'protocol': '%s', "
				"'protocol_port': 1, 'l7policies': [{" REJECT("/x") "}]}]}",
				protocols[i]);

		assert_faults(text,
			"/listeners/0/l7policies: has a meaning for HTTP and TERMINATED_HTTPS "
			"listeners only");
	}
}

/* Computed with Python's uuid.uuid5(). */
static void derived_ids_are_these_for_ever(void **state)
{
	cleanup_model struct model_case named = model_parse(POLICY("'name': 'no', " REJECT("/x")));
	cleanup_model struct model_case nameless =
		model_parse(POLICY("'action': 'REDIRECT_TO_URL', 'redirect_url': 'http://a'" RULES(
			"{'type': 'COOKIE', 'key': 'k', 'compare_type': 'REGEX', 'value': 'v', "
			"'invert': true}, " RULE("/x"))));

	(void)state;
	assert_string_equal(policy_of(&named, 0)->id.text, "bf0cc9d2-1b51-5cba-9379-8fa1ff6d25fb");
	assert_string_equal(
		policy_of(&named, 0)->rules[0].id.text, "07809dd4-6229-54ef-9e27-2bebda5e01d9");
	assert_string_equal(
		policy_of(&nameless, 0)->id.text, "cb234413-c4ef-5fb5-abdc-9bdd5d7af57e");
	assert_string_equal(
		policy_of(&nameless, 0)->rules[0].id.text, "bf064834-c0a3-5ec7-84f5-5546233d4ce2");
}

static void ids_do_not_depend_on_places(void **state)
{
	cleanup_model struct model_case before =
		model_parse(POLICY("'action': 'REJECT'" RULES(RULE("/b") ", " RULE("/a"))));
	cleanup_model struct model_case after = model_parse(POLICIES(
		"{" REJECT("/z") "}, {'position': 1, 'action': 'REJECT', 'admin_state_up': "
				 "false" RULES(RULE("/a") ", " RULE("/b")) "}"));
	const struct l7policy *old = policy_of(&before, 0);
	const struct l7policy *new = policy_of(&after, 0);

	(void)state;
	assert_string_equal(old->id.text, new->id.text);
	assert_string_equal(old->rules[0].id.text, new->rules[1].id.text);
	assert_string_equal(old->rules[1].id.text, new->rules[0].id.text);
	assert_string_not_equal(old->id.text, policy_of(&after, 1)->id.text);
}

static void what_is_there_twice_needs_an_id(void **state)
{
	(void)state;
	assert_faults(POLICIES("{" REJECT("/x") "}, {" REJECT("/x") "}"),
		"/listeners/0/l7policies/1: needs an id: the one derived for it is that of another "
		"L7 policy already");
	assert_faults(POLICY("'action': 'REJECT'" RULES(RULE("/x") ", " RULE("/x"))),
		AT "rules/1: needs an id: the one derived for it is that of another L7 rule "
		   "already");
	assert_faults(POLICIES("{'id': 'p', " REJECT("/x") "}, {'id': 'p', " REJECT("/y") "}"),
		"/listeners/0/l7policies/1/id: is the id of another L7 policy already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_that_rejects_is_read),
		cmocka_unit_test(redirections_have_302_unless_told),
		cmocka_unit_test(an_action_is_required),
		cmocka_unit_test(every_action_has_its_target),
		cmocka_unit_test(a_target_of_another_action_is_a_fault),
		cmocka_unit_test(what_octavia_shows_of_other_actions_is_taken),
		cmocka_unit_test(a_url_is_one),
		cmocka_unit_test(a_url_is_as_long_as_in_octavia),
		cmocka_unit_test(a_code_is_one_of_redirection),
		cmocka_unit_test(policies_are_in_the_order_of_their_positions),
		cmocka_unit_test(faults_are_where_the_document_has_them),
		cmocka_unit_test(rules_are_fifty_at_most),
		cmocka_unit_test(a_policy_without_rules_is_warned_of),
		cmocka_unit_test(other_listeners_have_no_policies),
		cmocka_unit_test(derived_ids_are_these_for_ever),
		cmocka_unit_test(ids_do_not_depend_on_places),
		cmocka_unit_test(what_is_there_twice_needs_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
