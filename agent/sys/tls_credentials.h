/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's TLS identity and whom it trusts: server certificate with key, CA of the clients,
 * lowest protocol version. Immutable once made, reference-counted, so that a running server can
 * exchange them (amphora-api.md, "Transport"). GnuTLS, as libmicrohttpd uses it. Used by the agent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum tls_version {
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};

struct tls_credentials;

/*
 * server_pem: certificate(s) and private key, blocks in any order; the leaf is the certificate
 * that matches the key, the rest is brought into chain order. ca_pem: what client certificates must
 * chain to. -EINVAL with the reason: no PEM, no key, key matches no certificate, leaf expired or
 * not yet valid.
 */
int tls_credentials_new(const char *server_pem, size_t server_pem_size_bytes, const char *ca_pem,
	size_t ca_pem_size_bytes, enum tls_version min_version,
	struct tls_credentials **ret_credentials, struct err *err);
struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials);
/* Accepts NULL. */
void tls_credentials_unref(struct tls_credentials *credentials);

/* Seconds since the epoch at which the server certificate expires; its subject, for the log. */
int64_t tls_credentials_expires_s(const struct tls_credentials *credentials);
const char *tls_credentials_subject(const struct tls_credentials *credentials);

/* For sys/http_server.c: the gnutls_certificate_credentials_t and the priority string. */
void *tls_credentials_gnutls(const struct tls_credentials *credentials);
const char *tls_credentials_priority(const struct tls_credentials *credentials);
