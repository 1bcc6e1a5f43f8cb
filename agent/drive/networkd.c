/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/networkd.h"

#include <sys/socket.h>

#include "base/log.h"

/*
 * The numbers sort them before what an image may bring, and the last one behind it: networkd takes
 * the first file that matches.
 */
#define LINK_FILE      "/etc/systemd/network/10-config-drive-%zu.network"
#define UNMANAGED_FILE "/etc/systemd/network/90-config-drive-unmanaged.network"

enum { LINK_FILE_TEXT_MAX = 80 };

/* The first NIC has this name on a kernel with net.ifnames=0, as amphorae are started. */
static const char fallback_text[] = "[Match]\n"
				    "Name=eth0\n"
				    "\n"
				    "[Network]\n"
				    "DHCP=ipv4\n"
				    "IPv6AcceptRA=yes\n"
				    "\n"
				    "[DHCPv4]\n"
				    "ClientIdentifier=mac\n"
				    "UseMTU=yes\n"
				    "UseDNS=no\n"
				    "UseNTP=no\n"
				    "UseHostname=no\n"
				    "UseDomains=no\n"
				    "\n"
				    "[IPv6AcceptRA]\n"
				    "UseDNS=no\n"
				    "UseDomains=no\n";

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
	if (link->wants_dhcp4)
		buf_append_text(ret_text,
			"\n[DHCPv4]\nClientIdentifier=mac\nUseMTU=yes\nUseDNS=no\n"
			"UseNTP=no\nUseHostname=no\nUseDomains=no\n");
	if (link->wants_dhcp6)
		buf_append_text(ret_text,
			"\n[DHCPv6]\nUseDNS=no\nUseNTP=no\nUseHostname=no\nUseDomains=no\n");
	if (link->wants_dhcp6 || link->wants_slaac)
		buf_append_text(ret_text, "\n[IPv6AcceptRA]\nUseDNS=no\nUseDomains=no\n");
}

void networkd_format_link(const struct network_link *link, struct buf *ret_text)
{
	bool takes_advertisements = link->wants_dhcp6 || link->wants_slaac;
	char mac[MAC_TEXT_MAX];

	mac_format(&link->mac, mac);
	buf_append_format(ret_text, "[Match]\nMACAddress=%s\n", mac);
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

static int link_file_write(const struct tree *root, size_t number, const char *text,
	size_t size_bytes, struct err *err)
{
	char path[LINK_FILE_TEXT_MAX];

	/* networkd reads them as a user of its own. */
	snprintf(path, sizeof(path), LINK_FILE, number);
	return tree_write(root, path, text, size_bytes, 0644, err);
}

static int link_write(
	const struct tree *root, size_t number, const struct network_link *link, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(NETWORKD_FILE_SIZE_MAX);
	cleanup_buf struct buf words = BUF_INIT(KIB);
	int r;

	networkd_format_link(link, &text);
	networkd_describe_link(link, &words);
	if (buf_error(&text))
		return err_set(err, buf_error(&text), "network of link %zu: too large", number);
	r = link_file_write(root, number, buf_text(&text), text.size_bytes, err);
	if (r == 0)
		log_info("network: %s", buf_text(&words));
	return r;
}

int networkd_write(const struct tree *root, const struct network_data *network, struct err *err)
{
	size_t number = 0;
	int r = 0;

	for (; r == 0 && number < network->link_count; number++)
		r = link_write(root, number, &network->links[number], err);
	if (r == 0 && number == 0) {
		log_warning("network: the config drive describes none: eth0 asks by DHCP");
		r = link_file_write(root, number++, fallback_text, strlen(fallback_text), err);
	}
	for (; r == 0 && number < NETWORK_LINKS_MAX; number++) {
		char path[LINK_FILE_TEXT_MAX];

		snprintf(path, sizeof(path), LINK_FILE, number);
		r = tree_remove(root, path, err);
	}
	if (r < 0)
		return r;
	return tree_write(root, UNMANAGED_FILE, unmanaged_text, strlen(unmanaged_text), 0644, err);
}
