/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client_filter.h"

#include "sys/network_namespace.h"
#include "sys/nftables.h"

enum { COMMANDS_MAX_BYTES = 16 * MIB };

/*
 * IPVS sits at input with the priorities 98 and 99, behind this chain. A `table` that is there
 * already is kept and flushed: no packet finds the chain empty, all of it is one transaction.
 */
static const char commands_head[] =
	"table inet amphora-clients {\n"
	"	chain input { type filter hook input priority filter; policy accept; }\n"
	"}\n"
	"flush table inet amphora-clients\n"
	"table inet amphora-clients {\n"
	"	chain input {\n";
static const char commands_tail[] = "	}\n"
				    "}\n";
/* nft refuses to delete what is not there. */
static const char commands_delete[] = "table inet amphora-clients { }\n"
				      "delete table inet amphora-clients\n";

/* How many were appended, as the elements of a set. */
static size_t append_clients(struct buf *commands, const struct client_filter *filter)
{
	size_t count = 0;

	for (size_t i = 0; i < filter->client_count; i++) {
		char text[CIDR_TEXT_MAX];

		if (filter->clients[i].address.family != filter->address.family)
			continue;
		cidr_format(&filter->clients[i], text);
		buf_append_format(commands, "%s%s", count++ > 0 ? ", " : "", text);
	}
	return count;
}

static void append_filter(struct buf *commands, const struct client_filter *filter)
{
	const char *family = filter->address.family == AF_INET6 ? "ip6" : "ip";
	const char *protocol = filter->protocol == IPPROTO_SCTP ? "sctp" : "udp";
	cleanup_buf struct buf clients = BUF_INIT(COMMANDS_MAX_BYTES);
	char address[ADDRESS_TEXT_MAX];

	address_format(&filter->address, address);
	buf_append_format(commands, "		%s daddr %s %s dport %u", family, address, protocol,
		(unsigned)filter->port);
	if (append_clients(&clients, filter) > 0)
		buf_append_format(commands, " %s saddr != { %s }", family, buf_text(&clients));
	buf_append_text(commands, " counter drop\n");
}

int client_filter_replace(const char *network_namespace, const struct client_filter *filters,
	size_t count, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_buf struct buf commands = BUF_INIT(COMMANDS_MAX_BYTES);
	int r;

	if (count == 0) {
		buf_append_text(&commands, commands_delete);
	} else {
		buf_append_text(&commands, commands_head);
		for (size_t i = 0; i < count; i++)
			append_filter(&commands, &filters[i]);
		buf_append_text(&commands, commands_tail);
	}
	r = buf_error(&commands);
	if (r < 0)
		return err_set(err, r, "too many allowed_cidrs of UDP and SCTP listeners");
	r = network_namespace_enter(network_namespace, &stay, err);
	if (r == 0)
		r = nftables_run(buf_text(&commands), err);
	return r < 0 ? err_wrap(err, r, "enforcing allowed_cidrs of UDP and SCTP listeners") : 0;
}
