/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent wants to know of a haproxy.cfg: its listeners, its stats socket, the files it
 * reads. Pure: text in, values out; the text need not be valid, HAProxy itself is the judge of that
 * (haproxy/check.h). Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum haproxy_listener_type {
	HAPROXY_LISTENER_TCP,
	HAPROXY_LISTENER_HTTP,
	HAPROXY_LISTENER_TERMINATED_HTTPS, /* a bind line says `ssl` */
};

/* A frontend. */
struct haproxy_listener {
	char *name;
	enum haproxy_listener_type type;
	char **binds; /* first argument of each bind line: "10.0.0.10:80" */
	size_t bind_count;
};

struct haproxy_config {
	/*
	 * In the order of the text, without the internal frontend of a PROMETHEUS listener: nobody
	 * asked for it (amphora-api.md, GET /1.0/listeners).
	 */
	struct haproxy_listener *listeners;
	size_t listener_count;
	char **backends; /* "POOL:LISTENER", in order, the internal one left out */
	size_t backend_count;
	char *stats_socket; /* path of the first `stats socket`; NULL: none */
};

/* Never fails: what is not understood is not there. Small next to the text. */
void haproxy_config_parse(const char *text, size_t size_bytes, struct haproxy_config *ret_config);
void haproxy_config_deinit(struct haproxy_config *config);

/* "TCP", "HTTP" or "TERMINATED_HTTPS". */
const char *haproxy_listener_type_text(enum haproxy_listener_type type);

/*
 * Whether some word of the text (comments do not count) holds name: so a file of that name in the
 * certificates' folder is referred to, however the path is spelled. A word that is folder, with or
 * without a '/' at the end, refers to all files in it.
 */
bool haproxy_config_mentions(
	const char *text, size_t size_bytes, const char *folder, const char *name);
