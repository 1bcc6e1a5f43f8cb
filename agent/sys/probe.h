/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to a server: does it take SCTP associations, is its UDP port closed, does it answer
 * a ping. Each asks once, from the calling thread's network namespace, and waits for at most
 * timeout_ms. Used by amphora-health-checker.
 */
#pragma once

#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

enum probe_result {
	PROBE_ANSWERED,
	PROBE_REFUSED, /* it says that nobody is there */
	PROBE_SILENT,
	PROBE_OTHER, /* an answer to something else, or the network's word that it cannot be had */
};

/*
 * Sends an SCTP INIT: answered is an INIT ACK, refused an ABORT. What the peer set up is aborted at
 * once, so that nothing half-open stays. By a raw socket, which needs CAP_NET_RAW: the kernel need
 * not have SCTP.
 */
int probe_sctp(const struct address *address, uint16_t port, int timeout_ms,
	enum probe_result *ret_result, struct err *err);

/*
 * Sends one UDP datagram of one byte: refused is an ICMP "port unreachable". Most servers are
 * silent, and so is a machine that is away.
 */
int probe_udp(const struct address *address, uint16_t port, int timeout_ms,
	enum probe_result *ret_result, struct err *err);

/*
 * Sends one ICMP echo request: answered is its echo. By an unprivileged socket, which
 * net.ipv4.ping_group_range must allow, or else by a raw one.
 */
int probe_ping(const struct address *address, int timeout_ms, enum probe_result *ret_result,
	struct err *err);
