/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener: a port on the VIP and where its connections go (model.md, "The JSON"). A plain
 * checked value with all defaults filled in; its load balancer owns it. Used by the agent and
 * amphoractl.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/certificate_name.h"
#include "base/cidr.h"
#include "base/id.h"
#include "model/fault.h"
#include "model/l7policy.h"
#include "model/pool.h"
#include "model/tls.h"

enum listener_protocol {
	LISTENER_TCP,
	LISTENER_HTTP,
	LISTENER_HTTPS, /* passed through: TCP to HAProxy */
	LISTENER_TERMINATED_HTTPS,
	LISTENER_PROMETHEUS,
	LISTENER_UDP,  /* LVS's */
	LISTENER_SCTP, /* LVS's */
	LISTENER_PROTOCOL_COUNT,
};

/* The headers that a listener adds to requests, in the order of Octavia's templates. */
enum insert_header {
	INSERT_X_FORWARDED_FOR,
	INSERT_X_FORWARDED_PORT,
	INSERT_X_FORWARDED_PROTO,
	INSERT_X_SSL_CLIENT_VERIFY,
	INSERT_X_SSL_CLIENT_HAS_CERT,
	INSERT_X_SSL_CLIENT_DN,
	INSERT_X_SSL_CLIENT_CN,
	INSERT_X_SSL_ISSUER,
	INSERT_X_SSL_CLIENT_SHA1,
	INSERT_X_SSL_CLIENT_NOT_BEFORE,
	INSERT_X_SSL_CLIENT_NOT_AFTER,
	INSERT_HEADER_COUNT,
};

enum client_authentication { CLIENT_AUTH_NONE, CLIENT_AUTH_OPTIONAL, CLIENT_AUTH_MANDATORY };

/* Octavia's limits and defaults. */
enum {
	LISTENER_CONNECTION_LIMIT_DEFAULT = 50 * 1000,
	LISTENER_TIMEOUT_MAX_MS = 24 * 24 * 3600 * 1000,
	LISTENER_TIMEOUT_DATA_DEFAULT_MS = 50 * 1000,
	LISTENER_TIMEOUT_CONNECT_DEFAULT_MS = 5 * 1000,
};

/* A listener's own part of TLS. Certificates are names of uploaded PEM files. */
struct listener_tls {
	struct certificate_name certificate; /* "": none, the listener speaks no TLS */
	struct certificate_name *sni_certificates;
	size_t sni_certificate_count;
	enum client_authentication client_authentication;
	struct certificate_name client_ca_certificate; /* "": none */
	struct certificate_name client_crl;            /* "": none */
	struct tls tls;
	unsigned hsts_max_age_s;
	bool has_hsts; /* max age 0 makes clients forget */
	bool hsts_include_subdomains, hsts_preload;
};

struct listener {
	struct id id;
	char *name; /* "": none */
	bool admin_state_up;
	enum listener_protocol protocol;
	in_port_t protocol_port;
	unsigned connection_limit; /* 0: Octavia's default in HAProxy, none in LVS */
	bool insert_headers[INSERT_HEADER_COUNT];
	long timeout_client_data_ms, timeout_member_connect_ms, timeout_member_data_ms;
	long timeout_tcp_inspect_ms; /* 0: none */
	struct cidr *allowed_cidrs;  /* none: everybody */
	size_t allowed_cidr_count;
	const struct pool *default_pool; /* one of the load balancer's; NULL: none */
	struct l7policy *l7policies;     /* by position */
	size_t l7policy_count;
	struct listener_tls tls; /* LISTENER_TERMINATED_HTTPS and LISTENER_PROMETHEUS only */
};

/*
 * A default pool that the listener does not describe but refers to, until every pool is known.
 * Texts are the document's.
 */
struct pool_reference {
	const char *key;  /* where it stands in the listener; NULL: there is no reference */
	const char *id;   /* NULL: not by id */
	const char *name; /* NULL: not by name */
	size_t index;     /* of the listener in its list */
};

struct naming;
struct reader;
struct text_index;

/*
 * Reads one listener; faults go to the reader's. ports are those of the listeners before it. The
 * default pool is added to pools when it stands here, or else what refers to it is ret_reference.
 */
void listener_parse(struct reader *reader, struct naming *naming, struct text_index *ports,
	struct pool_list *pools, struct listener *ret_listener,
	struct pool_reference *ret_reference);
/* Makes the pool the listener's default; a fault at place and key when it does not fit. */
void listener_set_default_pool(struct listener *listener, const struct pool *pool,
	struct faults *faults, const struct place *place, const char *key);
/* Whether keepalived and the kernel's IPVS serve it; else HAProxy does. */
bool listener_is_lvs(const struct listener *listener);
/* Its default pool and the pools that its policies redirect to, each once; the caller's to free. */
const struct pool **listener_pools(const struct listener *listener, size_t *ret_count);
void listener_deinit(struct listener *listener);
