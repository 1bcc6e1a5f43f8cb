/* SPDX-License-Identifier: Apache-2.0 */
#include "net/classless_routes.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Takes the next number off the text. */
static int number_take(const char **text, uint64_t max, unsigned *ret_number)
{
	const char *start = *text + strspn(*text, " ");
	size_t size = strcspn(start, " ");
	uint64_t value;

	if (text_parse_u64_span(start, size, 0, max, &value) < 0)
		return -EINVAL;
	*text = start + size;
	*ret_number = (unsigned)value;
	return 0;
}

/* The first count bytes of an address; the others are 0. */
static int address_take(const char **text, unsigned count, struct address *ret_address)
{
	uint32_t bits = 0;
	unsigned number;

	for (unsigned i = 0; i < count; i++) {
		if (number_take(text, UINT8_MAX, &number) < 0)
			return -EINVAL;
		bits |= number << (24 - 8 * i);
	}
	*ret_address = (struct address){.family = AF_INET, .v4.s_addr = htonl(bits)};
	return 0;
}

static int route_take(const char **text, struct classless_route *ret_route)
{
	struct address destination;
	unsigned prefix_length;

	if (number_take(text, 32, &prefix_length) < 0 ||
		address_take(text, (prefix_length + 7) / 8, &destination) < 0 ||
		address_take(text, 4, &ret_route->gateway) < 0)
		return -EINVAL;
	/* Bits behind the prefix are to be ignored (RFC 3442). */
	ret_route->destination = cidr_network(&destination, prefix_length);
	ret_route->has_gateway = ret_route->gateway.v4.s_addr != INADDR_ANY;
	return 0;
}

int classless_routes_parse(const char *text,
	struct classless_route ret_routes[static CLASSLESS_ROUTES_MAX], size_t *ret_count)
{
	size_t count = 0;

	for (; text[strspn(text, " ")]; count++) {
		if (count == CLASSLESS_ROUTES_MAX)
			return -E2BIG;
		if (route_take(&text, &ret_routes[count]) < 0)
			return -EINVAL;
	}
	*ret_count = count;
	return 0;
}
