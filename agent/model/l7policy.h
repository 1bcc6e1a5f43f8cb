/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An L7 policy: what becomes of the requests of a listener that match all of its rules (model.md,
 * "The JSON"). A plain checked value; its listener owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include "model/l7rule.h"
#include "model/pool.h"

/* Octavia's: HAProxy takes a few more words in a line, not many. */
enum { L7RULES_MAX = 50 };

enum l7policy_action {
	L7POLICY_REJECT,
	L7POLICY_REDIRECT_TO_POOL,
	L7POLICY_REDIRECT_TO_URL,
	L7POLICY_REDIRECT_PREFIX,
	L7POLICY_ACTION_COUNT,
};

struct l7policy {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum l7policy_action action;
	unsigned position; /* its place in the listener's order, from 1 */
	const struct pool
		*redirect_pool;      /* L7POLICY_REDIRECT_TO_POOL: one of the load balancer's */
	char *redirect_url;          /* L7POLICY_REDIRECT_TO_URL; else NULL */
	char *redirect_prefix;       /* L7POLICY_REDIRECT_PREFIX; else NULL */
	unsigned redirect_http_code; /* of both, 302 unless told; else 0 */
	struct l7rule *rules;        /* all of them must match; without any, none does */
	size_t rule_count;
};

struct naming;
struct pool_fit;
struct pool_references;
struct reader;

/* What policies are read for and amid. */
struct l7policy_listener {
	const struct id *id;
	size_t index; /* in the document */
	bool ends_tls;
	const struct pool_fit *fit;
	struct naming *naming;
	struct pool_list *pools;
	struct pool_references *references;
};

/*
 * Reads the l7policies of a listener; faults go to the reader's. They come in the order in which
 * they are in force: by position; where positions are the same or absent (then last), by the
 * document's order. The list is the caller's to deinit and free.
 */
void l7policies_parse(struct reader *reader, const struct l7policy_listener *listener,
	struct l7policy **ret_policies, size_t *ret_count);
/* Whether requests can ever match: it is up and has rules, as Octavia counts them. */
bool l7policy_is_in_force(const struct l7policy *policy);
void l7policy_deinit(struct l7policy *policy);
