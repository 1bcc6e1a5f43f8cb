/* SPDX-License-Identifier: Apache-2.0 */
#include "model/l7rule.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "model/naming.h"
#include "model/reader.h"
#include "model/regular_expression.h"
#include "model/token.h"

/* Octavia's database. */
enum { TEXT_CHARACTERS_MAX = 255 };

static const struct choice type_words[] = {
	{"HOST_NAME", L7RULE_HOST_NAME},
	{"PATH", L7RULE_PATH},
	{"FILE_TYPE", L7RULE_FILE_TYPE},
	{"HEADER", L7RULE_HEADER},
	{"COOKIE", L7RULE_COOKIE},
	{"SSL_CONN_HAS_CERT", L7RULE_SSL_CONN_HAS_CERT},
	{"SSL_VERIFY_RESULT", L7RULE_SSL_VERIFY_RESULT},
	{"SSL_DN_FIELD", L7RULE_SSL_DN_FIELD},
	{NULL, 0},
};

static const struct choice compare_type_words[] = {
	{"REGEX", L7RULE_REGEX},
	{"STARTS_WITH", L7RULE_STARTS_WITH},
	{"ENDS_WITH", L7RULE_ENDS_WITH},
	{"CONTAINS", L7RULE_CONTAINS},
	{"EQUAL_TO", L7RULE_EQUAL_TO},
	{NULL, 0},
};

static const char *const required_keys[] = {"type", "compare_type", "value", NULL};

static bool is_visible(const char *text, const char *but)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) || strchr(but, *text))
			return false;
	return true;
}

/* Each returns NULL, or a sentence that says what is wrong with the text. */
static const char *fault_of_dn_field(const char *text)
{
	bool is_field = isalpha((unsigned char)text[0]);

	for (; *text; text++)
		is_field = is_field && (isalnum((unsigned char)*text) || *text == '-');
	return is_field ? NULL
			: "must be a field such as CN: a letter, then letters, digits and '-'";
}

