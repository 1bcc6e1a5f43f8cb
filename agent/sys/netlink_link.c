/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>

#include "base/text.h"
#include "sys/netlink_exchange.h"
#include "sys/netlink_link.h"

static void link_read(const struct nlmsghdr *message, struct netlink_list *list)
{
	const struct ifinfomsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1];
	struct netlink_link link = {0};
	uint32_t mtu_bytes = 0;

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, IFLA_MAX,
			NULL) < 0 ||
		!attributes[IFLA_IFNAME])
		return;
	link.index = header->ifi_index;
	link.is_up = header->ifi_flags & IFF_UP;
	nla_strlcpy(link.name, attributes[IFLA_IFNAME], sizeof(link.name));
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == MAC_SIZE_BYTES)
		memcpy(link.mac.bytes, nla_data(attributes[IFLA_ADDRESS]), MAC_SIZE_BYTES);
	netlink_get_u32(attributes[IFLA_MTU], &mtu_bytes);
	link.mtu_bytes = mtu_bytes;
	netlink_list_add(list, &link);
}

static struct nl_msg *link_question(int flags, int index)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct nl_msg *message = netlink_message(RTM_GETLINK, flags, &header, sizeof(header));

	netlink_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return message;
}

int netlink_links(struct netlink *netlink, struct netlink_link **ret_links, size_t *ret_count,
	struct err *err)
{
	cleanup_netlink_list struct netlink_list list = NETLINK_LIST_INIT(struct netlink_link, 0);
	cleanup_message struct nl_msg *message = link_question(NLM_F_DUMP, 0);
	int r = netlink_ask(netlink, message, link_read, &list);

	if (r < 0)
		return netlink_err(netlink, r, err, "listing network interfaces");
	*ret_links = netlink_list_take(&list, ret_count);
	return 0;
}

/* The one link that the question is for. */
static int link_ask(struct netlink *netlink, struct nl_msg *message, struct netlink_link *ret_link)
{
	cleanup_netlink_list struct netlink_list list = NETLINK_LIST_INIT(struct netlink_link, 0);
	int r = netlink_ask(netlink, message, link_read, &list);

	if (r < 0)
		return r;
	if (list.count != 1)
		return -ENODEV;
	memcpy(ret_link, list.items, sizeof(*ret_link));
	return 0;
}

int netlink_find_index(
	struct netlink *netlink, int index, struct netlink_link *ret_link, struct err *err)
{
	cleanup_message struct nl_msg *message = link_question(0, index);
	int r = link_ask(netlink, message, ret_link);

	if (r < 0)
		return netlink_err(netlink, r, err, "looking for network interface %d", index);
	return 0;
}

int netlink_find_name(
	struct netlink *netlink, const char *name, struct netlink_link *ret_link, struct err *err)
{
	cleanup_message struct nl_msg *message = NULL;
	struct netlink_link link;
	int r = -ENODEV;

	if (name[0] && strlen(name) < IFNAMSIZ) {
		message = link_question(0, 0);
		netlink_put_text(message, IFLA_IFNAME, name);
		r = link_ask(netlink, message, &link);
	}
	/* The kernel takes an altname for a name. */
	if (r == -ENODEV || (r == 0 && !text_equal(link.name, name)))
		return err_set(err, -ENODEV, "there is no network interface %s", name);
	if (r < 0)
		return netlink_err(netlink, r, err, "looking for network interface %s", name);
	*ret_link = link;
	return 0;
}

