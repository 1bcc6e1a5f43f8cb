/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may reach the VIP interface of an SR-IOV amphora, where no security group can say so: the
 * table `inet amphora_table`, policy drop at input (amphora-api.md, "Plugging", "is_sriov"). Stored
 * before it comes into force, so that a boot restores it. Used by the agent and amphora-interface.
 *
 * What is stored is what nft reads, as the reference agent does it: a file of its is restored as
 * well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/allow_rule.h"
#include "net/site.h"

/*
 * Replaces the list: stored, then in force, in one transaction each, so that at no time nothing is
 * enforced. An empty one allows nothing. Connections that exist go on. On failure the list of
 * before stays, stored and in force. -EOPNOTSUPP where the site has no namespace: the machine's own
 * network is not ours to close. Takes the allow-list's lock; the thread may be anywhere.
 */
int allow_list_replace(
	const struct net_site *site, const struct allow_rule *rules, size_t count, struct err *err);
/*
 * The stored list is in force, or the empty one, stored then, where there was none; called before
 * an SR-IOV interface comes up, and at boot. In place of a stored one that nft refuses the empty
 * one is in force, and the log says so. Lock, thread and -EOPNOTSUPP as above.
 */
int allow_list_enforce(const struct net_site *site, struct err *err);
/* Whether the site has one: an SR-IOV interface was plugged or rules were stored. */
bool allow_list_exists(const struct net_site *site);
