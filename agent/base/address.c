/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int address_parse(const char *text, struct address *ret_address)
{
	struct address address = {.family = AF_INET};

	if (inet_pton(AF_INET, text, &address.v4) != 1) {
		address.family = AF_INET6;
		if (inet_pton(AF_INET6, text, &address.v6) != 1)
			return -EINVAL;
	}
	*ret_address = address;
	return 0;
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	const char *written = inet_ntop(address->family, &address->v6, text, ADDRESS_TEXT_MAX);

	assert(written);
	(void)written;
}

void address_format_exploded(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	const uint8_t *b = address->v6.s6_addr;

	if (address->family == AF_INET) {
		address_format(address, text);
		return;
	}
	snprintf(text, ADDRESS_TEXT_MAX,
		"%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x", b[0],
		b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
		b[14], b[15]);
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return memcmp(&a->v6, &b->v6, sizeof(a->v6)) == 0;
}

bool address_is_among(const struct address *address, const struct address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i], address))
			return true;
	return false;
}

socklen_t address_to_sockaddr(
	const struct address *address, in_port_t port, struct sockaddr_storage *ret_sockaddr)
{
	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	if (address->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret_sockaddr;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr = address->v4;
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_sockaddr;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = address->v6;
	return sizeof(*in6);
}
