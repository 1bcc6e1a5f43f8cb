/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we want to know of an LVS listener's keepalived.conf, as controllers render it: its
 * addresses, pool, members, who is disabled, who is checked (amphora-api.md, "LVS listeners":
 * fixed facts of the config). Pure: text in, values out; keepalived itself judges whether the text
 * is valid. Used by the agent and the sender.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/id.h"

struct lvs_endpoint {
	struct address address;
	uint16_t port;
};

struct lvs_member {
	struct id id;
	struct lvs_endpoint endpoint; /* where the config has a real_server for it */
	bool is_disabled;             /* "# Member ID is disabled": there is no real_server */
	bool has_checker;             /* MISC_CHECK, HTTP_GET, TCP_CHECK … */
};

struct lvs_config {
	bool has_listener; /* "# Configuration for Listener ID" */
	struct id listener;
	bool is_disabled;                     /* "# Listener ID is disabled" */
	bool is_sctp;                         /* `protocol SCTP`; else UDP */
	struct lvs_endpoint *virtual_servers; /* of all its virtual_server_groups: the VIPs */
	size_t virtual_server_count;
	bool has_pool;
	bool is_pool_disabled;
	struct id pool;
	struct lvs_member *members; /* each once, although a dual-stack config names some twice */
	size_t member_count;
};

/* Never fails: what is not understood is not there. */
void lvs_config_parse(const char *text, size_t size_bytes, struct lvs_config *ret_config);
void lvs_config_deinit(struct lvs_config *config);
