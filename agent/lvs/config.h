/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we want to know of an LVS listener's keepalived.conf, as controllers render it: its
 * addresses, pool, members, who is disabled, who is checked (amphora-api.md, "LVS listeners":
 * fixed facts of the config). Pure: text in, values out; keepalived itself judges whether the text
 * is valid. Used by the agent, the sender and the Prometheus proxy.
 *
 * A listener, pool or member is named by a comment: "# Configuration for Member ID", or, when it is
 * disabled, "# Member ID is disabled" and nothing else of it. The comment of a member stands before
 * its real_server; a real_server without one has no id, and is not seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/id.h"

/* More are not seen. A heartbeat holds some thousand members. */
enum { LVS_MEMBERS_MAX = 65535, LVS_VIRTUAL_SERVERS_MAX = 1024 };

struct lvs_endpoint {
	struct address address; /* family 0: there is none */
	uint16_t port;
};

struct lvs_member {
	struct id id;
	struct lvs_endpoint endpoint; /* of its real_server */
	bool is_disabled;             /* there is no real_server */
	bool has_checker;             /* MISC_CHECK, HTTP_GET, TCP_CHECK … */
};

struct lvs_config {
	bool has_load_balancer; /* "# Configuration for Loadbalancer ID" */
	struct id load_balancer;
	bool has_listener; /* named, in either way */
	struct id listener;
	bool is_disabled;                     /* the listener is */
	bool is_sctp;                         /* `protocol SCTP`; else UDP */
	struct lvs_endpoint *virtual_servers; /* of all its virtual_server_groups: the VIPs */
	size_t virtual_server_count;
	bool has_pool; /* named, in either way */
	bool is_pool_disabled;
	struct id pool;
	/* In the order of the text, each id once, although a dual-stack config may repeat some. */
	struct lvs_member *members;
	size_t member_count;
};

/* Never fails: what is not understood is not there. */
void lvs_config_parse(const char *text, size_t size_bytes, struct lvs_config *ret_config);
void lvs_config_deinit(struct lvs_config *config);
#define cleanup_lvs_config CLEANUP(lvs_config_deinit)
