/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per plugged interface and address family: masquerade of UDP and SCTP that leaves it, and, unless
 * it is SR-IOV, no connection tracking for its TCP (amphora-api.md, "Plugging": tables
 * `ip octavia-ipv4`, `ip6 octavia-ipv6`). In the namespace of the calling thread. Idempotent. Used
 * by the agent and amphora-interface.
 */
#pragma once

#include "base/err.h"
#include "net/description.h"

int masquerade_add(const struct interface_description *description, struct err *err);
/* One that is not there is fine. */
int masquerade_remove(const struct interface_description *description, struct err *err);
