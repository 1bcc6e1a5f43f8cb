/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cidr.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

unsigned address_prefix_max(int family)
{
	return family == AF_INET6 ? 128 : 32;
}

static unsigned char *bytes_of(struct address *address)
{
	return address->family == AF_INET6 ? address->v6.s6_addr : (unsigned char *)&address->v4;
}

struct cidr cidr_network(const struct address *address, unsigned prefix_length)
{
	struct cidr network = {*address, prefix_length};
	unsigned char *bytes = bytes_of(&network.address);

	for (unsigned bit = prefix_length; bit < address_prefix_max(address->family); bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	return network;
}

struct cidr cidr_host(const struct address *address)
{
	return (struct cidr){*address, address_prefix_max(address->family)};
}

/* As it stands there, whatever is set behind the prefix. */
static int parts_parse(const char *text, struct cidr *ret_cidr)
{
	char address_text[ADDRESS_TEXT_MAX];
	size_t size = strcspn(text, "/");
	struct address address;
	uint64_t length;

	if (size >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, size);
	address_text[size] = '\0';
	if (address_parse(address_text, &address) < 0)
		return -EINVAL;
	length = address_prefix_max(address.family);
	if (text[size] == '/' && text_parse_u64(text + size + 1, 0, length, &length) < 0)
		return -EINVAL;
	*ret_cidr = (struct cidr){address, (unsigned)length};
	return 0;
}

int cidr_parse_network(const char *text, struct cidr *ret_cidr)
{
	struct cidr cidr;

	if (parts_parse(text, &cidr) < 0)
		return -EINVAL;
	*ret_cidr = cidr_network(&cidr.address, cidr.prefix_length);
	return 0;
}

int cidr_parse(const char *text, struct cidr *ret_cidr)
{
	struct cidr cidr;
	struct cidr network;

	if (parts_parse(text, &cidr) < 0)
		return -EINVAL;
	network = cidr_network(&cidr.address, cidr.prefix_length);
	if (!cidr_equal(&network, &cidr))
		return -EINVAL;
	*ret_cidr = network;
	return 0;
}

void cidr_format(const struct cidr *cidr, char text[static CIDR_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];

	address_format(&cidr->address, address);
	snprintf(text, CIDR_TEXT_MAX, "%s/%u", address, cidr->prefix_length);
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->prefix_length == b->prefix_length && address_equal(&a->address, &b->address);
}

bool cidr_contains(const struct cidr *network, const struct address *address)
{
	struct cidr theirs;

	if (network->address.family != address->family)
		return false;
	theirs = cidr_network(address, network->prefix_length);
	return cidr_equal(network, &theirs);
}
