/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The datagram around a message: zlib stream and HMAC (heartbeat.md). Used by the sender.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* What UDP over IPv4 carries: 65,535 less the headers. */
enum { ENVELOPE_MAX_BYTES = 65507 };

/*
 * Puts the datagram into ret_datagram, in place of what is there; it is good for this call's
 * maximum, ENVELOPE_MAX_BYTES. -EMSGSIZE when it does not fit.
 */
int envelope_seal(const void *message, size_t message_size_bytes, const char *key,
	struct buf *ret_datagram, struct err *err);
