/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An IPv4 or IPv6 address. A plain value. Used by every program.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN };

struct address {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* Strict numeric form, no zone, no brackets. 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret_address);
/* Canonical text: RFC 5952 for IPv6. */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
/* Every group of IPv6 with its four digits, as Octavia's agent names VIPs in its answers. */
void address_format_exploded(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_among(const struct address *address, const struct address *addresses, size_t count);
/* Fills a socket address for connect() or bind(); returns its length. */
socklen_t address_to_sockaddr(
	const struct address *address, in_port_t port, struct sockaddr_storage *ret_sockaddr);
