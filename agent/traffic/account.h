/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one listener has transferred in all, whoever counted it: an HAProxy counts from zero in each
 * of its processes, and keepalived makes the kernel's services anew. Each of those is a source,
 * known by a name that no other will ever have while it lives. The account remembers what each
 * counted last; when a source is no more, that is settled: kept as a sum. Pure. Owned by a ledger
 * (traffic/ledger.h) or by a source of LVS listeners (lvs/sources.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "traffic/traffic.h"

struct account_source {
	char *name;
	struct traffic last;
	bool is_read; /* since the last account_settle() */
};

/* Starts as {0}. */
struct account {
	struct traffic settled;
	struct account_source *sources;
	size_t source_count;
};

/* What a source has counted by now. If that is less than before, it has started anew. */
void account_read(struct account *account, const char *source, const struct traffic *now);

/*
 * Whether a source that was not read lately is no more. One that still counts must not be taken for
 * gone: if it were read again later, all it had counted would count twice.
 */
typedef bool account_is_gone(const void *context, const char *source);
/* Settles the sources that were not read since the last call, and are gone. */
void account_settle(struct account *account, account_is_gone *is_gone, const void *context);

/* What was settled, and what the sources counted last. */
struct traffic account_total(const struct account *account);
void account_deinit(struct account *account);
