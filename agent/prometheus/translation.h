/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what HAProxy's exporter says to what an amphora publishes (amphora-api.md, "Prometheus"), in
 * the text format 0.0.4, line by line as the bytes arrive: metrics that are not published are
 * dropped, and so are the proxies that a controller adds for the scraping itself
 * (prometheus-exporter…), lines that are malformed, and lines that are longer than any of
 * HAProxy's. Pure. Owned by a scrape. Used by the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "prometheus/metric.h"

enum { TRANSLATION_LINE_MAX = 8 * KIB };

struct translation {
	struct buf cut_line; /* the beginning of a line whose end has not arrived */
	bool is_skipping;    /* to the end of a line that is too long */
	/* Set before the first byte by an owner that has something to add to families. */
	bool stops_at_families;
	bool holds_line; /* cut_line is whole: it begins the family behind the present one */
	char family[METRIC_NAME_MAX + 1]; /* the present one, as published; "": none that is */
	/* HAProxy's lines come by metric: what the name of the last one led to. */
	char last_name[METRIC_NAME_MAX];
	size_t last_name_size_bytes;
	bool is_published;
	struct metric metric;
};

#define TRANSLATION_INIT ((struct translation){.cut_line = BUF_INIT(TRANSLATION_LINE_MAX)})

void translation_deinit(struct translation *translation);

/*
 * Takes the next bytes, appends what the lines that they complete become. A line grows by at most
 * what a HELP text of ours is longer than HAProxy's. Returns how many it took: all, unless
 * stops_at_families is set and the lines of a published family have ended, as the HELP of another
 * one tells. Then holds_line is set, family has ended, and the rest is to be fed, be it none.
 */
size_t translation_feed(
	struct translation *translation, const char *data, size_t size_bytes, struct buf *ret_text);
/* No more bytes come: the last line may have lacked its end. Does not stop. */
void translation_end(struct translation *translation, struct buf *ret_text);