static const char *fault_of_header_value(const char *text)
{
	size_t length = strlen(text);

	/* In double quotes, spaces are fine. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)text[i]) && text[i] != ' ')
			return "must be printable ASCII";
	if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
		return NULL;
	return strchr(text, ' ') ? "must not hold a space, unless it stands in double quotes"
				 : NULL;
}

static const char *fault_of_cookie_value(const char *text)
{
	if (is_visible(text, "\";\\"))
		return NULL;
	return "must be printable ASCII without a space and any of '\";\\'";
}

static const char *fault_of_true(const char *text)
{
	return text_equal_nocase(text, "true") ? NULL : "must be \"true\"";
}

static const char *fault_of_verify_result(const char *text)
{
	uint64_t result;

	if (text_parse_u64(text, 0, INT32_MAX, &result) == 0)
		return NULL;
	return "must be the number of a verification's result: \"0\" when all is well";
}

/* What Octavia's API takes in a rule of each type (octavia/common/validate.py, l7rule_data()). */
static const struct {
	const char *(*fault_of_key)(const char *text);   /* NULL: has no key */
	const char *(*fault_of_value)(const char *text); /* NULL: any; not for REGEX */
	bool is_of_tls;
	bool only_equal;
	bool only_equal_or_regex;
} types[L7RULE_TYPE_COUNT] = {
	[L7RULE_HOST_NAME] = {.fault_of_value = fault_of_header_value},
	[L7RULE_PATH] = {.fault_of_value = fault_of_header_value},
	[L7RULE_FILE_TYPE] = {.fault_of_value = fault_of_header_value, .only_equal_or_regex = true},
	[L7RULE_HEADER] = {.fault_of_key = token_fault, .fault_of_value = fault_of_header_value},
	[L7RULE_COOKIE] = {.fault_of_key = token_fault, .fault_of_value = fault_of_cookie_value},
	[L7RULE_SSL_CONN_HAS_CERT] = {.fault_of_value = fault_of_true,
		.is_of_tls = true,
		.only_equal = true},
	[L7RULE_SSL_VERIFY_RESULT] = {.fault_of_value = fault_of_verify_result,
		.is_of_tls = true,
		.only_equal = true},
	[L7RULE_SSL_DN_FIELD] = {.fault_of_key = fault_of_dn_field, .is_of_tls = true},
};

/* The text at key, not empty and free of what fault_of() finds; else "" with a fault. */
static char *read_checked(
	struct reader *reader, const char *key, const char *(*fault_of)(const char *text))
{
	const char *text = reader_text(reader, key, TEXT_CHARACTERS_MAX);
	const char *fault = text && fault_of ? fault_of(text) : NULL;

	if (text && !text[0])
		fault = "must not be empty";
	if (fault)
		reader_fault(reader, key, "%s", fault);
	return xstrdup(text && !fault ? text : "");
}

/* As Octavia's API has it, rules about TLS must have no key, and others may without using it. */
static void read_useless_key(struct reader *reader, enum l7rule_type type)
{
	const char *text = reader_text(reader, "key", TEXT_CHARACTERS_MAX);

	if (!text || !text[0] || type == L7RULE_TYPE_COUNT)
		return;
	if (types[type].is_of_tls)
		reader_fault(reader, "key", "has no meaning for %s rules",
			choice_name(type_words, (int)type));
	else
		reader_warn(reader, "key", "has no meaning for %s rules",
			choice_name(type_words, (int)type));
}

static void read_key(struct reader *reader, struct l7rule *rule)
{
	if (rule->type == L7RULE_TYPE_COUNT || !types[rule->type].fault_of_key) {
		read_useless_key(reader, rule->type);
		rule->key = xstrdup("");
		return;
	}
	if (!reader_has(reader, "key"))
		reader_fault(reader, "key", "is required for %s rules",
			choice_name(type_words, (int)rule->type));
	rule->key = read_checked(reader, "key", types[rule->type].fault_of_key);
}

static void check_compare_type(struct reader *reader, const struct l7rule *rule)
{
	if (rule->type == L7RULE_TYPE_COUNT || rule->compare_type == L7RULE_COMPARE_TYPE_COUNT ||
		rule->compare_type == L7RULE_EQUAL_TO)
		return;
	if (types[rule->type].only_equal)
		reader_fault(reader, "compare_type", "must be EQUAL_TO for %s rules",
			choice_name(type_words, (int)rule->type));
	else if (types[rule->type].only_equal_or_regex && rule->compare_type != L7RULE_REGEX)
		reader_fault(reader, "compare_type", "must be EQUAL_TO or REGEX for %s rules",
			choice_name(type_words, (int)rule->type));
}

static void read_value(struct reader *reader, struct l7rule *rule)
{
	if (rule->type == L7RULE_TYPE_COUNT ||
		(rule->compare_type == L7RULE_COMPARE_TYPE_COUNT && !types[rule->type].only_equal))
		rule->value = read_checked(reader, "value", NULL);
	else if (rule->compare_type == L7RULE_REGEX && !types[rule->type].only_equal)
		rule->value = read_checked(reader, "value", regular_expression_fault);
	else
		rule->value = read_checked(reader, "value", types[rule->type].fault_of_value);
}

bool l7rule_parse(struct reader *reader, bool ends_tls, struct l7rule *ret_rule)
{
	const struct fault_list *faults = &reader->faults->errors;
	size_t faults_before = faults->count + faults->left_out;

	*ret_rule = (struct l7rule){0};
	reader_require(reader, required_keys);
	ret_rule->type =
		(enum l7rule_type)reader_choice(reader, "type", type_words, L7RULE_TYPE_COUNT);
	ret_rule->compare_type = (enum l7rule_compare_type)reader_choice(
		reader, "compare_type", compare_type_words, L7RULE_COMPARE_TYPE_COUNT);
	check_compare_type(reader, ret_rule);
	read_key(reader, ret_rule);
	read_value(reader, ret_rule);
	ret_rule->invert = reader_flag(reader, "invert", false);
	ret_rule->admin_state_up = reader_flag(reader, "admin_state_up", true);
	if (!ends_tls && ret_rule->type < L7RULE_TYPE_COUNT && types[ret_rule->type].is_of_tls)
		reader_warn(reader, "type", "never matches: the listener ends no TLS");
	return faults->count + faults->left_out == faults_before;
}

char *l7rule_condition(const struct l7rule *rule)
{
	/* No text holds a control character. */
	return xformat("%s\t%s\t%s\t%s\t%s", choice_name(type_words, (int)rule->type), rule->key,
		rule->invert ? "not" : "", choice_name(compare_type_words, (int)rule->compare_type),
		rule->value);
}

void l7rule_parse_id(struct reader *reader, struct naming *naming, const struct id *policy_id,
	struct l7rule *rule)
{
	cleanup_free char *identity = NULL;

	if (policy_id) {
		cleanup_free char *condition = l7rule_condition(rule);

		identity = xformat("%s/%s", policy_id->text, condition);
	}
	naming_read_id(naming, reader, NAMING_L7RULE, identity, &rule->id);
	reader_finish(reader, NULL);
}

void l7rule_deinit(struct l7rule *rule)
{
	free(rule->key);
	free(rule->value);
}
