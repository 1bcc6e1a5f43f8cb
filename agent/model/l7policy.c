/* SPDX-License-Identifier: Apache-2.0 */
#include "model/l7policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/naming.h"
#include "model/pool_reference.h"
#include "model/reader.h"
#include "model/url.h"

enum {
	REDIRECT_HTTP_CODE_DEFAULT = 302,
	IDENTITY_SIZE_MAX = 256 * KIB,
	POSITION_LAST = INT32_MAX, /* of policies that say none */
};

static const struct choice actions[] = {
	{"REDIRECT_TO_POOL", L7POLICY_REDIRECT_TO_POOL},
	{"REDIRECT_TO_URL", L7POLICY_REDIRECT_TO_URL},
	{"REDIRECT_PREFIX", L7POLICY_REDIRECT_PREFIX},
	{"REJECT", L7POLICY_REJECT},
	{NULL, 0},
};

static const char *const required_keys[] = {"action", NULL};

#define ACTION(action) (1U << L7POLICY_##action)
/* The keys that only some actions have. */
static const struct {
	const char *key;
	unsigned actions;
} keys_of_actions[] = {
	{"redirect_pool", ACTION(REDIRECT_TO_POOL)},
	{"redirect_pool_id", ACTION(REDIRECT_TO_POOL)},
	{"redirect_url", ACTION(REDIRECT_TO_URL)},
	{"redirect_prefix", ACTION(REDIRECT_PREFIX)},
	{"redirect_http_code", ACTION(REDIRECT_TO_URL) | ACTION(REDIRECT_PREFIX)},
};

static void refuse_keys_of_others(struct reader *reader, enum l7policy_action action)
{
	for (size_t i = 0; i < sizeof(keys_of_actions) / sizeof(keys_of_actions[0]); i++)
		if (reader_says(reader, keys_of_actions[i].key) && action < L7POLICY_ACTION_COUNT &&
			!(keys_of_actions[i].actions & 1U << action))
			reader_fault(reader, keys_of_actions[i].key,
				"has no meaning for a policy that is to %s",
				choice_name(actions, (int)action));
}

/* The URL at key, which is required; "" with a fault. */
static char *read_url(struct reader *reader, const char *key)
{
	const char *text = reader_text(reader, key, URL_CHARACTERS_MAX);
	const char *fault = text ? url_fault(text) : NULL;

	if (!reader_has(reader, key))
		fault = "is required";
	if (fault)
		reader_fault(reader, key, "%s", fault);
	return xstrdup(text && !fault ? text : "");
}

static unsigned read_http_code(struct reader *reader)
{
	static const char key[] = "redirect_http_code";
	const json_t *value = reader_value(reader, key);
	json_int_t code = json_integer_value(value);

	if (!value)
		return REDIRECT_HTTP_CODE_DEFAULT;
	if ((code >= 301 && code <= 303) || code == 307 || code == 308)
		return (unsigned)code;
	reader_fault(reader, key, "must be one of 301, 302, 303, 307, 308");
	return REDIRECT_HTTP_CODE_DEFAULT;
}

static void read_target(struct reader *reader, struct l7policy *policy)
{
	refuse_keys_of_others(reader, policy->action);
	if (policy->action == L7POLICY_REDIRECT_TO_URL)
		policy->redirect_url = read_url(reader, "redirect_url");
	if (policy->action == L7POLICY_REDIRECT_PREFIX)
		policy->redirect_prefix = read_url(reader, "redirect_prefix");
	if (policy->redirect_url || policy->redirect_prefix)
		policy->redirect_http_code = read_http_code(reader);
	if (policy->action == L7POLICY_REDIRECT_TO_POOL && !reader_has(reader, "redirect_pool") &&
		!reader_has(reader, "redirect_pool_id"))
		reader_fault(reader, "redirect_pool",
			"is required, or redirect_pool_id, where requests are to "
			"REDIRECT_TO_POOL");
}

/* What the policy does with requests, as the document says it; NULL: nothing that would have a
 * name. */
