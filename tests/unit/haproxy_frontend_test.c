/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners as frontends: binds, TLS, who may connect, PROMETHEUS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/crt_list.h"
#include "render_case.h"

#define ONE_LISTENER(keys)                                                                         \
	"{'vip_address': '10.0.0.1', 'listeners': [{'id': 'L', 'protocol_port': 80, " keys "}]}"
#define TERMINATED(keys)                                                                           \
	ONE_LISTENER("'protocol': 'TERMINATED_HTTPS', 'certificate': 'a.pem', 'tls_ciphers': "     \
		     "'HIGH', 'alpn_protocols': ['h2', 'http/1.1']" keys)
#define BIND_START "    bind 10.0.0.1:80 ssl crt PEM/a.pem"
#define BIND_END   " ciphers HIGH no-sslv3 no-tlsv10 no-tlsv11 alpn h2,http/1.1"

static void each_vip_is_bound(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '10.0.0.1', 'additional_vips': [{'ip_address': '10.0.0.2'}, "
		"{'ip_address': '2001:db8::1'}], 'listeners': [{'id': 'L', 'protocol': 'TCP', "
		"'protocol_port': 80}]}");

	(void)state;
	assert_holds(text, "    bind 10.0.0.1:80\n    bind 10.0.0.2:80\n"
			   "    bind [2001:db8::1]:80");
}

static void https_is_passed_through(void **state)
{
	cleanup_free char *text = render(ONE_LISTENER("'protocol': 'HTTPS'"));

	(void)state;
	assert_holds(text, "    bind 10.0.0.1:80\n    mode tcp");
	assert_lacks(text, "ssl crt");
	assert_lacks(text, "redirect");
	assert_lacks(text, "%ST");
}

static void a_terminating_listener_speaks_tls_and_http(void **state)
{
	cleanup_free char *text = render(TERMINATED(""));

	(void)state;
	assert_holds(text, BIND_START BIND_END);
	assert_holds(text, "    mode http");
	assert_holds(text, "    redirect scheme https if !{ ssl_fc }");
	assert_lacks(text, "Strict-Transport-Security");
	assert_lacks(text, " verify ");
	assert_non_null(strstr(text, "%{+Q}r %ST"));
}

static void each_bind_speaks_tls(void **state)
{
	cleanup_free char *text =
		render("{'vip_address': '10.0.0.1', 'additional_vips': [{'ip_address': "
		       "'10.0.0.2'}], 'listeners': [{'id': 'L', 'protocol': 'TERMINATED_HTTPS', "
		       "'protocol_port': 80, 'certificate': 'a.pem', 'tls_ciphers': 'HIGH', "
		       "'alpn_protocols': ['h2', 'http/1.1']}]}");

	(void)state;
	assert_holds(text, BIND_START BIND_END);
	assert_holds(text, "    bind 10.0.0.2:80 ssl crt PEM/a.pem" BIND_END);
}

static void certificates_stand_in_order_default_first(void **state)
{
	cleanup_free char *text = render(TERMINATED(", 'sni_certificates': ['ca.pem', 'b.pem']"));

	(void)state;
	assert_holds(text, BIND_START " crt PEM/ca.pem crt PEM/b.pem" BIND_END);
}

/* A listener with that many certificates for SNI, beside its default one. */
static char *with_sni_certificates(unsigned count)
{
	cleanup_buf struct buf names = BUF_INIT(64 * KIB);

	for (unsigned i = 0; i < count; i++) {
		cleanup_free char *name = xformat("sni-%u.pem", i);
		cleanup_free char *path = pem_path(name), *a = pem_path("a.pem");
		struct err err = ERR_NONE;
		cleanup_buf struct buf pem = BUF_INIT(64 * KIB);

		assert_int_equal(file_read(a, &pem, &err), 0);
		pem_write(name, buf_text(&pem));
		buf_append_format(&names, "%s'%s'", i ? ", " : "", name);
	}
	return xformat(TERMINATED(", 'client_ca_certificate': 'ca.pem', 'client_crl': 'crl.pem', "
				  "'client_authentication': 'MANDATORY', 'tls_versions': "
				  "['TLSv1.3'], 'sni_certificates': [%s]"),
		buf_text(&names));
}

