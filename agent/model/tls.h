/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a listener offers to clients, or a pool to its members, when they speak TLS (model.md, "The
 * JSON"). A plain checked value; its listener or pool owns it. Used by the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>

enum tls_version {
	TLS_SSLV3,
	TLS_TLSV1,
	TLS_TLSV1_1,
	TLS_TLSV1_2,
	TLS_TLSV1_3,
	TLS_VERSION_COUNT,
};

struct tls {
	char *ciphers;                    /* OpenSSL's cipher list */
	bool versions[TLS_VERSION_COUNT]; /* which are spoken; at least one is */
	char *alpn_protocols;             /* "h2,http/1.1"; "": no ALPN */
};

struct reader;

/* Reads tls_ciphers, tls_versions and alpn_protocols, with Octavia's defaults for what is absent.
 */
void tls_parse(struct reader *reader, struct tls *ret_tls);
void tls_deinit(struct tls *tls);
