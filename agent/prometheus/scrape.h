/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scrape: a scraper's connection from its request to its end. HAProxy's exporter is asked for
 * each anew; its answer is translated and handed on piece by piece, and read no faster than the
 * scraper takes it, with the samples of LVS listeners among its own. A scrape waits for one socket
 * at a time. Owned by the proxy.
 *
 * Until the first piece is there nothing has been said, and a failure is a 502. After that the
 * connection is reset, and to HTTP/1.1 the last chunk is missing as well: no scraper can take a
 * part for the whole.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "prometheus/exporter.h"
#include "prometheus/lvs_exporter.h"

/* How long nothing may happen, and how long all may take. */
struct scrape_timeouts {
	int request_ms;  /* until the request is there, from its first byte to its last */
	int exporter_ms; /* while HAProxy is waited for */
	int scraper_ms;  /* while the scraper is, to take what was sent */
	int whole_ms;
};

/* A controller's config gives us 5 s to answer: a 502 of ours must come before HAProxy's 504. */
#define SCRAPE_TIMEOUTS                                                                            \
	((struct scrape_timeouts){                                                                 \
		.request_ms = 5000, .exporter_ms = 4000, .scraper_ms = 10000, .whole_ms = 120000})

struct scrape;

/* fd does not block; it becomes the scrape's. Exporters and timeouts must outlive it. */
struct scrape *scrape_new(int fd, struct exporter *exporter, struct lvs_exporter *lvs_exporter,
	const struct scrape_timeouts *timeouts, int64_t now_ms);
/* Closes whatever is open. */
void scrape_free(struct scrape *scrape);

/* What it waits for, and until when. */
struct pollfd scrape_awaits(const struct scrape *scrape);
int64_t scrape_deadline_ms(const struct scrape *scrape);
/* Goes on when what it waits for is there. False: it is over. */
bool scrape_continue(struct scrape *scrape, int64_t now_ms);
/* The same when the deadline has passed instead. */
bool scrape_expire(struct scrape *scrape, int64_t now_ms);
