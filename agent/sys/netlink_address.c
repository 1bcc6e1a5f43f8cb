/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>

#include "base/clock.h"
#include "sys/netlink_exchange.h"
#include "sys/netlink_link.h"

/* IFA_LOCAL is the address where there is one; IFA_ADDRESS may be the peer's. */
static int address_attributes_read(
	const struct ifaddrmsg *header, struct nlattr **attributes, struct address *ret_address)
{
	const struct nlattr *attribute =
		attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];

	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return -EBADMSG;
	return netlink_get_address(attribute, header->ifa_family, ret_address);
}

static void address_read(const struct nlmsghdr *message, struct netlink_list *list)
{
	const struct ifaddrmsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFA_MAX + 1];
	struct netlink_address address = {0};
	uint32_t flags;

	if (message->nlmsg_type != RTM_NEWADDR ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, IFA_MAX,
			NULL) < 0 ||
		address_attributes_read(header, attributes, &address.address) < 0)
		return;
	if (list->index && (int)header->ifa_index != list->index)
		return;
	flags = header->ifa_flags;
	netlink_get_u32(attributes[IFA_FLAGS], &flags);
	address.index = (int)header->ifa_index;
	address.prefix_length = header->ifa_prefixlen;
	address.is_permanent = flags & IFA_F_PERMANENT;
	address.is_link_local = header->ifa_scope == RT_SCOPE_LINK;
	/* One that has failed stays tentative for ever. */
	address.has_failed = flags & IFA_F_DADFAILED;
	address.is_tentative = (flags & IFA_F_TENTATIVE) && !address.has_failed;
	netlink_get_u8(attributes[IFA_PROTO], &address.protocol);
	netlink_list_add(list, &address);
}

int netlink_addresses(struct netlink *netlink, int index, struct netlink_address **ret_addresses,
	size_t *ret_count, struct err *err)
{
	cleanup_netlink_list struct netlink_list list =
		NETLINK_LIST_INIT(struct netlink_address, index);
	struct ifaddrmsg header = {.ifa_family = AF_UNSPEC, .ifa_index = (unsigned)index};
	cleanup_message struct nl_msg *message =
		netlink_message(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	int r = netlink_ask(netlink, message, address_read, &list);

	if (r < 0)
		return netlink_err(netlink, r, err, "listing addresses");
	*ret_addresses = netlink_list_take(&list, ret_count);
	return 0;
}

/* The kernel works the scope of an IPv6 address out by itself. */
static unsigned char address_scope(const struct address *address)
{
	bool is_loopback =
		address->family == AF_INET && ntohl(address->v4.s_addr) >> 24 == IN_LOOPBACKNET;

	return is_loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

static struct nl_msg *address_message(
	int type, int flags, int index, const struct address *address, unsigned prefix_length)
{
	struct ifaddrmsg header = {
		.ifa_family = (unsigned char)address->family,
		.ifa_prefixlen = (unsigned char)prefix_length,
		.ifa_scope = address_scope(address),
		.ifa_index = (unsigned)index,
	};
	struct nl_msg *message = netlink_message(type, flags, &header, sizeof(header));

	netlink_put_address(message, IFA_LOCAL, address);
	netlink_put_address(message, IFA_ADDRESS, address);
	return message;
}

static int address_change(struct netlink *netlink, struct nl_msg *message, const char *verb,
	const struct address *address, unsigned prefix_length, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];
	int r = netlink_change(netlink, message);

	if (r == 0)
		return 0;
	address_format(address, text);
	return netlink_err(netlink, r, err, "%s address %s/%u", verb, text, prefix_length);
}

int netlink_address_add(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err)
{
	cleanup_message struct nl_msg *message = address_message(
		RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address, prefix_length);

	netlink_put_u8(message, IFA_PROTO, NETLINK_ADDRESS_OURS);
	return address_change(netlink, message, "adding", address, prefix_length, err);
}

int netlink_address_lease(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, uint32_t lifetime_s, struct err *err)
{
	struct ifa_cacheinfo lifetime = {.ifa_prefered = lifetime_s, .ifa_valid = lifetime_s};
	cleanup_message struct nl_msg *message = address_message(
		RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address, prefix_length);

	netlink_put(message, IFA_CACHEINFO, &lifetime, sizeof(lifetime));
	return address_change(netlink, message, "leasing", address, prefix_length, err);
}

int netlink_address_remove(struct netlink *netlink, int index, const struct address *address,
	unsigned prefix_length, struct err *err)
{
	cleanup_message struct nl_msg *message =
		address_message(RTM_DELADDR, 0, index, address, prefix_length);

	return address_change(netlink, message, "removing", address, prefix_length, err);
}

int netlink_find_address(struct netlink *netlink, const struct address *address,
	struct netlink_link *ret_link, struct err *err)
{
	cleanup_free struct netlink_address *addresses = NULL;
	char text[ADDRESS_TEXT_MAX];
	size_t count;
	int r = netlink_addresses(netlink, 0, &addresses, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i].address, address))
			return netlink_find_index(netlink, addresses[i].index, ret_link, err);
	address_format(address, text);
	return err_set(err, -ENODEV, "no network interface has address %s", text);
}

/* A socket that hears of every change of an address or a link. */
static int changes_open(int *ret_fd)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	cleanup_close int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&groups, sizeof(groups)) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* What changed is asked for anew, so the messages themselves, and lost ones (ENOBUFS), say it. */
static void changes_drain(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
		;
}

int netlink_await_addresses(struct netlink *netlink, int index,
	bool (*is_awaited)(
		const struct netlink_address *addresses, size_t count, const void *context),
	const void *context, int timeout_ms, struct err *err)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	cleanup_close int fd = -1;
	int r = changes_open(&fd);

	if (r < 0)
		return err_set_errno(err, r, "listening for changes of addresses");
	for (;;) {
		cleanup_free struct netlink_address *addresses = NULL;
		struct pollfd change = {.fd = fd, .events = POLLIN};
		size_t count;

		r = netlink_addresses(netlink, index, &addresses, &count, err);
		if (r < 0)
			return r;
		if (is_awaited(addresses, count, context))
			return 0;
		if (clock_left_ms(deadline_ms) == 0)
			return err_set_errno(err, -ETIMEDOUT, "waiting for addresses");
		poll(&change, 1, clock_left_ms(deadline_ms));
		changes_drain(fd);
	}
}
