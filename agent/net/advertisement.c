/* SPDX-License-Identifier: Apache-2.0 */
#include "net/advertisement.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mac.h"
#include "sys/netlink.h"
#include "sys/network_namespace.h"

/* Never waited for: a full queue of the link is an error. */
enum { SOCKET_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK };

/* Asked of any socket in the link's namespace. -EOPNOTSUPP: it is no Ethernet link. */
static int link_mac(int fd, const char *interface, struct mac *ret_mac)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	memcpy(ret_mac->bytes, request.ifr_hwaddr.sa_data, sizeof(ret_mac->bytes));
	return 0;
}

static int send_whole(
	int fd, const void *data, size_t size_bytes, const void *to, socklen_t to_size)
{
	return sendto(fd, data, size_bytes, 0, to, to_size) < 0 ? -errno : 0;
}

/* An ARP request to everybody whose sender and target are the address (RFC 5227, section 3). */
static int arp_send(const char *interface, const struct address *address)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(interface),
		.sll_halen = ETH_ALEN,
	};
	struct ether_arp arp = {
		.arp_hrd = htons(ARPHRD_ETHER),
		.arp_pro = htons(ETH_P_IP),
		.arp_hln = ETH_ALEN,
		.arp_pln = sizeof(address->v4),
		.arp_op = htons(ARPOP_REQUEST),
	};
	/* Protocol 0: it only sends. */
	cleanup_close int fd = socket(AF_PACKET, SOCK_DGRAM | SOCKET_FLAGS, 0);
	struct mac mac;
	int r = fd < 0 ? -errno : link_mac(fd, interface, &mac);

	if (r < 0)
		return r;
	memset(to.sll_addr, 0xff, ETH_ALEN);
	memcpy(arp.arp_sha, mac.bytes, ETH_ALEN);
	memcpy(arp.arp_spa, &address->v4, sizeof(address->v4));
	/* Nobody looks at it; the reference agent writes the same. */
	memset(arp.arp_tha, 0xff, ETH_ALEN);
	memcpy(arp.arp_tpa, &address->v4, sizeof(address->v4));
	return send_whole(fd, &arp, sizeof(arp), &to, sizeof(to));
}

/* From the address itself, which the link must have; with the hop limit of RFC 4861. */
static int icmpv6_socket(const char *interface, const struct address *source, int *ret_fd)
{
	static const int hop_limit = 255;
	cleanup_close int fd = socket(AF_INET6, SOCK_RAW | SOCKET_FLAGS, IPPROTO_ICMPV6);
	struct sockaddr_storage from;
	socklen_t from_size = address_to_sockaddr(source, 0, &from);
	struct icmp6_filter none;

	ICMP6_FILTER_SETBLOCKALL(&none);
	if (fd < 0 || setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof(none)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
			(socklen_t)strlen(interface)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hop_limit, sizeof(hop_limit)) <
			0 ||
		bind(fd, (struct sockaddr *)&from, from_size) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* An unsolicited neighbour advertisement to all nodes (RFC 4861, section 7.2.6). */
static int neighbour_advertisement_send(const char *interface, const struct address *address)
{
	struct {
		struct nd_neighbor_advert advert;
		struct nd_opt_hdr option;
		struct mac mac;
	} message = {
		.advert.nd_na_type = ND_NEIGHBOR_ADVERT,
		.advert.nd_na_flags_reserved = ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE,
		.advert.nd_na_target = address->v6,
		.option = {.nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1},
	};
	const struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_addr = {{{0xff, 0x02, [15] = 0x01}}},
		.sin6_scope_id = if_nametoindex(interface),
	};
	cleanup_close int fd = -1;
	int r = icmpv6_socket(interface, address, &fd);

	if (r == 0)
		r = link_mac(fd, interface, &message.mac);
	/* The kernel fills in the checksum. */
	if (r == 0)
		r = send_whole(fd, &message, sizeof(message), &to, sizeof(to));
	return r;
}

int advertisement_send(const char *interface, const struct address *address, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];
	int r = address->family == AF_INET ? arp_send(interface, address)
					   : neighbour_advertisement_send(interface, address);

	if (r < 0) {
		address_format(address, text);
		return err_set_errno(err, r, "advertising %s on %s", text, interface);
	}
	return 0;
}

/* An address that nobody has is no failure: another amphora is the master. Nor one on `lo`. */
static int advertise(struct netlink *netlink, const struct address *address, struct err *err)
{
	static const struct mac none;
	struct netlink_link link;
	int r = netlink_find_address(netlink, address, &link, err);

	if (r == -ENODEV || (r == 0 && mac_equal(&link.mac, &none)))
		return 0;
	return r < 0 ? r : advertisement_send(link.name, address, err);
}

static int advertise_each(
	const struct net_site *site, const struct address *addresses, size_t count, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_netlink struct netlink *netlink = NULL;
	int r = network_namespace_enter(site->network_namespace, &stay, err);

	if (r == 0)
		r = netlink_open(&netlink, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (advertise(netlink, &addresses[i], err) < 0)
			log_warning("%s", err->text);
	return 0;
}

void advertise_all(const struct net_site *site, const struct address *addresses, size_t count)
{
	struct err err = ERR_NONE;

	if (count > 0 && advertise_each(site, addresses, count, &err) < 0)
		log_warning("advertising addresses: %s", err.text);
}
