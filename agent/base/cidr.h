/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address with the length of its prefix: a network ("10.0.0.0/8"), or an address on one
 * ("10.0.0.5/8"). A plain value. Used by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>

#include "base/address.h"

enum { CIDR_TEXT_MAX = ADDRESS_TEXT_MAX + 4 };

struct cidr {
	struct address address;
	unsigned prefix_length;
};

/* 32 or 128. */
unsigned address_prefix_max(int family);

/*
 * A network, as Octavia's agent reads one: "10.0.0.0/8"; without a length it is a single address.
 * -EINVAL also when a bit behind the prefix is set.
 */
int cidr_parse(const char *text, struct cidr *ret_cidr);
/* The same, but bits behind the prefix are dropped. */
int cidr_parse_network(const char *text, struct cidr *ret_cidr);
/* The network that an address with this prefix lies in. */
struct cidr cidr_network(const struct address *address, unsigned prefix_length);
/* The single address as a network: /32 or /128. */
struct cidr cidr_host(const struct address *address);
void cidr_format(const struct cidr *cidr, char text[static CIDR_TEXT_MAX]);
bool cidr_equal(const struct cidr *a, const struct cidr *b);
bool cidr_contains(const struct cidr *network, const struct address *address);
