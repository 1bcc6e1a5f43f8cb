/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool: members, how to choose among them and how to check them (model.md, "The JSON"). A plain
 * checked value; its load balancer owns it, and several listeners may use it. Used by the agent and
 * amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/certificate_name.h"
#include "base/id.h"
#include "model/health_monitor.h"
#include "model/member.h"
#include "model/pool_protocol.h"
#include "model/session_persistence.h"
#include "model/tls.h"

enum lb_algorithm { LB_ROUND_ROBIN, LB_LEAST_CONNECTIONS, LB_SOURCE_IP };

/* How members are spoken to. Certificates are names of uploaded PEM files. */
struct pool_tls {
	bool enabled;
	struct certificate_name client_certificate; /* "": none */
	struct certificate_name ca_certificate;     /* "": members' certificates are not verified */
	struct certificate_name crl;                /* "": none */
	struct tls tls;
};

struct pool {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum pool_protocol protocol;
	enum lb_algorithm lb_algorithm;
	struct session_persistence session_persistence;
	struct pool_tls tls;
	struct member *members;
	size_t member_count;
	bool has_ipv4_member, has_ipv6_member;
	struct health_monitor *health_monitor; /* NULL: members are not checked */
};

/* Pools stay where they are while the list grows. */
struct pool_list {
	struct pool **items;
	size_t count;
	size_t capacity;
};

struct naming;
struct reader;

/*
 * Reads one pool; faults go to the reader's. owner_id: the listener or L7 policy that it is
 * described in, whose id names it when it has no name; NULL in the load balancer's list, where it
 * must have a name or an id.
 */
void pool_parse(struct reader *reader, struct naming *naming, const struct id *owner_id,
	struct pool *ret_pool);

/* A new, empty pool at the end of the list, which owns it. */
struct pool *pool_list_add(struct pool_list *list);
void pool_list_deinit(struct pool_list *list);
