/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener: a port on the VIP and where its connections go (model.md, "The JSON"). A plain
 * checked value with all defaults filled in; its load balancer owns it. Used by the agent and
 * amphoractl.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "base/id.h"
#include "model/insert_header.h"
#include "model/l7policy.h"
#include "model/listener_tls.h"
#include "model/pool.h"

enum listener_protocol {
	LISTENER_TCP,
	LISTENER_HTTP,
	LISTENER_HTTPS, /* passed through: TCP to HAProxy */
	LISTENER_TERMINATED_HTTPS,
	LISTENER_PROMETHEUS,
	LISTENER_UDP,  /* LVS's */
	LISTENER_SCTP, /* LVS's */
	LISTENER_PROTOCOL_COUNT,
};

/* Octavia's limits and defaults. */
enum {
	LISTENER_CONNECTION_LIMIT_DEFAULT = 50 * 1000,
	LISTENER_TIMEOUT_MAX_MS = 24 * 24 * 3600 * 1000,
	LISTENER_TIMEOUT_DATA_DEFAULT_MS = 50 * 1000,
	LISTENER_TIMEOUT_CONNECT_DEFAULT_MS = 5 * 1000,
};

struct listener {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum listener_protocol protocol;
	in_port_t protocol_port;
	unsigned connection_limit; /* 0: Octavia's default in HAProxy, none in LVS */
	bool insert_headers[INSERT_HEADER_COUNT];
	long timeout_client_data_ms, timeout_member_connect_ms, timeout_member_data_ms;
	long timeout_tcp_inspect_ms; /* 0: none */
	struct cidr *allowed_cidrs;  /* none: everybody */
	size_t allowed_cidr_count;
	const struct pool *default_pool; /* one of the load balancer's; NULL: none */
	struct l7policy *l7policies;     /* by position */
	size_t l7policy_count;
	struct listener_tls tls; /* LISTENER_TERMINATED_HTTPS and LISTENER_PROMETHEUS only */
};

struct naming;
struct pool_references;
struct reader;
struct text_index;

/* What a listener is read amid. */
struct listener_surroundings {
	struct naming *naming;
	struct pool_list *pools;
	struct pool_references *references;
	struct text_index *ports; /* of the listeners before it */
	bool has_ipv4, has_ipv6;  /* of the VIPs' families; both when a VIP is at fault */
};

/*
 * Reads one listener; faults go to the reader's. Its pools are added to those of the surroundings
 * where they are described, or else are among the references; it must stay where it is until these
 * are resolved.
 */
void listener_parse(struct reader *reader, struct listener_surroundings *surroundings,
	struct listener *ret_listener);
/* Whether keepalived and the kernel's IPVS serve it; else HAProxy does. */
bool listener_is_lvs(const struct listener *listener);
/*
 * The pools that requests of it can reach, each once: its default pool, then those that policies in
 * force redirect to, in their order (Listener.pools of octavia/db/models.py). The caller's to free.
 */
const struct pool **listener_pools(const struct listener *listener, size_t *ret_count);
void listener_deinit(struct listener *listener);
