/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a listener ends TLS (model.md, "The JSON"): certificates, what is asked of clients, HSTS. A
 * plain checked value; its listener owns it. Certificates are names of uploaded PEM files. Used by
 * the agent and amphoractl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/certificate_name.h"
#include "model/tls.h"

enum { SNI_CERTIFICATES_MAX = 1024 };

enum client_authentication { CLIENT_AUTH_NONE, CLIENT_AUTH_OPTIONAL, CLIENT_AUTH_MANDATORY };

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

/* What a listener's protocol has to do with TLS. */
enum listener_tls_use {
	LISTENER_TLS_NEVER,
	LISTENER_TLS_OPTIONAL, /* PROMETHEUS: with a certificate, and without HSTS */
	LISTENER_TLS_ALWAYS,   /* TERMINATED_HTTPS */
	LISTENER_TLS_UNKNOWN,  /* the protocol is at fault: nothing can be said of TLS */
};

struct reader;

/*
 * Reads the listener's TLS keys; faults go to the reader's. Without a certificate, the first of
 * sni_certificates becomes the default one, which it is to HAProxy.
 */
void listener_tls_parse(
	struct reader *reader, enum listener_tls_use use, struct listener_tls *ret_tls);
void listener_tls_deinit(struct listener_tls *tls);
