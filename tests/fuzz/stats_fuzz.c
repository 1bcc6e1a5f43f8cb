/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as HAProxy's answer to `show stat`. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "haproxy/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every text of a row must be readable to its end: the sanitizer sees one that is not. */
static size_t row_size_bytes(const struct haproxy_stat *row)
{
	return strlen(row->proxy) + strlen(row->server) + strlen(row->status) +
	       strlen(row->check_status) + strlen(row->last_check) + strlen(row->address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct haproxy_stats stats = {.rows = NULL};
	struct err err = ERR_NONE;
	size_t total_bytes = 0;

	if (haproxy_stats_parse(xmemdup_text(data, size), &stats, &err) < 0)
		return 0;
	for (size_t i = 0; i < stats.row_count; i++)
		total_bytes += row_size_bytes(&stats.rows[i]);
	/* In place: what the rows hold cannot be more than the answer, but for "DRAIN". */
	if (total_bytes > size + stats.row_count * sizeof("DRAIN"))
		abort();
	haproxy_stats_deinit(&stats);
	return 0;
}
