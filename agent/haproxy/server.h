/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of a haproxy.cfg (a controller's members): the `server` lines of its backends, with
 * what the Runtime API can change told from what it cannot. Pure. Used by the agent, to keep the
 * state of servers over a reload and to apply changes without one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { HAPROXY_SERVER_WEIGHT_DEFAULT = 1 };

struct haproxy_server {
	char *backend; /* "POOL:LISTENER" */
	char *name;
	char *address; /* as written, with the port: "10.0.0.1:80", "fd00::1:80" */
	char *options; /* what follows, but for weight, disabled and enabled; one blank between */
	unsigned weight;
	bool check;
	bool disabled;
	bool plain; /* words need no quoting; nothing was taken from a default-server */
};

/* Sorted by backend and name. */
struct haproxy_servers {
	struct haproxy_server *items;
	size_t count;
};

/*
 * `default-server` is heeded for weight, check and disabled. Servers of `listen` sections count
 * too, those of server-template lines do not.
 */
void haproxy_servers_parse(
	const char *text, size_t size_bytes, struct haproxy_servers *ret_servers);
void haproxy_servers_deinit(struct haproxy_servers *servers);

/* NULL: no such server. Of several under one name any one. */
const struct haproxy_server *haproxy_servers_find(
	const struct haproxy_servers *servers, const char *backend, const char *name);
/* The order they are sorted in: negative, 0, positive. */
int haproxy_server_compare(const struct haproxy_server *a, const struct haproxy_server *b);

/*
 * Cuts "HOST:PORT" at its last colon. false when there is no port, or none that is a plain number
 * ("+1", "-1" and "" mean something else to HAProxy). *ret_host_size is the length of the host.
 */
bool haproxy_server_split_address(const char *address, size_t *ret_host_size, unsigned *ret_port);
