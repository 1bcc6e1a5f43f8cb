/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An L7 rule: a condition on a request, one of those that an L7 policy asks for (model.md, "The
 * JSON"). A plain checked value; its policy owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>

#include "base/id.h"

enum l7rule_type {
	L7RULE_HOST_NAME,
	L7RULE_PATH,
	L7RULE_FILE_TYPE,
	L7RULE_HEADER,
	L7RULE_COOKIE,
	L7RULE_SSL_CONN_HAS_CERT,
	L7RULE_SSL_VERIFY_RESULT,
	L7RULE_SSL_DN_FIELD,
	L7RULE_TYPE_COUNT,
};

enum l7rule_compare_type {
	L7RULE_REGEX,
	L7RULE_STARTS_WITH,
	L7RULE_ENDS_WITH,
	L7RULE_CONTAINS,
	L7RULE_EQUAL_TO,
	L7RULE_COMPARE_TYPE_COUNT,
};

struct l7rule {
	struct id id;
	bool admin_state_up;
	enum l7rule_type type;
	enum l7rule_compare_type compare_type;
	char *key;   /* of a header, cookie or DN field; "": the type has none */
	char *value; /* as in the JSON: of a header it may stand in double quotes */
	bool invert;
};

struct naming;
struct reader;

/*
 * Reads all of the rule but its id; false when there were faults, which go to the reader's.
 * ends_tls: whether its listener does; on others a rule about TLS never matches.
 */
bool l7rule_parse(struct reader *reader, bool ends_tls, struct l7rule *ret_rule);
/* Its condition in one line, which tells it from other rules; the caller's to free. */
char *l7rule_condition(const struct l7rule *rule);
/*
 * Reads the id, which is last: the policy's may depend on its rules. policy_id is NULL when a fault
 * keeps the rule's from being derived.
 */
void l7rule_parse_id(struct reader *reader, struct naming *naming, const struct id *policy_id,
	struct l7rule *rule);
void l7rule_deinit(struct l7rule *rule);
