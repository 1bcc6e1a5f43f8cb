/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/networkd.h"

#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

/*
 * The numbers sort them before what an image may bring, and the last one behind it: networkd takes
 * the first file that matches.
 */
#define LINK_FILE      "/etc/systemd/network/10-config-drive-%zu.network"
#define UNMANAGED_FILE "/etc/systemd/network/90-config-drive-unmanaged.network"

enum { LINK_FILE_TEXT_MAX = 80 };

/* Without a word from the drive; the name is the first NIC's on a kernel with net.ifnames=0, as
 * amphorae are started. */
#define FALLBACK_MATCH "Name=eth0"
static const struct network_link fallback = {.wants_dhcp4 = true, .wants_slaac = true};

static const char unmanaged_text[] = "# NICs of load balancers: the agent's.\n"
				     "[Match]\n"
				     "Name=*\n"
				     "\n"
				     "[Link]\n"
				     "Unmanaged=yes\n";

static const char *dhcp_word(const struct network_link *link)
{
	if (link->wants_dhcp4)
		return link->wants_dhcp6 ? "yes" : "ipv4";
	return link->wants_dhcp6 ? "ipv6" : "no";
}

/* networkd refuses a route through a gateway that no address of the link can reach by itself. */
static bool gateway_is_on_link(const struct network_link *link, const struct address *gateway)
{
	if (gateway->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&gateway->v6))
		return true;
	for (size_t i = 0; i < link->address_count; i++) {
		const struct cidr *address = &link->addresses[i];
		struct cidr network = cidr_network(&address->address, address->prefix_length);

		if (cidr_contains(&network, gateway))
			return true;
	}
	return false;
}

static void route_format(
	const struct network_link *link, const struct network_route *route, struct buf *ret_text)
{
	char destination[CIDR_TEXT_MAX];
	char gateway[ADDRESS_TEXT_MAX];

	cidr_format(&route->destination, destination);
	address_format(&route->gateway, gateway);
	buf_append_format(
		ret_text, "\n[Route]\nDestination=%s\nGateway=%s\n", destination, gateway);
	if (!gateway_is_on_link(link, &route->gateway))
		buf_append_text(ret_text, "GatewayOnLink=yes\n");
}

/* Name servers, host names and times come from nowhere but the image and the config drive. */
static void client_sections_format(const struct network_link *link, struct buf *ret_text)
{
	/* An MTU that the drive names holds, whatever the server says. */
	if (link->wants_dhcp4)
		buf_append_format(ret_text,
			"\n[DHCPv4]\nClientIdentifier=mac\n%sUseDNS=no\n"
			"UseNTP=no\nUseHostname=no\nUseDomains=no\n",
			link->mtu_bytes > 0 ? "" : "UseMTU=yes\n");
	if (link->wants_dhcp6)
		buf_append_text(ret_text,
			"\n[DHCPv6]\nUseDNS=no\nUseNTP=no\nUseHostname=no\nUseDomains=no\n");
	if (link->wants_dhcp6 || link->wants_slaac)
		buf_append_text(ret_text, "\n[IPv6AcceptRA]\nUseDNS=no\nUseDomains=no\n");
	/* What a stateless server would add is names. */
	if (link->wants_slaac && !link->wants_dhcp6)
		buf_append_text(ret_text, "DHCPv6Client=no\n");
}

static void link_format(const struct network_link *link, const char *match, struct buf *ret_text)
{
	bool takes_advertisements = link->wants_dhcp6 || link->wants_slaac;

	buf_append_format(ret_text, "[Match]\n%s\n", match);
	if (link->mtu_bytes > 0)
		buf_append_format(ret_text, "\n[Link]\nMTUBytes=%u\n", link->mtu_bytes);
	buf_append_format(ret_text, "\n[Network]\nDHCP=%s\nIPv6AcceptRA=%s\n", dhcp_word(link),
		takes_advertisements ? "yes" : "no");
	for (size_t i = 0; i < link->address_count; i++) {
		char address[CIDR_TEXT_MAX];

		cidr_format(&link->addresses[i], address);
		buf_append_format(ret_text, "Address=%s\n", address);
	}
	for (size_t i = 0; i < link->route_count; i++)
		route_format(link, &link->routes[i], ret_text);
	client_sections_format(link, ret_text);
}

void networkd_format_link(const struct network_link *link, struct buf *ret_text)
{
	char match[] = "MACAddress=00:00:00:00:00:00";

	mac_format(&link->mac, match + strlen("MACAddress="));
	link_format(link, match, ret_text);
}

void networkd_describe_link(const struct network_link *link, struct buf *ret_words)
{
	char mac[MAC_TEXT_MAX];

	mac_format(&link->mac, mac);
	buf_append_text(ret_words, mac);
	if (link->wants_dhcp4)
		buf_append_text(ret_words, ", DHCP");
	if (link->wants_dhcp6)
		buf_append_text(ret_words, ", DHCPv6");
	if (link->wants_slaac)
		buf_append_text(ret_words, ", router advertisements");
	for (size_t i = 0; i < link->address_count; i++) {
		char address[CIDR_TEXT_MAX];

		cidr_format(&link->addresses[i], address);
		buf_append_format(ret_words, ", %s", address);
	}
	if (link->mtu_bytes > 0)
		buf_append_format(ret_words, ", MTU %u", link->mtu_bytes);
}

/* networkd reads them as a user of its own: for everybody. */
static int link_write(
	const struct tree *root, size_t number, const struct buf *text, struct err *err)
{
	char path[LINK_FILE_TEXT_MAX];

	snprintf(path, sizeof(path), LINK_FILE, number);
	if (buf_error(text))
		return err_set(err, buf_error(text), "%s would be too large", path);
	return tree_write(root, path, buf_text(text), text->size_bytes, 0644, err);
}

static int links_write(const struct tree *root, const struct network_data *network, struct err *err)
{
	for (size_t i = 0; i < network->link_count; i++) {
		cleanup_buf struct buf text = BUF_INIT(NETWORKD_FILE_SIZE_MAX);
		cleanup_buf struct buf words = BUF_INIT(2 * KIB);
		int r;

		networkd_format_link(&network->links[i], &text);
		networkd_describe_link(&network->links[i], &words);
		r = link_write(root, i, &text, err);
		if (r < 0)
			return r;
		log_info("network: %s", buf_text(&words));
	}
	return 0;
}

static int fallback_write(const struct tree *root, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(NETWORKD_FILE_SIZE_MAX);

	log_warning("network: the config drive describes none: eth0 asks by DHCP");
	link_format(&fallback, FALLBACK_MATCH, &text);
	return link_write(root, 0, &text, err);
}

/* Those that an instance with more NICs has left, in an image made of its disk. */
static int links_remove(const struct tree *root, size_t first, struct err *err)
{
	for (size_t i = first; i < NETWORK_LINKS_MAX; i++) {
		char path[LINK_FILE_TEXT_MAX];
		int r;

		snprintf(path, sizeof(path), LINK_FILE, i);
		r = tree_remove(root, path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int networkd_write(const struct tree *root, const struct network_data *network, struct err *err)
{
	bool has_links = network->link_count > 0;
	int r = has_links ? links_write(root, network, err) : fallback_write(root, err);

	if (r == 0)
		r = links_remove(root, has_links ? network->link_count : 1, err);
	if (r < 0)
		return r;
	return tree_write(root, UNMANAGED_FILE, unmanaged_text, strlen(unmanaged_text), 0644, err);
}