static void as_many_certificates_as_a_line_takes_stand_on_it(void **state)
{
	cleanup_free char *model = with_sni_certificates(19);
	cleanup_free char *text = render(model);

	(void)state;
	assert_non_null(strstr(text, "/sni-18.pem"));
	assert_lacks(text, "crt-list");
}

static void more_certificates_are_a_list_named_after_its_content(void **state)
{
	cleanup_free char *json = with_sni_certificates(20);
	cleanup_model struct model_case model = model_parse(json);
	cleanup_free char *folder = xformat("%s/certs/lb", render_folder);
	cleanup_buf struct buf list = BUF_INIT(CRT_LIST_MAX_BYTES), again = BUF_INIT(KIB);
	cleanup_free char *line = NULL, *text = NULL, *first_lines = NULL;
	struct certificate_name name, other;

	(void)state;
	assert_non_null(model.load_balancer);
	assert_true(crt_list_is_needed(&model.load_balancer->listeners[0]));
	crt_list_render(&model.load_balancer->listeners[0], folder, &list, &name);
	pem_write(name.text, buf_text(&list));
	text = render(json);
	line = xformat(
		"    bind 10.0.0.1:80 ssl crt-list PEM/%s ca-file PEM/ca.pem verify required "
		"crl-file PEM/crl.pem ciphers HIGH no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 "
		"alpn h2,http/1.1",
		name.text);
	assert_holds(text, line);
	first_lines = xformat("%s/a.pem\n%s/sni-0.pem\n%s/sni-1.pem\n", folder, folder, folder);
	assert_true(text_starts_with(buf_text(&list), first_lines));

	model.load_balancer->listeners[0].tls.sni_certificate_count = 1;
	crt_list_render(&model.load_balancer->listeners[0], folder, &again, &other);
	assert_string_not_equal(name.text, other.text);
	model.load_balancer->listeners[0].tls.sni_certificate_count = 20;
}

static void clients_may_have_to_show_a_certificate(void **state)
{
#define CLIENT_CA ", 'client_ca_certificate': 'ca.pem', 'client_authentication': "
	cleanup_free char *none = render(TERMINATED(CLIENT_CA "'NONE'"));
	cleanup_free char *optional = render(TERMINATED(CLIENT_CA "'OPTIONAL'"));
	cleanup_free char *mandatory =
		render(TERMINATED(CLIENT_CA "'MANDATORY', 'client_crl': 'crl.pem'"));

	(void)state;
	assert_holds(none, BIND_START " ca-file PEM/ca.pem verify none" BIND_END);
	assert_holds(optional, BIND_START " ca-file PEM/ca.pem verify optional" BIND_END);
	assert_holds(mandatory,
		BIND_START " ca-file PEM/ca.pem verify required crl-file PEM/crl.pem" BIND_END);
}

static void only_the_versions_that_are_named_are_spoken(void **state)
{
	cleanup_free char *old = render(TERMINATED(", 'tls_versions': ['TLSv1', 'TLSv1.3']"));
	cleanup_free char *new = render(TERMINATED(", 'tls_versions': ['TLSv1.3']"));

	(void)state;
	assert_holds(old, BIND_START " ciphers HIGH no-sslv3 no-tlsv11 no-tlsv12 alpn "
				     "h2,http/1.1");
	assert_holds(new, BIND_START " ciphers HIGH no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 alpn "
				     "h2,http/1.1");
}

static void hsts_is_on_every_answer(void **state)
{
	cleanup_free char *plain = render(TERMINATED(", 'hsts_max_age': 0"));
	cleanup_free char *full = render(TERMINATED(
		", 'hsts_max_age': 31536000, 'hsts_include_subdomains': true, 'hsts_preload': "
		"true"));

	(void)state;
	assert_holds(plain,
		"    http-after-response set-header Strict-Transport-Security \"max-age=0;\"");
	assert_holds(full, "    http-after-response set-header Strict-Transport-Security "
			   "\"max-age=31536000; includeSubDomains; preload;\"");
}

