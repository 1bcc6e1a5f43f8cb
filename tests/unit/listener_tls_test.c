/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define AT "/listeners/0/"
#define TLS_MODEL(protocol, keys)                                                                  \
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': '" protocol                        \
	"', 'protocol_port': 443" keys "}]}"
#define HTTPS(keys)      TLS_MODEL("TERMINATED_HTTPS", ", 'certificate': 'web.pem'" keys)
#define PROMETHEUS(keys) TLS_MODEL("PROMETHEUS", keys)
#define NO_NAME                                                                                    \
	"certificate name is not valid: NAME.pem, at most 243 letters, digits, '_', '-' and '.', " \
	"not starting with '.'"
#define NEEDS_TLS                                                                                  \
	"has a meaning only where TLS ends: TERMINATED_HTTPS listeners, and PROMETHEUS ones with " \
	"a certificate"
#define NEEDS_HTTPS "has a meaning for TERMINATED_HTTPS listeners only"

static void a_certificate_is_enough(void **state)
{
	cleanup_model struct model_case model = model_parse(HTTPS(""));
	const struct listener_tls *tls = &model.load_balancer->listeners[0].tls;

	(void)state;
	assert_string_equal(tls->certificate.text, "web.pem");
	assert_int_equal(tls->sni_certificate_count, 0);
	assert_int_equal(tls->client_authentication, CLIENT_AUTH_NONE);
	assert_string_equal(tls->client_ca_certificate.text, "");
	assert_string_equal(tls->client_crl.text, "");
	assert_false(tls->has_hsts);
	assert_string_equal(tls->tls.alpn_protocols, "h2,http/1.1,http/1.0");
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		HTTPS(", 'sni_certificates': ['a.pem', 'b.pem'], 'client_authentication': "
		      "'OPTIONAL', 'client_ca_certificate': 'ca.pem', 'client_crl': 'crl.pem', "
		      "'tls_ciphers': 'HIGH', 'tls_versions': ['TLSv1.3'], 'alpn_protocols': "
		      "['h2'], 'hsts_max_age': 300, 'hsts_include_subdomains': true, "
		      "'hsts_preload': true"));
	const struct listener_tls *tls = &model.load_balancer->listeners[0].tls;

	(void)state;
	assert_string_equal(tls->certificate.text, "web.pem");
	assert_int_equal(tls->sni_certificate_count, 2);
	assert_string_equal(tls->sni_certificates[0].text, "a.pem");
	assert_string_equal(tls->sni_certificates[1].text, "b.pem");
	assert_int_equal(tls->client_authentication, CLIENT_AUTH_OPTIONAL);
	assert_string_equal(tls->client_ca_certificate.text, "ca.pem");
	assert_string_equal(tls->client_crl.text, "crl.pem");
	assert_string_equal(tls->tls.ciphers, "HIGH");
	assert_false(tls->tls.versions[TLS_TLSV1_2]);
	assert_string_equal(tls->tls.alpn_protocols, "h2");
	assert_true(tls->has_hsts);
	assert_int_equal(tls->hsts_max_age_s, 300);
	assert_true(tls->hsts_include_subdomains);
	assert_true(tls->hsts_preload);
	assert_int_equal(model.faults.warnings.count, 0);
}

static void a_certificate_is_required(void **state)
{
	static const char missing[] =
		AT "certificate: is required where TLS ends, unless there are sni_certificates";

	(void)state;
	assert_faults(TLS_MODEL("TERMINATED_HTTPS", ""), missing);
	assert_faults(TLS_MODEL("TERMINATED_HTTPS", ", 'certificate': ''"), missing);
	assert_faults(TLS_MODEL("TERMINATED_HTTPS", ", 'sni_certificates': []"), missing);
}

static void without_a_default_certificate_the_first_for_sni_is_it(void **state)
{
	cleanup_model struct model_case model = model_parse(
		TLS_MODEL("TERMINATED_HTTPS", ", 'sni_certificates': ['a.pem', 'b.pem', 'c.pem']"));
	const struct listener_tls *tls = &model.load_balancer->listeners[0].tls;
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_string_equal(tls->certificate.text, "a.pem");
	assert_int_equal(tls->sni_certificate_count, 2);
	assert_string_equal(tls->sni_certificates[0].text, "b.pem");
	assert_string_equal(tls->sni_certificates[1].text, "c.pem");
	assert_string_equal(warnings,
		AT "sni_certificates: stands without a certificate: clients that name no known "
		   "host get a.pem");
}

static void what_names_no_certificate_is_a_fault_where_it_stands(void **state)
{
	(void)state;
	assert_faults(TLS_MODEL("TERMINATED_HTTPS",
			      ", 'certificate': '../x.pem', 'sni_certificates': ['a.pem', 'b', 1], "
			      "'client_ca_certificate': 'ca.crt', 'client_crl': 'a b.pem'"),
		AT "certificate: " NO_NAME "\n" AT "sni_certificates/1: " NO_NAME "\n" AT
		   "sni_certificates/2: must be a text\n" AT "client_ca_certificate: " NO_NAME
		   "\n" AT "client_crl: " NO_NAME);
}

