/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nftables through libnftables; the only place with it. Works in the network namespace in which the
 * calling thread is (sys/network_namespace.h). Thread-safe: one call at a time, the others wait.
 * Used by the agent and amphora-interface.
 */
#pragma once

#include "base/err.h"

/*
 * Runs commands in nft's language, one transaction: all of them take effect, or none. The text is
 * ours, made of values that were parsed into types; nothing from outside is pasted in. -EIO when
 * nft refuses, err then holds its own words; -EPROTONOSUPPORT: a kernel without nftables; other
 * errors of socket().
 */
int nftables_run(const char *commands, struct err *err);
