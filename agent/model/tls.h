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
	char *ciphers;                    /* OpenSSL's cipher list; "": the library's own default */
	bool versions[TLS_VERSION_COUNT]; /* which are not excluded; at least one is not */
	char *alpn_protocols;             /* "h2,http/1.1"; "": no ALPN */
};

/* What stands for the keys that are absent. */
enum tls_defaults {
	TLS_DEFAULTS_OCTAVIA, /* its cipher list, TLS 1.2 and 1.3, h2 and http/1.1 and 1.0 */
	TLS_DEFAULTS_NONE,    /* no ciphers, no ALPN and no version excluded: HAProxy's own */
};

struct reader;

/*
 * Reads tls_ciphers, tls_versions and alpn_protocols; faults go to the reader's. Octavia's API
 * fills its defaults into listeners of TERMINATED_HTTPS and pools with TLS, not into PROMETHEUS
 * listeners (octavia/db/prepare.py). An empty text says nothing. An empty list does so without
 * defaults, where Octavia's answers show one, and else is a fault.
 */
void tls_parse(struct reader *reader, enum tls_defaults defaults, struct tls *ret_tls);
void tls_deinit(struct tls *tls);
