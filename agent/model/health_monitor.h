/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A health monitor: how a pool's members are checked (model.md, "The JSON"). A plain checked value;
 * its pool owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "model/pool_protocol.h"

enum health_monitor_type {
	HEALTH_MONITOR_TCP,
	HEALTH_MONITOR_HTTP,
	HEALTH_MONITOR_HTTPS,
	HEALTH_MONITOR_PING,
	HEALTH_MONITOR_TLS_HELLO,
	HEALTH_MONITOR_UDP_CONNECT,
	HEALTH_MONITOR_SCTP,
	HEALTH_MONITOR_TYPE_COUNT,
	HEALTH_MONITOR_TYPE_UNKNOWN = HEALTH_MONITOR_TYPE_COUNT, /* while a model is parsed */
};

enum {
	HEALTH_MONITOR_RETRIES_MAX = 10,
	HEALTH_MONITOR_RETRIES_DOWN_DEFAULT = 3,
	HEALTH_MONITOR_UDP_DELAY_MIN_S = 3, /* Octavia's udp_connect_min_interval_health_monitor */
	/* keepalived counts microseconds in 32 bits, and adds a second to SCTP's. */
	HEALTH_MONITOR_LVS_TIMEOUT_MAX_S = 4293,
	HEALTH_MONITOR_SECONDS_MAX = 24 * 24 * 3600, /* HAProxy's clocks end at 24.8 days */
};

/* What an HTTP check asks, and what it takes for an answer. */
struct health_monitor_request {
	const char *method;  /* "GET" …; static */
	char *path;          /* "/healthz?full=1" */
	const char *version; /* "1.0", "1.1"; NULL: HAProxy's default; static */
	char *host;          /* Host header; NULL: none */
	uint16_t *codes;     /* expected status codes, ascending, each once */
	size_t code_count;
};

struct health_monitor {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum health_monitor_type type;
	long delay_ms;                         /* between two checks */
	long timeout_ms;                       /* of one check */
	unsigned max_retries;                  /* successes in a row that bring a member up */
	unsigned max_retries_down;             /* failures in a row that take it down */
	struct health_monitor_request request; /* HEALTH_MONITOR_HTTP and HTTPS */
};

struct naming;
struct reader;

/*
 * Reads the monitor of the pool; faults go to the reader's.
 */
void health_monitor_parse(struct reader *reader, struct naming *naming, const struct id *pool_id,
	enum pool_protocol pool_protocol, struct health_monitor *ret_monitor);
void health_monitor_deinit(struct health_monitor *monitor);