int netlink_find_mac(struct netlink *netlink, const struct mac *mac, struct netlink_link *ret_link,
	struct err *err)
{
	cleanup_free struct netlink_link *links = NULL;
	char text[MAC_TEXT_MAX];
	size_t count;
	int r = netlink_links(netlink, &links, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (mac_equal(&links[i].mac, mac)) {
			*ret_link = links[i];
			return 0;
		}
	mac_format(mac, text);
	return err_set(err, -ENODEV, "there is no network interface with MAC address %s", text);
}

int netlink_link_up(struct netlink *netlink, int index, unsigned mtu_bytes, struct err *err)
{
	struct ifinfomsg header = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	cleanup_message struct nl_msg *message =
		netlink_message(RTM_NEWLINK, 0, &header, sizeof(header));
	int r;

	if (mtu_bytes)
		netlink_put_u32(message, IFLA_MTU, mtu_bytes);
	r = netlink_change(netlink, message);
	if (r < 0 && mtu_bytes)
		return netlink_err(netlink, r, err, "bringing it up with an MTU of %u", mtu_bytes);
	if (r < 0)
		return netlink_err(netlink, r, err, "bringing it up");
	return 0;
}

int netlink_link_down(struct netlink *netlink, int index, struct err *err)
{
	struct ifinfomsg header = {.ifi_index = index, .ifi_flags = 0, .ifi_change = IFF_UP};
	cleanup_message struct nl_msg *message =
		netlink_message(RTM_NEWLINK, 0, &header, sizeof(header));
	int r = netlink_change(netlink, message);

	if (r < 0)
		return netlink_err(netlink, r, err, "taking it down");
	return 0;
}

/* ALTIFNAMSIZ of <linux/if.h>, which cannot stand beside <net/if.h>. */
enum { ALTNAME_SIZE = 128 };

struct altname {
	char text[ALTNAME_SIZE];
};

static void altnames_read(const struct nlmsghdr *message, struct netlink_list *list)
{
	const struct ifinfomsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1];
	struct nlattr *property;
	int left;

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, IFLA_MAX,
			NULL) < 0 ||
		!attributes[IFLA_PROP_LIST])
		return;
	nla_for_each_nested(property, attributes[IFLA_PROP_LIST], left)
	{
		struct altname altname;

		if (nla_type(property) != IFLA_ALT_IFNAME)
			continue;
		nla_strlcpy(altname.text, property, sizeof(altname.text));
		netlink_list_add(list, &altname);
	}
}

static int altname_remove(struct netlink *netlink, int index, const struct altname *altname)
{
	struct ifinfomsg header = {.ifi_index = index};
	cleanup_message struct nl_msg *message =
		netlink_message(RTM_DELLINKPROP, 0, &header, sizeof(header));
	struct nlattr *properties = nla_nest_start(message, IFLA_PROP_LIST | NLA_F_NESTED);

	netlink_put_text(message, IFLA_ALT_IFNAME, altname->text);
	nla_nest_end(message, properties);
	return netlink_change(netlink, message);
}

/* Its altnames, which udev gives, and any of which may be the name that it, or another, is to get.
 */
static int altnames_remove(struct netlink *netlink, int index, struct err *err)
{
	cleanup_netlink_list struct netlink_list list = NETLINK_LIST_INIT(struct altname, 0);
	cleanup_message struct nl_msg *message = link_question(0, index);
	int r = netlink_ask(netlink, message, altnames_read, &list);

	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = altname_remove(netlink, index, &((const struct altname *)list.items)[i]);
	if (r < 0)
		return netlink_err(netlink, r, err, "removing its altnames");
	return 0;
}

int netlink_link_move(
	struct netlink *netlink, int index, int namespace_fd, const char *name, struct err *err)
{
	struct ifinfomsg header = {.ifi_index = index};
	cleanup_message struct nl_msg *message =
		netlink_message(RTM_NEWLINK, 0, &header, sizeof(header));
	int r = altnames_remove(netlink, index, err);

	if (r < 0)
		return r;
	netlink_put_u32(message, IFLA_NET_NS_FD, (uint32_t)namespace_fd);
	netlink_put_text(message, IFLA_IFNAME, name);
	r = netlink_change(netlink, message);
	if (r < 0)
		return netlink_err(
			netlink, r, err, "moving it into the network namespace as %s", name);
	return 0;
}
