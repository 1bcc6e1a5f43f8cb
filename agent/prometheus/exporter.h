/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HAProxy's exporter, as all scrapes share it: where it listens, how many ask it at once, whether
 * it answers. Its answers pass through one pair of buffers, a piece at a time, so that the number
 * of scrapes costs next to no memory. Owned by the proxy, whose one thread is its only user.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/condition.h"
#include "base/err.h"

enum {
	/* At once. Further ones are turned away: a fleet of scrapers is not meant to be this large.
	 */
	EXPORTER_SCRAPES_MAX = 128,
	/* Large enough for system calls not to matter. */
	EXPORTER_PIECE_BYTES = 64 * KIB,
	/* A piece of nothing but the lines that grow most stays below, with samples of LVS. */
	EXPORTER_TRANSLATED_MAX_BYTES = 5 * EXPORTER_PIECE_BYTES,
};

struct exporter {
	in_port_t port;
	unsigned scrape_count;
	struct condition failing;
	struct condition crowded;
	char piece[EXPORTER_PIECE_BYTES];
	struct buf translated;
};

#define EXPORTER_INIT(exporter_port)                                                               \
	((struct exporter){                                                                        \
		.port = (exporter_port), .translated = BUF_INIT(EXPORTER_TRANSLATED_MAX_BYTES)})

void exporter_deinit(struct exporter *exporter);

/*
 * A connection that is made, or under way: writable once it is known which, then
 * exporter_request(). -EBUSY: too many ask already. exporter_close() ends each.
 */
int exporter_connect(struct exporter *exporter, int *ret_fd, struct err *err);
int exporter_request(const struct exporter *exporter, int fd, struct err *err);
/* Returns -1. */
int exporter_close(struct exporter *exporter, int fd);

/* What a scrape has found; the log hears of what is new. */
void exporter_has_failed(struct exporter *exporter, const struct err *err);
void exporter_has_answered(struct exporter *exporter);
