/* SPDX-License-Identifier: Apache-2.0 */
#include "net/allow_list.h"

#include <errno.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "sys/network_namespace.h"
#include "sys/nftables.h"

enum { COMMANDS_MAX_BYTES = 4 * MIB, FILE_MODE = 0600 };

/*
 * Names and priority are the reference agent's (nftable_utils.py). The chains are flushed, not made
 * anew: a chain that replaces another has its policy only an instant after its rules.
 *
 * TCP of an interface that is not SR-IOV is not tracked (net/masquerade.h): what comes there, a
 * member's answers above all, has passed a security group. ICMP errors about it belong to no known
 * connection, so they stand before what drops those.
 *
 * ICMPv6: path MTU and neighbour discovery, and the question that a snooping switch keeps the
 * groups of neighbour discovery by.
 */
static const char commands_head[] =
	"table inet amphora_table {\n"
	"	chain amphora_vip_chain { }\n"
	"	chain amphora_chain { type filter hook input priority filter; policy drop; }\n"
	"}\n"
	"flush table inet amphora_table\n"
	"table inet amphora_table {\n"
	"	chain amphora_chain {\n"
	"		ct state { established, related } accept\n"
	"		iif \"lo\" accept\n"
	"		ip saddr 127.0.0.0/8 drop\n"
	"		ip6 saddr ::1 drop\n"
	"		icmp type destination-unreachable accept\n"
	"		icmpv6 type { destination-unreachable, packet-too-big, nd-router-advert, "
	"nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept\n"
	"		ct state invalid drop\n"
	"		udp sport 67 udp dport 68 accept\n"
	"		udp sport 547 udp dport 546 accept\n"
	"		iifname \"eth1\" goto amphora_vip_chain\n"
	"		meta l4proto tcp ct state untracked accept\n"
	"	}\n"
	"	chain amphora_vip_chain {\n";
static const char commands_tail[] = "	}\n"
				    "}\n";

/* Appends the whole of a list. */
static void append_list(struct buf *commands, const struct allow_rule *rules, size_t count)
{
	buf_append_text(commands, commands_head);
	allow_rules_format(rules, count, commands);
	buf_append_text(commands, commands_tail);
}

static int commands_run(const struct buf *commands, struct err *err)
{
	int r = buf_error(commands);

	return r < 0 ? err_set(err, r, "too many rules") : nftables_run(buf_text(commands), err);
}

static int enter(
	const struct net_site *site, struct network_namespace_stay *ret_stay, struct err *err)
{
	if (!net_site_has_namespace(site))
		return err_set(err, -EOPNOTSUPP,
			"without [agent] network_namespace it would close the machine's own "
			"network: set one");
	return network_namespace_enter(site->network_namespace, ret_stay, err);
}

static int store(const struct net_site *site, const struct buf *commands, struct err *err)
{
	return file_replace(
		site->allow_list_path, buf_text(commands), commands->size_bytes, FILE_MODE, err);
}

/* NULL: nothing was stored. */
static void store_again(const struct net_site *site, const struct buf *before)
{
	struct err err = ERR_NONE;
	int r = before ? store(site, before, &err) : file_remove(site->allow_list_path, &err);

	if (r < 0)
		log_error("allow-list: one that is not in force stays stored: %s", err.text);
}

static int commands_replace(
	const struct net_site *site, const struct buf *commands, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_buf struct buf before = BUF_INIT(COMMANDS_MAX_BYTES);
	bool had_one = file_read(site->allow_list_path, &before, NULL) == 0;
	int r = enter(site, &stay, err);

	if (r == 0)
		r = store(site, commands, err);
	if (r < 0)
		return r;
	r = commands_run(commands, err);
	if (r < 0)
		store_again(site, had_one ? &before : NULL);
	return r;
}

/* With the lock held. */
static int replace(
	const struct net_site *site, const struct allow_rule *rules, size_t count, struct err *err)
{
	cleanup_buf struct buf commands = BUF_INIT(COMMANDS_MAX_BYTES);

	append_list(&commands, rules, count);
	return commands_replace(site, &commands, err);
}

int allow_list_replace(
	const struct net_site *site, const struct allow_rule *rules, size_t count, struct err *err)
{
	cleanup_net_lock int lock = -1;
	int r = net_site_lock_allow_list(site, &lock, err);

	if (r == 0)
		r = replace(site, rules, count, err);
	return r < 0 ? err_wrap(err, r, "replacing the allow-list") : 0;
}

/*
 * The empty list and then the stored one, in one transaction: a file that says nothing leaves
 * everything closed.
 */
static int stored_run(const struct net_site *site, struct err *err)
{
	cleanup_buf struct buf commands = BUF_INIT(COMMANDS_MAX_BYTES);
	int r;

	append_list(&commands, NULL, 0);
	r = file_read(site->allow_list_path, &commands, err);
	return r < 0 ? r : commands_run(&commands, err);
}

static int restore(const struct net_site *site, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_buf struct buf empty = BUF_INIT(COMMANDS_MAX_BYTES);
	struct err why = ERR_NONE;
	int r = enter(site, &stay, err);

	if (r < 0 || stored_run(site, &why) == 0)
		return r;
	log_error("allow-list %s: nothing is let in until the controller sends rules again: %s",
		site->allow_list_path, why.text);
	append_list(&empty, NULL, 0);
	return commands_run(&empty, err);
}

int allow_list_enforce(const struct net_site *site, struct err *err)
{
	cleanup_net_lock int lock = -1;
	int r = net_site_lock_allow_list(site, &lock, err);

	if (r == 0)
		r = allow_list_exists(site) ? restore(site, err) : replace(site, NULL, 0, err);
	return r < 0 ? err_wrap(err, r, "enforcing the allow-list") : 0;
}

bool allow_list_exists(const struct net_site *site)
{
	return file_exists(site->allow_list_path);
}
