/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus proxy: a small HTTP server on the loopback that answers every GET with what
 * HAProxy's exporter says, in Octavia's terms (amphora-api.md, "Prometheus"), and with what the
 * kernel's IPVS says of LVS listeners. One thread, which waits for all scrapes at once; nothing in
 * here blocks but that kernel's answer. Used by bin/prometheus-proxy.c.
 *
 * It is HTTP of its own making, not libmicrohttpd's: that brings GnuTLS, which alone passes the
 * 4 MiB that this program may take, and a thread a scrape, for an answer whose pieces another
 * socket has to deliver. What is needed of HTTP is a request line and "Connection: close".
 */
#pragma once

#include <netinet/in.h>

#include "base/err.h"
#include "prometheus/scrape.h"

enum {
	/* With those whose request is not there yet, and those that were answered. */
	PROXY_CONNECTIONS_MAX = 2 * EXPORTER_SCRAPES_MAX,
};

struct proxy_options {
	in_port_t port; /* on 127.0.0.1, as the exporter's */
	in_port_t exporter_port;
	const char *base_path; /* where the LVS listeners are found */
	struct scrape_timeouts timeouts;
};

/*
 * Serves until stop_fd is readable; then every connection ends. While the port cannot be had
 * (somebody else listens there) it tries again every second; the log says why.
 */
int proxy_run(const struct proxy_options *options, int stop_fd, struct err *err);