static void certificates_for_sni_are_so_many_at_most(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	buf_append_text(&text, "{'vip_address': '10.0.0.1', 'listeners': [{'protocol': "
			       "'TERMINATED_HTTPS', 'protocol_port': 443, 'certificate': 'a.pem', "
			       "'sni_certificates': ['0.pem'");
	for (unsigned i = 1; i < SNI_CERTIFICATES_MAX; i++)
		buf_append_format(&text, ", '%u.pem'", i);
	{
		cleanup_free char *most = xformat("%s]}]}", buf_text(&text));
		cleanup_free char *more = xformat("%s, 'x.pem']}]}", buf_text(&text));

		assert_faults(most, "");
		assert_faults(more, AT "sni_certificates: must name at most 1024 certificates");
	}
}

static void clients_are_authenticated_against_a_ca(void **state)
{
	(void)state;
	assert_faults(HTTPS(", 'client_authentication': 'MANDATORY', 'client_crl': 'crl.pem'"),
		AT "client_authentication: needs a client_ca_certificate\n" AT
		   "client_crl: needs a client_ca_certificate");
	assert_faults(HTTPS(", 'client_authentication': 'OPTIONAL', 'client_ca_certificate': "
			    "'ca.pem'"),
		"");
	assert_faults(HTTPS(", 'client_authentication': 'NONE', 'client_ca_certificate': "
			    "'ca.pem', 'client_crl': 'crl.pem'"),
		"");
	assert_faults(HTTPS(", 'client_authentication': 'SOMETIMES'"),
		AT "client_authentication: must be one of NONE, OPTIONAL, MANDATORY");
}

static void hsts_needs_its_age(void **state)
{
	cleanup_model struct model_case zero = model_parse(HTTPS(", 'hsts_max_age': 0"));

	(void)state;
	assert_true(zero.load_balancer->listeners[0].tls.has_hsts);
	assert_int_equal(zero.load_balancer->listeners[0].tls.hsts_max_age_s, 0);
	assert_faults(HTTPS(", 'hsts_include_subdomains': true, 'hsts_preload': true"),
		AT "hsts_include_subdomains: needs hsts_max_age\n" AT
		   "hsts_preload: needs hsts_max_age");
	assert_faults(
		HTTPS(", 'hsts_max_age': null, 'hsts_include_subdomains': false, 'hsts_preload': "
		      "false"),
		"");
	assert_faults(HTTPS(", 'hsts_max_age': -1"), AT "hsts_max_age: must be at least 0");
	assert_faults(HTTPS(", 'hsts_max_age': 2147483648"),
		AT "hsts_max_age: must be at most 2147483647");
}

#define ALL_KEYS                                                                                   \
	", 'sni_certificates': ['a.pem'], 'client_authentication': 'OPTIONAL', "                   \
	"'client_ca_certificate': 'ca.pem', 'client_crl': 'crl.pem', 'tls_ciphers': 'HIGH', "      \
	"'tls_versions': ['TLSv1.3'], 'alpn_protocols': ['h2'], 'hsts_max_age': 0, "               \
	"'hsts_include_subdomains': true, 'hsts_preload': true"

static void listeners_that_end_no_tls_have_no_keys_of_it(void **state)
{
	static const char *const protocols[] = {"HTTP", "HTTPS", "TCP", "UDP", "SCTP"};

	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		cleanup_free char *text = xformat(
			TLS_MODEL("%s", ", 'certificate': 'web.pem'" ALL_KEYS), protocols[i]);
		cleanup_free char *nothing = xformat(
			TLS_MODEL("%s", ", 'certificate': '', 'sni_certificates': [], "
					"'client_authentication': 'NONE', "
					"'client_ca_certificate': null, 'tls_ciphers': '', "
					"'tls_versions': [], 'alpn_protocols': [], 'hsts_max_age': "
					"null, 'hsts_preload': false"),
			protocols[i]);

		assert_faults(text, AT
			"certificate: " NEEDS_TLS "\n" AT "sni_certificates: " NEEDS_TLS "\n" AT
			"client_authentication: " NEEDS_TLS "\n" AT
			"client_ca_certificate: " NEEDS_TLS "\n" AT "client_crl: " NEEDS_TLS "\n" AT
			"hsts_max_age: " NEEDS_HTTPS "\n" AT "hsts_include_subdomains: " NEEDS_HTTPS
			"\n" AT "hsts_preload: " NEEDS_HTTPS);
		assert_faults(nothing, "");
	}
}

