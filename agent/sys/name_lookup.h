/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host name turned into a socket address beside the caller's work: a resolver may take half a
 * minute, and nobody who keeps a period can wait for it. Each lookup is a short-lived thread.
 * Used by the sender.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct socket_address {
	struct sockaddr_storage storage;
	socklen_t size_bytes;
};

/* A numeric host ("10.0.0.1", "fe80::1%eth0"), at once. -EINVAL when it is a name. */
int name_lookup_numeric(const char *host, uint16_t port, struct socket_address *ret_address);

struct name_lookup;

/* Starts looking host up; its first UDP address is the result. */
int name_lookup_start(
	const char *host, uint16_t port, struct name_lookup **ret_lookup, struct err *err);
/*
 * Waits at most timeout_ms (0: not at all) for the result. -EAGAIN while it is under way,
 * -EADDRNOTAVAIL with the resolver's reason when there is none.
 */
int name_lookup_result(struct name_lookup *lookup, int timeout_ms,
	struct socket_address *ret_address, struct err *err);
/* Accepts NULL. A lookup that is under way goes on and cleans up after itself. */
void name_lookup_release(struct name_lookup *lookup);
