/* SPDX-License-Identifier: Apache-2.0 */
#include "render/l7policy_view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "render/escape.h"
#include "render/view.h"

/* HAProxy's -m. */
static const char *method(const struct l7rule *rule)
{
	static const char *const methods[] = {
		[L7RULE_REGEX] = "reg",
		[L7RULE_STARTS_WITH] = "beg",
		[L7RULE_ENDS_WITH] = "end",
		[L7RULE_CONTAINS] = "sub",
		[L7RULE_EQUAL_TO] = "str",
	};

	/* A path that equals "jpg" is of no use: the end of it is meant. */
	if (rule->type == L7RULE_FILE_TYPE && rule->compare_type == L7RULE_EQUAL_TO)
		return "end";
	return methods[rule->compare_type];
}

/* What is compared: a key of the view whose value is the rule's own key, or true. */
static void set_subject(json_t *view, const struct l7rule *rule)
{
	static const char *const subjects[L7RULE_TYPE_COUNT] = {
		[L7RULE_HOST_NAME] = "host",
		[L7RULE_PATH] = "path",
		[L7RULE_FILE_TYPE] = "path",
		[L7RULE_HEADER] = "header",
		[L7RULE_COOKIE] = "cookie",
		[L7RULE_SSL_DN_FIELD] = "dn_field",
	};
	const char *subject = subjects[rule->type];
	cleanup_buf struct buf argument = BUF_INIT(16 * KIB);

	escape_sample_argument(rule->key, strlen(rule->key), &argument);
	if (rule->key[0])
		view_set_text(view, subject, buf_text(&argument));
	else
		view_set_flag(view, subject, true);
}

static json_t *view_rule(const struct l7rule *rule)
{
	json_t *view = json_object();

	view_set_text(view, "id", rule->id.text);
	if (rule->type == L7RULE_SSL_CONN_HAS_CERT) {
		view_set_flag(view, "has_certificate", true);
	} else if (rule->type == L7RULE_SSL_VERIFY_RESULT) {
		view_set_text(view, "verify_result", rule->value);
	} else {
		set_subject(view, rule);
		view_set_text(view, "method", method(rule));
		view_set_text(view, "pattern", rule->value);
	}
	return view;
}

/* NULL when no rule is up: what would it ask for? */
static json_t *view_policy(const struct l7policy *policy)
{
	json_t *rules = json_array();
	json_t *conditions = json_array();
	json_t *view = json_object();

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct l7rule *rule = &policy->rules[i];
		cleanup_free char *condition =
			xformat("%s%s", rule->invert ? "!" : "", rule->id.text);

		if (!rule->admin_state_up)
			continue;
		view_append(rules, view_rule(rule));
		view_append_text(conditions, condition);
	}
	view_set(view, "rules", rules);
	view_set(view, "conditions", conditions);
	if (json_array_size(rules) > 0)
		return view;
	json_decref(view);
	return NULL;
}

static void set_redirect(json_t *view, const struct l7policy *policy)
{
	if (policy->redirect_http_code)
		view_set_number(view, "code", policy->redirect_http_code);
	if (policy->action == L7POLICY_REDIRECT_TO_URL)
		view_set_text(view, "location", policy->redirect_url);
	else
		view_set_text(view, "prefix", policy->redirect_prefix);
}

static void set_backend(json_t *view, const struct pool *pool, const struct listener *listener)
{
	cleanup_free char *name = xformat("%s:%s", pool->id.text, listener->id.text);

	view_set_text(view, "backend", name);
}

/* Without its pool a policy redirects nowhere. */
static bool leads_somewhere(const struct l7policy *policy)
{
	return policy->action != L7POLICY_REDIRECT_TO_POOL || policy->redirect_pool->admin_state_up;
}

void l7policy_view_set(json_t *frontend, const struct listener *listener)
{
	json_t *rejects = json_array(), *redirects = json_array(), *uses = json_array();

	for (size_t i = 0; i < listener->l7policy_count; i++) {
		const struct l7policy *policy = &listener->l7policies[i];
		json_t *view = l7policy_is_in_force(policy) && leads_somewhere(policy)
				       ? view_policy(policy)
				       : NULL;

		if (!view)
			continue;
		if (policy->action == L7POLICY_REJECT) {
			view_append(rejects, view);
		} else if (policy->action == L7POLICY_REDIRECT_TO_POOL) {
			set_backend(view, policy->redirect_pool, listener);
			view_append(uses, view);
		} else {
			set_redirect(view, policy);
			view_append(redirects, view);
		}
	}
	view_set(frontend, "rejects", rejects);
	view_set(frontend, "redirects", redirects);
	view_set(frontend, "uses", uses);
}
