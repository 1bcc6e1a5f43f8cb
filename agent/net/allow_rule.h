/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of an allow-list: as a controller sends them (amphora-api.md, PUT interface/IP/rules;
 * octavia/amphorae/backends/agent/api_server/rules_schema.py), and in nft's language. Plain values;
 * pure. Used by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cidr.h"
#include "base/err.h"

/* Listeners times their allowed CIDRs are tens, hundreds where somebody lists countries. */
enum { ALLOW_RULES_MAX = 10 * 1000, ALLOW_RULES_JSON_MAX_BYTES = MIB };

enum allow_protocol { ALLOW_TCP, ALLOW_UDP, ALLOW_SCTP, ALLOW_VRRP };

struct allow_rule {
	enum allow_protocol protocol;
	bool has_source; /* false: any, of both families */
	struct cidr source;
	uint16_t port; /* 112 for VRRP, and not looked at */
};

/*
 * The JSON list; the caller frees *ret_rules. A source may have bits set behind its prefix, as nft
 * and so the reference agent takes it: the network counts. -EINVAL with the rule's number, its key
 * and the reason.
 */
int allow_rules_parse(const char *json, size_t size_bytes, struct allow_rule **ret_rules,
	size_t *ret_count, struct err *err);

/*
 * Appends lines of an nft chain that accept what the rules allow and say nothing of the rest. A
 * VRRP rule's source, where it names one, may also reach HAProxy's peers port: the two amphorae
 * of a pair are each other's VRRP peers, and controllers send no rule for their stick tables.
 */
void allow_rules_format(const struct allow_rule *rules, size_t count, struct buf *ret_lines);
