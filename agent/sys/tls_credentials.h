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
 * server_pem: certificate(s) and one private key that is not encrypted (RSA, EC or Ed25519, PKCS#8
 * or traditional), blocks in any order, others between them ignored. The leaf is the certificate
 * that matches the key, the rest is brought into chain order. ca_pem: one or more certificates that
 * client certificates must chain to. -EINVAL with the reason: no PEM, no key, key matches no
 * certificate, leaf expired, no CA certificate.
 *
 * A leaf that is not valid yet is accepted: controllers send one as soon as it is made, and to a
 * machine whose clock is a second behind it lies in the future. The client judges, by its own
 * clock.
 */
int tls_credentials_new(const char *server_pem, size_t server_pem_size_bytes, const char *ca_pem,
	size_t ca_pem_size_bytes, enum tls_version min_version,
	struct tls_credentials **ret_credentials, struct err *err);
struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials);
/* Accepts NULL. */
void tls_credentials_unref(struct tls_credentials *credentials);

/* When the server certificate becomes valid, and when it expires: seconds since the epoch. */
int64_t tls_credentials_valid_from_s(const struct tls_credentials *credentials);
int64_t tls_credentials_expires_s(const struct tls_credentials *credentials);
/* Its subject, for the log. */
const char *tls_credentials_subject(const struct tls_credentials *credentials);

/* What a gnutls_session_t points to. The two calls below are for sys/http_server.c. */
struct gnutls_session_int;

/*
 * Prepares a fresh server session: identity, CA, protocol versions, and that the peer must show a
 * certificate. The caller keeps a reference for as long as the session lives. 0 or -ENOMEM.
 */
int tls_credentials_apply(
	const struct tls_credentials *credentials, struct gnutls_session_int *session);

/*
 * Whether the certificate that the peer of a session has shown chains to the CA and is valid now,
 * to be asked within the handshake (gnutls_session_set_verify_function). 0, or -EACCES with its
 * subject and what is wrong with it. Extensions that old controllers' certificates lack (key
 * identifiers, key usages) are not asked for; one that says it is not for clients is refused.
 */
int tls_credentials_verify_peer(struct gnutls_session_int *session, struct err *err);
