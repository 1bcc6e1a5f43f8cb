/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may reach the VIP interface of an SR-IOV amphora, where no security group can say so: the
 * table `inet amphora_table`, policy drop at input (amphora-api.md, "Plugging", "is_sriov"). Stored
 * before it comes into force, so that a boot restores it. Used by the agent and amphora-interface.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/err.h"
#include "net/site.h"

enum allow_protocol { ALLOW_TCP, ALLOW_UDP, ALLOW_SCTP, ALLOW_VRRP };

struct allow_rule {
	enum allow_protocol protocol;
	bool has_source; /* false: any, of both families */
	struct cidr source;
	uint16_t port; /* 112 for VRRP, and not looked at */
};

/* The JSON list of PUT interface/IP/rules. -EINVAL with the rule's number, its key and the reason.
 */
int allow_list_parse(const char *json, size_t size_bytes, struct allow_rule **ret_rules,
	size_t *ret_count, struct err *err);

/*
 * Replaces the list: stored, then in force, in one transaction each. An empty one allows nothing.
 * A VRRP rule's source may also reach HAProxy's peers port. The caller holds the site's lock; the
 * thread may be anywhere.
 */
int allow_list_replace(
	const struct net_site *site, const struct allow_rule *rules, size_t count, struct err *err);
/*
 * The stored list is in force, or the empty one where none was stored; called before an SR-IOV
 * interface comes up, and at boot.
 */
int allow_list_enforce(const struct net_site *site, struct err *err);
/* Whether the site has one: an SR-IOV interface was plugged or rules were stored. */
bool allow_list_exists(const struct net_site *site);
