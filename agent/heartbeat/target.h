/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One health manager: an entry of controller_ip_port_list, its address, and the connected UDP
 * socket to it. Owned by targets. Used by the sender.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { TARGET_HOST_MAX = 255 };

/* A plain value: an entry taken apart. */
struct endpoint {
	char host[TARGET_HOST_MAX + 1]; /* a name or a numeric address, without brackets */
	in_port_t port;
};

/*
 * Parses "HOST:PORT", "[V6]:PORT", and "V6:PORT" (split at the last colon, as the reference does).
 * -EINVAL with what is allowed.
 */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint, struct err *err);

struct target;

/* A numeric address is ready at once; a name is being looked up when this returns. */
struct target *target_new(const char *text, const struct endpoint *endpoint);
void target_free(struct target *target);

/*
 * Sends one datagram, and waits a moment for its refusal by ICMP. -EAGAIN: the name is still being
 * looked up. -ECONNREFUSED and the like may also mean that an *earlier* datagram was refused since:
 * then this one was not sent, and a second call tries it. Says in the log when sending starts to
 * fail and when it works again.
 */
int target_send(struct target *target, const void *datagram, size_t size_bytes);
/* Waits at most timeout_ms for the first lookup to end. */
void target_wait(struct target *target, int timeout_ms);
/* As it was configured. */
const char *target_text(const struct target *target);
/* Appends what is wrong with it, if anything. */
void target_describe(const struct target *target, struct buf *ret_problems);
