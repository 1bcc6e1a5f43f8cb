/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published metrics of an amphora: which of the metrics of HAProxy's exporter they are, under
 * which name, and with which HELP text where it speaks Octavia's terms. Names and texts are those
 * that Octavia documents and its newest prometheus-proxy serves (octavia/cmd/prometheus_proxy.py),
 * for scrapers to go on with what they have. Pure. Used by the Prometheus proxy.
 */
#pragma once

#include <stddef.h>

enum { METRIC_NAME_MAX = 127 };

struct metric {
	char name[METRIC_NAME_MAX + 1]; /* as published */
	size_t name_size_bytes;
	const char *help; /* NULL: what HAProxy says */
	const char
		*proxy_label; /* "listener", "pool": what the label "proxy" becomes; NULL: none */
};

/* By HAProxy's name; -ENOENT: it is not published. */
int metric_find(const char *name, size_t size_bytes, struct metric *ret_metric);
