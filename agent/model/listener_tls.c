/* SPDX-License-Identifier: Apache-2.0 */
#include "model/listener_tls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/reader.h"

#define NEEDS_TLS                                                                                  \
	"has a meaning only where TLS ends: TERMINATED_HTTPS listeners, and PROMETHEUS ones with " \
	"a certificate"
#define NEEDS_HTTPS "has a meaning for TERMINATED_HTTPS listeners only"

/* Of listeners that end no TLS. */
static const struct refused_key keys_of_tls[] = {
	{"certificate", NEEDS_TLS},
	{"sni_certificates", NEEDS_TLS},
	{"client_authentication", NEEDS_TLS},
	{"client_ca_certificate", NEEDS_TLS},
	{"client_crl", NEEDS_TLS},
	{NULL, NULL},
};
/* Octavia's API takes these from any listener, and stores them. */
#define IGNORED_WITHOUT_TLS "has no effect: this listener ends no TLS"
static const struct refused_key ignored_keys_of_tls[] = {
	{"tls_ciphers", IGNORED_WITHOUT_TLS},
	{"tls_versions", IGNORED_WITHOUT_TLS},
	{"alpn_protocols", IGNORED_WITHOUT_TLS},
	{NULL, NULL},
};

static const struct refused_key keys_of_hsts[] = {
	{"hsts_max_age", NEEDS_HTTPS},
	{"hsts_include_subdomains", NEEDS_HTTPS},
	{"hsts_preload", NEEDS_HTTPS},
	{NULL, NULL},
};

static const struct choice client_authentications[] = {
	{"NONE", CLIENT_AUTH_NONE},
	{"OPTIONAL", CLIENT_AUTH_OPTIONAL},
	{"MANDATORY", CLIENT_AUTH_MANDATORY},
	{NULL, 0},
};

static void read_sni_certificates(struct reader *reader, struct listener_tls *tls)
{
	struct reader_list list;
	size_t size;

	if (!reader_enter_list(reader, "sni_certificates", &list))
		return;
	size = reader_list_size(&list);
	if (size > SNI_CERTIFICATES_MAX) {
		reader_fault(reader, "sni_certificates", "must name at most %d certificates",
			SNI_CERTIFICATES_MAX);
		return;
	}
	tls->sni_certificates = xcalloc(size, sizeof(*tls->sni_certificates));
	while (reader_list_next_certificate(
		&list, &tls->sni_certificates[tls->sni_certificate_count]))
		tls->sni_certificate_count++;
}

/* Octavia's API takes such a listener, and its template then leaves TLS out: a known mistake. */
static void promote_sni_certificate(struct reader *reader, struct listener_tls *tls)
{
	tls->certificate = tls->sni_certificates[0];
	tls->sni_certificate_count--;
	memmove(tls->sni_certificates, tls->sni_certificates + 1,
		tls->sni_certificate_count * sizeof(*tls->sni_certificates));
	reader_warn(reader, "sni_certificates",
		"stands without a certificate: clients that name no known host get %s",
		tls->certificate.text);
}

static void read_certificates(struct reader *reader, struct listener_tls *tls)
{
	bool has_default = reader_says(reader, "certificate");

	reader_certificate(reader, "certificate", &tls->certificate);
	read_sni_certificates(reader, tls);
	if (!has_default && tls->sni_certificate_count > 0)
		promote_sni_certificate(reader, tls);
	else if (!has_default && !reader_says(reader, "sni_certificates"))
		reader_fault(reader, "certificate",
			"is required where TLS ends, unless there are sni_certificates");
}

static void read_client_authentication(struct reader *reader, struct listener_tls *tls)
{
	static const char needs_ca[] = "needs a client_ca_certificate";

	tls->client_authentication = (enum client_authentication)reader_choice(
		reader, "client_authentication", client_authentications, CLIENT_AUTH_NONE);
	reader_certificate(reader, "client_ca_certificate", &tls->client_ca_certificate);
	reader_certificate(reader, "client_crl", &tls->client_crl);
	if (reader_says(reader, "client_ca_certificate"))
		return;
	if (tls->client_authentication != CLIENT_AUTH_NONE)
		reader_fault(reader, "client_authentication", "%s", needs_ca);
	if (reader_says(reader, "client_crl"))
		reader_fault(reader, "client_crl", "%s", needs_ca);
}

static bool read_hsts_flag(struct reader *reader, const char *key)
{
	bool flag = reader_flag(reader, key, false);

	if (flag && !reader_has(reader, "hsts_max_age"))
		reader_fault(reader, key, "needs hsts_max_age");
	return flag;
}

static void read_hsts(struct reader *reader, struct listener_tls *tls)
{
	long max_age_s = reader_seconds(reader, "hsts_max_age", 0, INT32_MAX, -1);

	tls->has_hsts = max_age_s >= 0;
	tls->hsts_max_age_s = tls->has_hsts ? (unsigned)max_age_s : 0;
	tls->hsts_include_subdomains = read_hsts_flag(reader, "hsts_include_subdomains");
	tls->hsts_preload = read_hsts_flag(reader, "hsts_preload");
}

static void skip_keys(struct reader *reader, const struct refused_key keys[])
{
	for (; keys->key; keys++)
		reader_has(reader, keys->key);
}

void listener_tls_parse(
	struct reader *reader, enum listener_tls_use use, struct listener_tls *ret_tls)
{
	*ret_tls = (struct listener_tls){0};
	if (use == LISTENER_TLS_UNKNOWN) {
		skip_keys(reader, keys_of_tls);
		skip_keys(reader, ignored_keys_of_tls);
		skip_keys(reader, keys_of_hsts);
		return;
	}
	if (use == LISTENER_TLS_OPTIONAL && !reader_says(reader, "certificate") &&
		!reader_says(reader, "sni_certificates"))
		use = LISTENER_TLS_NEVER;
	if (use == LISTENER_TLS_NEVER) {
		reader_refuse(reader, keys_of_tls);
		reader_ignore(reader, ignored_keys_of_tls);
	} else {
		read_certificates(reader, ret_tls);
		read_client_authentication(reader, ret_tls);
		tls_parse(reader,
			use == LISTENER_TLS_ALWAYS ? TLS_DEFAULTS_OCTAVIA : TLS_DEFAULTS_NONE,
			&ret_tls->tls);
	}
	if (use == LISTENER_TLS_ALWAYS)
		read_hsts(reader, ret_tls);
	else
		reader_refuse(reader, keys_of_hsts);
}

void listener_tls_deinit(struct listener_tls *tls)
{
	free(tls->sni_certificates);
	tls_deinit(&tls->tls);
}
