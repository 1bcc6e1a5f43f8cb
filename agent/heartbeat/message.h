/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heartbeat message, version 3 (heartbeat.md; read by octavia's
 * amphorae/drivers/health/heartbeat_udp.py): observed state in, JSON text or datagram out. Pure.
 * Used by the sender.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "heartbeat/observation.h"

/* What a message is made of; all of it stays the caller's. */
struct message {
	const struct id *amphora_id;
	uint64_t seq;
	const struct observation *observation; /* without duplicates */
	const struct traffic *differences;     /* one for each listener of the observation */
};

/*
 * How much of the pools a message holds. The health manager needs every listener, or it fails the
 * amphora over; it can do without pools (they show OFFLINE).
 */
enum message_detail {
	MESSAGE_WHOLE,
	MESSAGE_SHARED_POOLS_ONCE, /* of "P:L1" and "P:L2" the first: the manager keeps one anyway
				    */
	MESSAGE_NO_POOLS,
};

/* Appends the JSON text. */
void message_format(
	const struct message *message, enum message_detail detail, struct buf *ret_text);

/*
 * Seals as much of the message as fits into a datagram; *ret_detail tells how much that is.
 * -EMSGSIZE when not even the listeners fit.
 */
int message_seal(const struct message *message, const char *key, struct buf *ret_datagram,
	enum message_detail *ret_detail, struct err *err);
