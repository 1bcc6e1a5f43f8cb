/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>

#include "sys/netlink_exchange.h"

static void rule_read(const struct nlmsghdr *message, struct netlink_list *list)
{
	const struct fib_rule_hdr *header = nlmsg_data(message);
	struct nlattr *attributes[FRA_MAX + 1];
	struct netlink_rule rule = {0};
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWRULE ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, FRA_MAX,
			NULL) < 0 ||
		netlink_get_address(attributes[FRA_SRC], header->family, &rule.source.address) < 0)
		return;
	rule.source.prefix_length = header->src_len;
	table = header->table;
	netlink_get_u32(attributes[FRA_TABLE], &table);
	rule.table = table;
	netlink_get_u8(attributes[FRA_PROTOCOL], &rule.protocol);
	netlink_get_u32(attributes[FRA_PRIORITY], &rule.priority);
	netlink_list_add(list, &rule);
}

int netlink_rules(struct netlink *netlink, struct netlink_rule **ret_rules, size_t *ret_count,
	struct err *err)
{
	static const unsigned char families[] = {AF_INET, AF_INET6};
	cleanup_netlink_list struct netlink_list list = NETLINK_LIST_INIT(struct netlink_rule, 0);

	for (size_t i = 0; i < sizeof(families); i++) {
		struct fib_rule_hdr header = {.family = families[i]};
		cleanup_message struct nl_msg *message =
			netlink_message(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
		int r = netlink_ask(netlink, message, rule_read, &list);

		/* A kernel without IPv6 (ipv6.disable=1) has no rules of it to list. */
		if (r < 0 && r != -EAFNOSUPPORT)
			return netlink_err(netlink, r, err, "listing routing rules");
	}
	*ret_rules = netlink_list_take(&list, ret_count);
	return 0;
}

static struct nl_msg *rule_message(int type, int flags, const struct netlink_rule *rule)
{
	struct fib_rule_hdr header = {
		.family = (unsigned char)rule->source.address.family,
		.src_len = (unsigned char)rule->source.prefix_length,
		.table = RT_TABLE_UNSPEC, /* FRA_TABLE says it */
		.action = FR_ACT_TO_TBL,
	};
	struct nl_msg *message = netlink_message(type, flags, &header, sizeof(header));

	netlink_put_address(message, FRA_SRC, &rule->source.address);
	netlink_put_u32(message, FRA_TABLE, rule->table);
	netlink_put_u8(message, FRA_PROTOCOL, rule->protocol);
	return message;
}

static int rule_change(struct netlink *netlink, struct nl_msg *message, const char *verb,
	const struct netlink_rule *rule, struct err *err)
{
	char source[CIDR_TEXT_MAX];
	int r = netlink_change(netlink, message);

	if (r == 0)
		return 0;
	cidr_format(&rule->source, source);
	return netlink_err(
		netlink, r, err, "%s routing rule from %s to table %u", verb, source, rule->table);
}

int netlink_rule_add(struct netlink *netlink, const struct netlink_rule *rule, struct err *err)
{
	cleanup_message struct nl_msg *message =
		rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);

	return rule_change(netlink, message, "adding", rule, err);
}

int netlink_rule_remove(struct netlink *netlink, const struct netlink_rule *rule, struct err *err)
{
	cleanup_message struct nl_msg *message = rule_message(RTM_DELRULE, 0, rule);

	if (rule->priority)
		netlink_put_u32(message, FRA_PRIORITY, rule->priority);
	return rule_change(netlink, message, "removing", rule, err);
}
