/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all listeners of one load balancer have transferred since it was made: an account for each
 * (traffic/account.h), a sum of those that are gone, and the file that keeps them:
 *
 *	{"since": 1700000000, "boot": "BOOT-ID", "retired": TRAFFIC, "listeners": {"LISTENER":
 *	 {"settled": TRAFFIC, "sources": {"SOURCE": TRAFFIC}}}}    TRAFFIC: traffic/traffic_json.h
 *
 * What a source counts after its last reading, and before its end, is lost: whoever ends one reads
 * it first, and whoever may be killed is read every now and then. The file is replaced without
 * waiting for the disk, when a reading has changed it: a kill -9 of ours loses nothing that was
 * read, a power cut what the disk did not have yet. No source outlives a boot.
 * Owned by the agent (haproxy/traffic.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "traffic/account.h"

struct ledger;

/* An empty one that counts from now on. */
struct ledger *ledger_new(void);
/* Accepts NULL. */
void ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_free);
#define cleanup_ledger CLEANUP(cleanup_ledger_free)

/* -ENOENT: there is no file. -EINVAL with the reason: it is no ledger. */
int ledger_load(const char *path, struct ledger **ret_ledger, struct err *err);
/* Replaces the file, unless it is the one that was loaded and nothing has changed. */
int ledger_store(struct ledger *ledger, const char *path, struct err *err);

/*
 * What a source has counted of a listener by now, and how many sessions it has open. A listener
 * that is new gets an account.
 */
void ledger_read(struct ledger *ledger, const char *listener, const char *source,
	const struct traffic *now, uint64_t sessions);
/* account_settle() for each account. */
void ledger_settle(struct ledger *ledger, account_is_gone *is_gone, const void *context);
/*
 * Accounts without a source whose listener does not exist any more become part of the sum of those
 * that are gone.
 */
void ledger_retire(struct ledger *ledger, bool (*exists)(const void *context, const char *listener),
	const void *context);

time_t ledger_since(const struct ledger *ledger);
/*
 * A listener's traffic, and the sessions that were open at the readings since the ledger was
 * loaded; zeros for one without an account.
 */
void ledger_listener(const struct ledger *ledger, const char *listener, struct traffic *ret_traffic,
	uint64_t *ret_sessions);
/* The same of all listeners that there are and were. */
void ledger_total(const struct ledger *ledger, struct traffic *ret_traffic, uint64_t *ret_sessions);
