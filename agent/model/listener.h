/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener: a port on the VIP and where its connections go (model.md, "The JSON"). A plain
 * checked value with all defaults filled in; its load balancer owns it. Used by the agent and
 * amphoractl.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/id.h"
#include "model/fault.h"
#include "model/pool.h"

enum listener_protocol { LISTENER_TCP, LISTENER_HTTP, LISTENER_PROTOCOL_COUNT };

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
	unsigned connection_limit;
	long timeout_client_data_ms, timeout_member_connect_ms, timeout_member_data_ms;
	long timeout_tcp_inspect_ms;     /* 0: none */
	const struct pool *default_pool; /* one of the load balancer's; NULL: none */
};

/*
 * A default pool that the listener does not describe but refers to, until every pool is known.
 * Texts are the document's.
 */
struct pool_reference {
	const char *key;  /* where it stands in the listener; NULL: there is no reference */
	const char *id;   /* NULL: not by id */
	const char *name; /* NULL: not by name */
	size_t index;     /* of the listener in its list */
};

struct naming;
struct reader;
struct text_index;

/*
 * Reads one listener; faults go to the reader's. ports are those of the listeners before it. The
 * default pool is added to pools when it stands here, or else what refers to it is ret_reference.
 */
void listener_parse(struct reader *reader, struct naming *naming, struct text_index *ports,
	struct pool_list *pools, struct listener *ret_listener,
	struct pool_reference *ret_reference);
/* Makes the pool the listener's default; a fault at place and key when it does not fit. */
void listener_set_default_pool(struct listener *listener, const struct pool *pool,
	struct faults *faults, const struct place *place, const char *key);
void listener_deinit(struct listener *listener);
