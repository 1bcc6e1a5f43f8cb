/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: network_data.json (drive/network_data.h), and the networkd files that it leads to.
 * Whatever the bytes, they are refused with a reason, or each line of a file is one of those that
 * the program writes.
 */
#include "drive/networkd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* A value is an address, a number or a word, so it cannot bring a line or a section. */
static bool line_is_known(const char *line, size_t size_bytes)
{
	static const char *const keys[] = {"", "[Match]", "[Link]", "[Network]", "[Route]",
		"[DHCPv4]", "[DHCPv6]", "[IPv6AcceptRA]", "MACAddress=", "MTUBytes=", "DHCP=",
		"IPv6AcceptRA=", "Address=", "Destination=", "Gateway=", "GatewayOnLink=yes",
		"ClientIdentifier=mac", "UseMTU=yes", "UseDNS=no", "UseNTP=no", "UseHostname=no",
		"UseDomains=no", "DHCPv6Client=no"};
	const char *value = memchr(line, '=', size_bytes);
	size_t key_bytes = value ? (size_t)(value + 1 - line) : size_bytes;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if ((strlen(keys[i]) == key_bytes && memcmp(keys[i], line, key_bytes) == 0) ||
			(strlen(keys[i]) == size_bytes && memcmp(keys[i], line, size_bytes) == 0))
			return true;
	return false;
}

static void link_check(const struct network_link *link)
{
	cleanup_buf struct buf text = BUF_INIT(NETWORKD_FILE_SIZE_MAX);

	networkd_format_link(link, &text);
	if (buf_error(&text))
		abort();
	for (const char *line = buf_text(&text); *line;) {
		const char *end = strchr(line, '\n');

		if (!end || !line_is_known(line, (size_t)(end - line)))
			abort();
		line = end + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	CLEANUP(network_data_deinit) struct network_data network = {0};
	struct err err = ERR_NONE;
	int r = network_data_parse((const char *)data, size_bytes, &network, &err);

	if (r < 0 && err.text[0] == '\0')
		abort();
	for (size_t i = 0; r == 0 && i < network.link_count; i++)
		link_check(&network.links[i]);
	return 0;
}
