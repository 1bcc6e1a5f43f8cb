/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's IPVS tables of one network namespace: its virtual services and their destinations,
 * read over generic netlink (linux/ip_vs.h; nothing here changes them). The only place that knows
 * IPVS's netlink. Used by the sender and prometheus-proxy.
 *
 * A socket belongs for good to the namespace in which its thread was when it was opened. The kernel
 * answers it when both the process that opened it and the one that asks have CAP_NET_ADMIN: one who
 * gives up root must have opened it before, and keep that capability (sys/privilege.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/err.h"

/* Since the kernel has what they are of. */
struct ipvs_counters {
	uint64_t connections;
	uint64_t bytes_in;
	uint64_t bytes_out;
};

struct ipvs_destination {
	struct address address;
	uint16_t port;
	uint32_t weight;
	uint32_t active_connections;
	uint32_t inactive_connections;
	struct ipvs_counters counters;
};

/* A virtual service. One that is known by a firewall mark has no address, and is left out. */
struct ipvs_service {
	struct address address;
	uint16_t port;
	uint8_t protocol; /* IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_TCP */
	struct ipvs_counters counters;
	size_t first_destination; /* in the table's destinations */
	size_t destination_count;
};

struct ipvs_table {
	struct ipvs_service *services;
	size_t service_count;
	struct ipvs_destination *destinations; /* those of a service lie together */
	size_t destination_count;
};

#define IPVS_TABLE_INIT ((struct ipvs_table){.services = NULL})

void ipvs_table_deinit(struct ipvs_table *table);
#define cleanup_ipvs_table CLEANUP(ipvs_table_deinit)

/*
 * Appends what one datagram of the kernel's answer tells of services or destinations; pure.
 * *ret_is_done: it was the answer's last one. A negative errno, when the kernel refused the
 * question, is that of the kernel; -EBADMSG: these are no messages of IPVS, the table may then hold
 * some that stood before the wrong one.
 */
int ipvs_table_parse(struct ipvs_table *table, const void *datagram, size_t size_bytes,
	bool *ret_is_done, struct err *err);

struct ipvs;

/* Needs no IPVS in the kernel yet: keepalived may load it later. */
int ipvs_open(struct ipvs **ret_ipvs, struct err *err);
/* Accepts NULL. */
void ipvs_close(struct ipvs *ipvs);
DEFINE_CLEANUP(struct ipvs *, ipvs_close);
#define cleanup_ipvs CLEANUP(cleanup_ipvs_close)

/*
 * Reads all services and their destinations. The kernel holds no lock between two pieces of a long
 * answer: what changes meanwhile may be missed. -ENOENT: the kernel has no IPVS (now); -EPERM: see
 * above; -ETIMEDOUT.
 */
int ipvs_query(struct ipvs *ipvs, int timeout_ms, struct ipvs_table *ret_table, struct err *err);
/*
 * The same of a network namespace (sys/network_namespace.h), for root, who asks seldom. Without
 * that namespace, or without IPVS in the kernel, the table is empty.
 */
int ipvs_query_namespace(const char *network_namespace, int timeout_ms,
	struct ipvs_table *ret_table, struct err *err);
