/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may reach listeners that the kernel's IPVS serves, and so no frontend that could refuse
 * anybody (model.md, "allowed_cidrs"): the table `inet amphora-clients`. Its chain at input is
 * passed before IPVS takes a packet there, and drops what comes for such a listener from anywhere
 * else; it lets all else through, and knows nothing of the allow-list of SR-IOV interfaces, another
 * table and the controller's (net/allow_list.h). Used by the agent.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/cidr.h"
#include "base/err.h"

/* For one address and port. */
struct client_filter {
	int protocol; /* IPPROTO_UDP or IPPROTO_SCTP */
	struct address address;
	in_port_t port;
	const struct cidr *clients; /* none of the address's family: nobody */
	size_t client_count;
};

/*
 * In the namespace of that name ("": where the thread is) these are in force, in one transaction,
 * and no others; without any the table goes. Of two for the same address and port both count. Flows
 * that exist are cut, too. Errors of network_namespace_enter() and nftables_run().
 */
int client_filter_replace(const char *network_namespace, const struct client_filter *filters,
	size_t count, struct err *err);