/* Octavia's API takes them from any listener. */
static void what_tls_would_be_like_is_a_warning_where_there_is_none(void **state)
{
	static const char unused[] = "has no effect: this listener ends no TLS";
	cleanup_model struct model_case model =
		model_parse(TLS_MODEL("HTTP", ", 'tls_ciphers': 'HIGH', 'tls_versions': "
					      "['TLSv1.3'], 'alpn_protocols': ['h2']"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);
	cleanup_free char *expected =
		xformat(AT "tls_ciphers: %s\n" AT "tls_versions: %s\n" AT "alpn_protocols: %s",
			unused, unused, unused);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(warnings, expected);
}

static void prometheus_speaks_tls_when_it_has_a_certificate(void **state)
{
	cleanup_model struct model_case plain = model_parse(PROMETHEUS(""));
	cleanup_model struct model_case model =
		model_parse(PROMETHEUS(", 'certificate': 'web.pem', 'client_authentication': "
				       "'MANDATORY', 'client_ca_certificate': 'ca.pem', "
				       "'tls_versions': [], 'alpn_protocols': []"));
	const struct listener_tls *tls = &model.load_balancer->listeners[0].tls;

	(void)state;
	assert_string_equal(plain.load_balancer->listeners[0].tls.certificate.text, "");
	assert_string_equal(tls->certificate.text, "web.pem");
	assert_int_equal(tls->client_authentication, CLIENT_AUTH_MANDATORY);
	assert_faults(PROMETHEUS(", 'client_ca_certificate': 'ca.pem', 'tls_ciphers': 'HIGH'"),
		AT "client_ca_certificate: " NEEDS_TLS);
	assert_faults(PROMETHEUS(", 'certificate': 'web.pem', 'hsts_max_age': 1"),
		AT "hsts_max_age: " NEEDS_HTTPS);
}

/* Octavia fills its defaults into TERMINATED_HTTPS listeners only. */
static void prometheus_has_no_defaults(void **state)
{
	cleanup_model struct model_case model =
		model_parse(PROMETHEUS(", 'sni_certificates': ['web.pem']"));
	const struct tls *tls = &model.load_balancer->listeners[0].tls.tls;

	(void)state;
	assert_string_equal(tls->ciphers, "");
	assert_string_equal(tls->alpn_protocols, "");
	for (size_t i = 0; i < TLS_VERSION_COUNT; i++)
		assert_true(tls->versions[i]);
}

static void a_protocol_that_is_at_fault_brings_no_faults_of_tls(void **state)
{
	(void)state;
	assert_faults(TLS_MODEL("HTTP2", ", 'certificate': 'web.pem'" ALL_KEYS),
		AT "protocol: must be one of HTTP, HTTPS, TCP, TERMINATED_HTTPS, PROMETHEUS, UDP, "
		   "SCTP");
	assert_faults(TLS_MODEL("HTTP2", ""),
		AT "protocol: must be one of HTTP, HTTPS, TCP, TERMINATED_HTTPS, PROMETHEUS, UDP, "
		   "SCTP");
}

static void keys_of_barbican_name_ours(void **state)
{
	(void)state;
	assert_faults(HTTPS(", 'default_tls_container_ref': 'x', 'sni_container_refs': ['x'], "
			    "'client_ca_tls_container_ref': 'x', 'client_crl_container_ref': 'x'"),
		AT "default_tls_container_ref: names a secret in Barbican, which an agent cannot "
		   "read: upload the PEM and name it in 'certificate'\n" AT
		   "sni_container_refs: names a secret in Barbican, which an agent cannot read: "
		   "upload the PEM and name it in 'sni_certificates'\n" AT
		   "client_ca_tls_container_ref: names a secret in Barbican, which an agent cannot "
		   "read: upload the PEM and name it in 'client_ca_certificate'\n" AT
		   "client_crl_container_ref: names a secret in Barbican, which an agent cannot "
		   "read: upload the PEM and name it in 'client_crl'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_enough),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(a_certificate_is_required),
		cmocka_unit_test(without_a_default_certificate_the_first_for_sni_is_it),
		cmocka_unit_test(what_names_no_certificate_is_a_fault_where_it_stands),
		cmocka_unit_test(certificates_for_sni_are_so_many_at_most),
		cmocka_unit_test(clients_are_authenticated_against_a_ca),
		cmocka_unit_test(hsts_needs_its_age),
		cmocka_unit_test(listeners_that_end_no_tls_have_no_keys_of_it),
		cmocka_unit_test(what_tls_would_be_like_is_a_warning_where_there_is_none),
		cmocka_unit_test(prometheus_speaks_tls_when_it_has_a_certificate),
		cmocka_unit_test(prometheus_has_no_defaults),
		cmocka_unit_test(a_protocol_that_is_at_fault_brings_no_faults_of_tls),
		cmocka_unit_test(keys_of_barbican_name_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
