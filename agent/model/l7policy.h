/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An L7 policy: what becomes of the requests of a listener that match all of its rules (model.md,
 * "The JSON"). A plain checked value; its listener owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include "model/pool.h"

enum l7policy_action {
	L7POLICY_REJECT,
	L7POLICY_REDIRECT_TO_POOL,
	L7POLICY_REDIRECT_TO_URL,
	L7POLICY_REDIRECT_PREFIX,
};

enum l7rule_type {
	L7RULE_HOST_NAME,
	L7RULE_PATH,
	L7RULE_FILE_TYPE,
	L7RULE_HEADER,
	L7RULE_COOKIE,
	L7RULE_SSL_CONN_HAS_CERT,
	L7RULE_SSL_VERIFY_RESULT,
	L7RULE_SSL_DN_FIELD,
};

enum l7rule_compare_type {
	L7RULE_REGEX,
	L7RULE_STARTS_WITH,
	L7RULE_ENDS_WITH,
	L7RULE_CONTAINS,
	L7RULE_EQUAL_TO,
};

struct l7rule {
	struct id id;
	bool admin_state_up;
	enum l7rule_type type;
	enum l7rule_compare_type compare_type;
	char *key; /* of a header, cookie or DN field; "": the type has none */
	char *value;
	bool invert;
};

struct l7policy {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum l7policy_action action;
	unsigned position; /* from 1; policies are in force in its order */
	const struct pool
		*redirect_pool;      /* L7POLICY_REDIRECT_TO_POOL: one of the load balancer's */
	char *redirect_url;          /* L7POLICY_REDIRECT_TO_URL */
	char *redirect_prefix;       /* L7POLICY_REDIRECT_PREFIX */
	unsigned redirect_http_code; /* of both; 0: HAProxy's default, 302 */
	struct l7rule *rules;
	size_t rule_count;
};

void l7policy_deinit(struct l7policy *policy);
