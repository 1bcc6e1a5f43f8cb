/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member: one server that a pool balances over (model.md, "The JSON"). A plain checked value; its
 * pool owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/id.h"
#include "model/pool_protocol.h"

enum { MEMBER_WEIGHT_MAX = 256, MEMBER_WEIGHT_DEFAULT = 1 };

struct member {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	struct address address;
	in_port_t protocol_port;
	uint16_t weight; /* 0: drains */
	bool backup;
	struct address monitor_address; /* family 0: its own */
	in_port_t monitor_port;         /* 0: its own */
};

struct naming;
struct reader;
struct text_index;

/*
 * Reads one member of the pool; faults go to the reader's. ends_of_pool are the addresses and ports
 * of the members before it.
 */
void member_parse(struct reader *reader, struct naming *naming, const struct id *pool_id,
	enum pool_protocol pool_protocol, struct text_index *ends_of_pool,
	struct member *ret_member);
void member_deinit(struct member *member);
