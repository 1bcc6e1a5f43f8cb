/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LVS listeners of this amphora, as all scrapes share them: what was last read of them
 * (lvs/sources.h). Nothing is opened before the first one exists. Owned by the proxy, whose one
 * thread is its only user and waits for the kernel: IPVS answers from memory, and has a time-out.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/condition.h"
#include "lvs/sources.h"
#include "sys/ipvs.h"

enum {
	/* Scrapes that begin within it share what the first one of them read. */
	LVS_EXPORTER_FRESH_MS = 1000,
	LVS_EXPORTER_TIMEOUT_MS = 500,
};

/* Some 4,000 members that are checked: more than a heartbeat can tell of. */
#define LVS_EXPORTER_LIMITS ((struct lvs_limits){.configs_bytes = MIB, .members = 6000})

struct lvs_exporter {
	const char *base_path;
	struct ipvs *ipvs;                  /* NULL until there is a listener */
	struct lvs_sources *sources;        /* the same */
	struct lvs_observation observation; /* the members of each pool in the order of their ids */
	int64_t fresh_until_ms;
	struct condition unprepared;
};

/* path must outlive it. */
#define LVS_EXPORTER_INIT(path) ((struct lvs_exporter){.base_path = (path)})

void lvs_exporter_deinit(struct lvs_exporter *exporter);

/*
 * Reads the observation anew if it is not fresh. It needs CAP_NET_ADMIN, in the network namespace
 * of keepalived; what cannot be read is missing in it, and the log hears of that once.
 */
void lvs_exporter_refresh(struct lvs_exporter *exporter, int64_t now_ms);