static const char *target_text(struct reader *reader, const struct l7policy *policy)
{
	const json_t *pool = reader_value(reader, "redirect_pool");
	const char *id = json_string_value(json_object_get(pool, "id"));
	const char *name = json_string_value(json_object_get(pool, "name"));

	if (policy->redirect_url)
		return policy->redirect_url;
	if (policy->redirect_prefix)
		return policy->redirect_prefix;
	if (policy->action != L7POLICY_REDIRECT_TO_POOL)
		return NULL;
	if (pool)
		return id ? id : name;
	return json_string_value(reader_value(reader, "redirect_pool_id"));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The conditions, in an order that is not the document's. */
static void append_conditions(const struct l7policy *policy, struct buf *identity)
{
	char *conditions[L7RULES_MAX];

	for (size_t i = 0; i < policy->rule_count; i++)
		conditions[i] = l7rule_condition(&policy->rules[i]);
	qsort(conditions, policy->rule_count, sizeof(*conditions), compare_texts);
	for (size_t i = 0; i < policy->rule_count; i++) {
		buf_append_format(identity, "\n%s", conditions[i]);
		free(conditions[i]);
	}
}

/*
 * What tells the policy from the listener's others: its name; without one, all that it does. Such
 * an id changes with the policy. HAProxy keeps no state by it, but for a pool that is described
 * inside and has neither id nor name: who wants its servers to keep theirs gives one of both a
 * name.
 */
static char *identity_of(
	struct reader *reader, const struct id *listener_id, const struct l7policy *policy)
{
	cleanup_buf struct buf identity = BUF_INIT(IDENTITY_SIZE_MAX);
	const char *target;

	if (policy->name[0])
		return xformat("%s/name/%s", listener_id->text, policy->name);
	target = target_text(reader, policy);
	buf_append_format(&identity, "%s/%s\n%s", listener_id->text,
		choice_name(actions, (int)policy->action), target ? target : "");
	append_conditions(policy, &identity);
	return buf_take_text(&identity);
}

/* The rules of a policy while it is read: their ids need the policy's. */
struct rules {
	struct reader_list list;
	struct reader *readers; /* as many as the policy has rules */
	bool *sound;            /* which of them are without fault */
	bool all_sound;
};

static void rules_deinit(struct rules *rules)
{
	free(rules->readers);
	free(rules->sound);
}

static void read_rules(
	struct reader *reader, bool ends_tls, struct rules *rules, struct l7policy *policy)
{
	size_t size;

	rules->all_sound = true;
	if (!reader_enter_list(reader, "rules", &rules->list))
		return;
	size = reader_list_size(&rules->list);
	if (size > L7RULES_MAX) {
		reader_fault(reader, "rules", "must be at most %d", L7RULES_MAX);
		return;
	}
	rules->readers = xcalloc(size, sizeof(*rules->readers));
	rules->sound = xcalloc(size, sizeof(*rules->sound));
	policy->rules = xcalloc(size, sizeof(*policy->rules));
	while (policy->rule_count < size &&
		reader_list_next(&rules->list, &rules->readers[policy->rule_count])) {
		size_t i = policy->rule_count++;

		rules->sound[i] = l7rule_parse(&rules->readers[i], ends_tls, &policy->rules[i]);
		rules->all_sound = rules->all_sound && rules->sound[i];
	}
}

static void read_id(struct reader *reader, const struct l7policy_listener *listener,
	struct rules *rules, struct l7policy *policy)
{
	cleanup_free char *identity = NULL;

	if (listener->id->text[0] && policy->action < L7POLICY_ACTION_COUNT && rules->all_sound)
		identity = identity_of(reader, listener->id, policy);
	naming_read_id(listener->naming, reader, NAMING_L7POLICY, identity, &policy->id);
	for (size_t i = 0; i < policy->rule_count; i++)
		l7rule_parse_id(&rules->readers[i], listener->naming,
			policy->id.text[0] && rules->sound[i] ? &policy->id : NULL,
			&policy->rules[i]);
}

static void read_pool(struct reader *reader, const struct l7policy_listener *listener,
	struct l7policy *policy, struct pool_reference *ret_reference)
{
	const struct pool_use use = {.key = "redirect_pool",
		.id_key = "redirect_pool_id",
		.user_id = &policy->id,
		.fit = listener->fit};

	*ret_reference = (struct pool_reference){0};
	if (policy->action != L7POLICY_REDIRECT_TO_POOL)
		return;
	pool_reference_parse(reader, &use, listener->naming, listener->pools,
		&policy->redirect_pool, ret_reference);
	ret_reference->listener_index = listener->index;
	ret_reference->l7policy_index = reader->place.index;
}

static void l7policy_parse(struct reader *reader, const struct l7policy_listener *listener,
	struct l7policy *ret_policy, struct pool_reference *ret_reference)
{
	CLEANUP(rules_deinit) struct rules rules = {0};

	*ret_policy = (struct l7policy){.name = reader_name(reader)};
	reader_require(reader, required_keys);
	ret_policy->action = (enum l7policy_action)reader_choice(
		reader, "action", actions, L7POLICY_ACTION_COUNT);
	ret_policy->admin_state_up = reader_flag(reader, "admin_state_up", true);
	ret_policy->position =
		(unsigned)reader_number(reader, "position", 1, POSITION_LAST, POSITION_LAST);
	read_target(reader, ret_policy);
	read_rules(reader, listener->ends_tls, &rules, ret_policy);
	read_id(reader, listener, &rules, ret_policy);
	read_pool(reader, listener, ret_policy, ret_reference);
	if (!reader_says(reader, "rules"))
		reader_warn(reader, "rules", "are none: no request ever matches");
	reader_finish(reader, NULL);
}

/* A policy before it has its place. */
struct unplaced {
	struct l7policy policy;
	struct pool_reference reference;
	size_t index; /* among those that were read */
};

static int compare_unplaced(const void *a, const void *b)
{
	const struct unplaced *x = a, *y = b;

	if (x->policy.position != y->policy.position)
		return x->policy.position < y->policy.position ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/*
 * Octavia's API puts the later one first, and answers with positions that differ: whoever means
 * that must say it.
 */
static void check_positions(
	const struct reader_list *list, const struct unplaced unplaced[], size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct place place = {.parent = &list->place, .index = unplaced[i].index};

		if (unplaced[i].policy.position == unplaced[i - 1].policy.position &&
			unplaced[i].policy.position != POSITION_LAST)
			faults_warn(list->faults, &place, "position",
				"is another policy's too: they come in the order of this list");
	}
}

void l7policies_parse(struct reader *reader, const struct l7policy_listener *listener,
	struct l7policy **ret_policies, size_t *ret_count)
{
	cleanup_free struct unplaced *unplaced = NULL;
	struct l7policy *policies;
	struct reader_list list;
	struct reader element;
	size_t count = 0;

	if (!reader_enter_list(reader, "l7policies", &list))
		return;
	unplaced = xcalloc(reader_list_size(&list), sizeof(*unplaced));
	while (reader_list_next(&list, &element)) {
		l7policy_parse(
			&element, listener, &unplaced[count].policy, &unplaced[count].reference);
		unplaced[count].index = count;
		count++;
	}
	qsort(unplaced, count, sizeof(*unplaced), compare_unplaced);
	check_positions(&list, unplaced, count);
	policies = xcalloc(count, sizeof(*policies));
	for (size_t i = 0; i < count; i++) {
		policies[i] = unplaced[i].policy;
		policies[i].position = (unsigned)i + 1;
		unplaced[i].reference.target = &policies[i].redirect_pool;
		pool_references_add(listener->references, &unplaced[i].reference);
	}
	*ret_policies = policies;
	*ret_count = count;
}

bool l7policy_is_in_force(const struct l7policy *policy)
{
	return policy->admin_state_up && policy->rule_count > 0;
}

void l7policy_deinit(struct l7policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		l7rule_deinit(&policy->rules[i]);
	free(policy->rules);
	free(policy->name);
	free(policy->redirect_url);
	free(policy->redirect_prefix);
}