static void a_prometheus_listener_asks_the_proxy(void **state)
{
	cleanup_free char *text = render(ONE_LISTENER("'protocol': 'PROMETHEUS'"));

	(void)state;
	assert_holds(text, "frontend L\n    maxconn 50000\n    bind 10.0.0.1:80\n    mode http\n"
			   "    default_backend prometheus-exporter-internal");
	assert_holds(text, "frontend prometheus-exporter-internal-endpoint\n"
			   "    bind 127.0.0.1:9101\n    mode http\n    no log\n"
			   "    http-request use-service prometheus-exporter if { path /metrics }\n"
			   "    http-request reject\n    timeout http-request 5s\n"
			   "    timeout client 5s\n\n"
			   "backend prometheus-exporter-internal\n    mode http\n    no log\n"
			   "    balance first\n    timeout connect 5s\n    timeout server 5s\n"
			   "    server prometheus-internal 127.0.0.1:9102");
	assert_lacks(text, "%ST");
	assert_lacks(text, "ssl crt");
}

static void without_a_proxy_a_prometheus_listener_asks_nobody(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	options.prometheus_port = 0;
	text = render(ONE_LISTENER("'protocol': 'PROMETHEUS'"));
	options.prometheus_port = RENDER_PROMETHEUS_PORT;
	assert_lacks(text, "server prometheus-internal");
	assert_holds(text, "    default_backend prometheus-exporter-internal");
}

static void who_is_not_allowed_is_turned_away(void **state)
{
	cleanup_free char *text =
		render(ONE_LISTENER("'protocol': 'TCP', 'allowed_cidrs': ['10.1.0.0/16', "
				    "'192.0.2.1/32']"));
	cleanup_free char *everybody = render(ONE_LISTENER("'protocol': 'TCP'"));

	(void)state;
	assert_holds(text, "    acl client.allowed src 10.1.0.0/16 192.0.2.1/32\n"
			   "    tcp-request connection reject unless client.allowed");
	assert_lacks(everybody, "client.allowed");
}

static void as_many_may_be_allowed_as_one_likes(void **state)
{
	cleanup_buf struct buf cidrs = BUF_INIT(64 * KIB);
	cleanup_free char *json = NULL, *text = NULL;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_append_format(&cidrs, "%s'10.%u.0.0/16'", i ? ", " : "", i);
	json = xformat(ONE_LISTENER("'protocol': 'TCP', 'allowed_cidrs': [%s]"), buf_text(&cidrs));
	text = render(json);
	assert_non_null(strstr(text, "\n    acl client.allowed src 10.0.0.0/16 "));
	assert_non_null(strstr(text, " 10.199.0.0/16\n    tcp-request connection reject "));
}

static void lvs_listeners_are_not_haproxys(void **state)
{
	cleanup_free char *text =
		render("{'vip_address': '10.0.0.1', 'listeners': [{'id': 'U', 'protocol': 'UDP', "
		       "'protocol_port': 53, 'connection_limit': 7}, {'id': 'S', 'protocol': "
		       "'SCTP', 'protocol_port': 54}, {'id': 'T', 'protocol': 'TCP', "
		       "'protocol_port': 53, 'connection_limit': 5}]}");

	(void)state;
	assert_holds(text, "    maxconn 5");
	assert_lacks(text, "frontend U");
	assert_lacks(text, "frontend S");
	assert_holds(text, "frontend T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vip_is_bound),
		cmocka_unit_test(https_is_passed_through),
		cmocka_unit_test(a_terminating_listener_speaks_tls_and_http),
		cmocka_unit_test(each_bind_speaks_tls),
		cmocka_unit_test(certificates_stand_in_order_default_first),
		cmocka_unit_test(as_many_certificates_as_a_line_takes_stand_on_it),
		cmocka_unit_test(more_certificates_are_a_list_named_after_its_content),
		cmocka_unit_test(clients_may_have_to_show_a_certificate),
		cmocka_unit_test(only_the_versions_that_are_named_are_spoken),
		cmocka_unit_test(hsts_is_on_every_answer),
		cmocka_unit_test(a_prometheus_listener_asks_the_proxy),
		cmocka_unit_test(without_a_proxy_a_prometheus_listener_asks_nobody),
		cmocka_unit_test(who_is_not_allowed_is_turned_away),
		cmocka_unit_test(as_many_may_be_allowed_as_one_likes),
		cmocka_unit_test(lvs_listeners_are_not_haproxys),
	};

	return cmocka_run_group_tests(tests, render_setup, render_teardown);
}
