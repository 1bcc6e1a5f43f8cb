/* SPDX-License-Identifier: Apache-2.0 */
/* Pools as backends: modes, persistence, checks, PROXY, TLS to the members, inserted headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render_case.h"

#define LISTENER(protocol, keys, pool)                                                             \
	"{'vip_address': '10.0.0.1', 'listeners': [{'id': 'L', 'protocol_port': 80, 'protocol': "  \
	"'" protocol "'" keys ", 'default_pool': {'id': 'P', 'lb_algorithm': 'ROUND_ROBIN', "      \
	"'members': [{'id': 'M', 'address': '10.0.1.4', 'protocol_port': 8080}], " pool "}}]}"
#define HTTP(pool) LISTENER("HTTP", "", "'protocol': 'HTTP', " pool)
#define TCP(pool)  LISTENER("TCP", "", "'protocol': 'TCP', " pool)
#define TERMINATED ", 'certificate': 'a.pem'"
#define MONITOR(type, keys)                                                                        \
	"'healthmonitor': {'type': '" type "', 'delay': 5, 'timeout': 3, 'max_retries': 2" keys "}"
#define CHECK_END " inter 5s fall 3 rise 2"
#define SERVER    "    server M 10.0.1.4:8080 weight 1"
#define TLS                                                                                        \
	"'tls_enabled': true, 'tls_ciphers': 'HIGH', 'tls_versions': ['TLSv1.2'], "                \
	"'alpn_protocols': ['h2', 'http/1.1']"
#define TLS_END                                                                                    \
	" sni ssl_fc_sni ciphers HIGH no-sslv3 no-tlsv10 no-tlsv11 no-tlsv13 alpn h2,http/1.1"

static void assert_server(const char *model, const char *words)
{
	cleanup_free char *text = render(model);
	cleanup_free char *line = xformat(SERVER "%s", words);

	assert_holds(text, line);
}

static void assert_renders(const char *model, const char *line)
{
	cleanup_free char *text = render(model);

	assert_holds(text, line);
}

static void each_algorithm_has_its_word(void **state)
{
	(void)state;
#define BALANCED(algorithm)                                                                        \
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TCP', 'protocol_port': 80, "      \
	"'default_pool': {'protocol': 'TCP', 'lb_algorithm': '" algorithm "'}}]}"
	assert_renders(BALANCED("ROUND_ROBIN"), "    balance roundrobin");
	assert_renders(BALANCED("LEAST_CONNECTIONS"), "    balance leastconn");
	assert_renders(BALANCED("SOURCE_IP"), "    balance source");
}

static void a_pool_of_proxy_speaks_what_its_listener_speaks(void **state)
{
	cleanup_free char *tcp = render(LISTENER("TCP", "", "'protocol': 'PROXY'"));
	cleanup_free char *http = render(LISTENER("HTTP", "", "'protocol': 'PROXY'"));

	(void)state;
	assert_holds(tcp, "backend P:L\n    mode tcp\n    balance roundrobin");
	assert_holds(http, "backend P:L\n    mode http\n    http-reuse safe\n"
			   "    balance roundrobin");
	assert_holds(tcp, SERVER " send-proxy");
}

static void proxy_version_2_tells_of_tls_where_there_is_some(void **state)
{
	(void)state;
	assert_server(LISTENER("HTTP", "", "'protocol': 'PROXYV2'"), " send-proxy-v2");
	assert_server(LISTENER("TERMINATED_HTTPS", TERMINATED, "'protocol': 'PROXYV2'"),
		" send-proxy-v2-ssl-cn");
}

static void a_shared_pool_has_each_listeners_words(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '10.0.0.1', 'pools': [{'id': 'P', 'protocol': 'PROXYV2', "
		"'lb_algorithm': 'ROUND_ROBIN', 'members': [{'id': 'M', 'address': '10.0.1.4', "
		"'protocol_port': 8080}]}], 'listeners': [{'id': 'A', 'protocol': "
		"'TERMINATED_HTTPS', 'protocol_port': 443, 'certificate': 'a.pem', "
		"'default_pool_id': 'P'}, {'id': 'B', 'protocol': 'HTTP', 'protocol_port': 80, "
		"'default_pool_id': 'P'}]}");

	(void)state;
	assert_before(text, SERVER " send-proxy-v2-ssl-cn\n", SERVER " send-proxy-v2\n");
}

static void a_source_sticks_to_its_member(void **state)
{
	cleanup_free char *text = render(TCP("'session_persistence': {'type': 'SOURCE_IP'}"));

	(void)state;
	assert_holds(text, "    stick-table type ipv6 size 10k\n    stick on src");
}

static void a_cookie_of_ours_names_the_member(void **state)
{
	cleanup_free char *text = render(HTTP("'session_persistence': {'type': 'HTTP_COOKIE'}"));

	(void)state;
	assert_holds(text, "    cookie SRV insert indirect nocache");
	assert_holds(text, SERVER " cookie M");
}

static void a_cookie_of_the_application_sticks(void **state)
{
#define APP_COOKIE(name)                                                                           \
	HTTP("'session_persistence': {'type': 'APP_COOKIE', 'cookie_name': '" name "'}")
	cleanup_free char *plain = render(APP_COOKIE("JSESSIONID"));
	cleanup_free char *odd = render(APP_COOKIE("a\\u0027%#$"));

	(void)state;
	assert_holds(plain, "    stick-table type string len 64 size 10k\n"
			    "    stick store-response res.cook(JSESSIONID)\n"
			    "    stick match req.cook(JSESSIONID)");
	assert_holds(odd, "    stick match req.cook(\\\"a\\'%\\#\\x24\\\")");
}

static void persistence_of_a_pair_is_shared(void **state)
{
	cleanup_free char *text = render(
		"{'id': 'lb', 'topology': 'ACTIVE_STANDBY', 'vip_address': '10.0.0.1', "
		"'subnet_cidr': '10.0.0.0/24', 'vrrp': "
		"{'group_name': 'g', 'virtual_router_id': 1, 'auth_type': 'PASS', 'auth_pass': "
		"'secret', 'advert_int': 1}, 'amphorae': [{'id': "
		"'795b929e-9a9a-40fd-aa7b-5bf55eb561a4', 'vrrp_ip': '10.0.0.2', 'vrrp_priority': "
		"100, 'vrrp_interface': 'eth1'}, {'id': 'c76abf43-6fa8-4dca-ac0a-e4e2f729b4c8', "
		"'vrrp_ip': '10.0.0.3', 'vrrp_priority': 90, 'vrrp_interface': 'eth1'}], "
		"'listeners': [{'protocol': 'TCP', 'protocol_port': 80, 'default_pool': "
		"{'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN', 'session_persistence': "
		"{'type': 'SOURCE_IP'}}}, {'protocol': 'HTTP', 'protocol_port': 81, "
		"'default_pool': {'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN', "
		"'session_persistence': {'type': 'APP_COOKIE', 'cookie_name': 'c'}}}]}");

	(void)state;
	assert_holds(text, "peers lb_peers\n"
			   "    peer " RENDER_PEER_NAME " 10.0.0.2:1025\n"
			   "    peer _hJTvHnUBFaqgHUFfdTNf01GgUQ 10.0.0.3:1025");
	assert_holds(text, "    stick-table type ipv6 size 10k peers lb_peers");
	assert_holds(text, "    stick-table type string len 64 size 10k peers lb_peers");
}

static void members_may_be_backups_and_checked_elsewhere(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TCP', 'protocol_port': "
		"80, 'default_pool': {'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN', "
		"'members': [{'id': 'M', 'address': '10.0.1.4', 'protocol_port': 8080, 'backup': "
		"true, 'weight': 256, 'admin_state_up': false, 'monitor_address': '2001:db8::5', "
		"'monitor_port': 9}], " MONITOR("TCP", "") "}}]}");

	(void)state;
	assert_holds(text, "    server M 10.0.1.4:8080 weight 256 check" CHECK_END
			   " addr [2001:db8::5] port 9 backup disabled");
}

static void without_a_monitor_nothing_of_a_check_is_left(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TCP', 'protocol_port': "
		"80, 'default_pool': {'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN', "
		"'members': [{'id': 'M', 'address': '10.0.1.4', 'protocol_port': 8080, "
		"'monitor_address': '10.0.1.5', 'monitor_port': 9}]}}]}");

	(void)state;
	assert_holds(text, SERVER);
}

static void an_https_monitor_asks_over_tls(void **state)
{
	cleanup_free char *plain = render(LISTENER(
		"HTTPS", "", "'protocol': 'HTTPS', " MONITOR("HTTPS", ", 'url_path': '/up'")));
	cleanup_free char *named = render(LISTENER("HTTPS", "",
		"'protocol': 'HTTPS', " MONITOR("HTTPS", ", 'http_version': 1.1, 'domain_name': "
							 "'www.example.org'")));

	(void)state;
	assert_holds(plain, "    option httpchk GET /up\n    http-check expect rstatus 200");
	assert_holds(plain, SERVER " check check-ssl" CHECK_END " verify none");
	assert_holds(named, "    http-check send hdr Host www.example.org");
	assert_holds(named,
		SERVER " check check-ssl check-sni www.example.org" CHECK_END " verify none");
}

/* What a CA was given for is not taken back by how the members are checked. */
static void no_check_ends_verification(void **state)
{
#define VERIFIED "'protocol': 'HTTP', " TLS ", 'ca_certificate': 'ca.pem'"
	(void)state;
	assert_server(LISTENER("HTTP", "", VERIFIED ", " MONITOR("HTTPS", "")),
		" check check-ssl check-alpn h2,http/1.1" CHECK_END
		" ssl ca-file PEM/ca.pem verify required" TLS_END);
	/* A name in the handshake would have to be in the certificate. */
	assert_server(LISTENER("HTTP", "",
			      VERIFIED ", " MONITOR("HTTPS", ", 'http_version': 1.1, 'domain_name':"
							     " 'www.example.org'")),
		" check check-ssl check-alpn h2,http/1.1" CHECK_END
		" ssl ca-file PEM/ca.pem verify required" TLS_END);
	assert_server(
		LISTENER("HTTP", "", VERIFIED), " ssl ca-file PEM/ca.pem verify required" TLS_END);
}

static void members_may_be_spoken_to_in_tls(void **state)
{
	(void)state;
	assert_server(HTTP(TLS), " ssl verify none" TLS_END);
	assert_server(HTTP(TLS ", 'client_certificate': 'a.pem', 'ca_certificate': 'ca.pem', "
			       "'crl': 'crl.pem'"),
		" ssl crt PEM/a.pem ca-file PEM/ca.pem crl-file PEM/crl.pem verify "
		"required" TLS_END);
	assert_server(HTTP(TLS ", " MONITOR("HTTP", "")),
		" check check-alpn h2,http/1.1" CHECK_END " ssl verify none" TLS_END);
}

static void a_tls_hello_monitor_wants_tls_for_an_answer(void **state)
{
	cleanup_free char *text =
		render(LISTENER("HTTPS", "", "'protocol': 'HTTPS', " MONITOR("TLS-HELLO", "")));

	(void)state;
	assert_non_null(strstr(text, "    option tcp-check\n    tcp-check send-binary 160301"));
	assert_holds(text, "    tcp-check expect rbinary ^1[56] min-recv 5 ok-status L6OK "
			   "error-status L6RSP tout-status L6TOUT");
	assert_holds(text, SERVER " check" CHECK_END);
}

static void a_tls_hello_monitor_of_a_tls_pool_makes_the_handshake(void **state)
{
	cleanup_free char *text = render(HTTP(TLS ", " MONITOR("TLS-HELLO", "")));

	(void)state;
	assert_lacks(text, "tcp-check");
	assert_holds(text, SERVER " check check-ssl check-alpn h2,http/1.1" CHECK_END
				  " ssl verify none" TLS_END);
}

static void a_ping_monitor_runs_a_command(void **state)
{
	cleanup_free char *text = render(TCP(MONITOR("PING", "")));
	cleanup_free char *tcp = render(TCP(MONITOR("TCP", "")));

	(void)state;
	assert_holds(text, "    external-check\n    insecure-fork-wanted");
	assert_holds(text, "    option external-check\n"
			   "    external-check command /var/lib/octavia/ping-wrapper.sh");
	assert_lacks(tcp, "external-check");
}

static void http_1_1_always_has_a_host(void **state)
{
	(void)state;
	assert_renders(HTTP(MONITOR("HTTP", ", 'http_version': 1.1")),
		"    option httpchk GET / HTTP/1.1\n    http-check send hdr Host 10.0.0.1");
	assert_renders(
		"{'vip_address': '2001:db8::1', 'listeners': [{'protocol': 'HTTP', "
		"'protocol_port': 80, 'default_pool': {'protocol': 'HTTP', "
		"'lb_algorithm': 'ROUND_ROBIN', " MONITOR("HTTP", ", 'http_version': 1.1") "}}]}",
		"    http-check send hdr Host [2001:db8::1]");
	assert_renders(HTTP(MONITOR("HTTP", ", 'http_version': 1.0")),
		"    option httpchk GET / HTTP/1.0\n    http-check expect rstatus 200");
}

static void a_path_is_no_format(void **state)
{
	(void)state;
	assert_renders(HTTP(MONITOR("HTTP", ", 'url_path': '/%5Bsrc%5D?a=%20'")),
		"    option httpchk GET /%5Bsrc%5D?a=%20");
}

static void what_is_new_may_start_down(void **state)
{
	cleanup_free char *checked = NULL, *unchecked = NULL;

	(void)state;
	options.members_start_down = true;
	/* HAProxy 3.1's word: the one here may be older. */
	checked = render_unchecked(TCP(MONITOR("TCP", "")));
	unchecked = render(TCP("'name': 'p'"));
	options.members_start_down = false;
	assert_holds(checked, SERVER " check" CHECK_END " init-state down");
	assert_lacks(unchecked, "init-state");
}

#define FORWARDED                                                                                  \
	", 'insert_headers': {'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true', "             \
	"'X-Forwarded-Proto': 'true'}"

static void a_listener_inserts_headers(void **state)
{
	cleanup_free char *http = render(LISTENER("HTTP", FORWARDED, "'protocol': 'HTTP'"));
	cleanup_free char *https =
		render(LISTENER("TERMINATED_HTTPS", TERMINATED FORWARDED, "'protocol': 'HTTP'"));
	cleanup_free char *proxy = render(LISTENER("HTTP", FORWARDED, "'protocol': 'PROXY'"));

	(void)state;
	assert_holds(http, "    option forwardfor\n"
			   "    http-request set-header X-Forwarded-Port %[dst_port]\n"
			   "    http-request set-header X-Forwarded-Proto http");
	assert_holds(https, "    http-request set-header X-Forwarded-Proto https");
	/* As in Octavia: who gets PROXY knows the client. */
	assert_lacks(proxy, "forwardfor");
	assert_lacks(proxy, "X-Forwarded-Port");
	assert_holds(proxy, "    http-request set-header X-Forwarded-Proto http");
}

static void a_listener_tells_of_the_clients_certificate(void **state)
{
	cleanup_free char *text = render(LISTENER("TERMINATED_HTTPS",
		TERMINATED
		", 'client_ca_certificate': 'ca.pem', 'client_authentication': 'OPTIONAL', "
		"'insert_headers': {'X-SSL-Client-Verify': 'true', 'X-SSL-Client-Has-Cert': "
		"'true', 'X-SSL-Client-DN': 'true', 'X-SSL-Client-CN': 'true', 'X-SSL-Issuer': "
		"'true', 'X-SSL-Client-SHA1': 'true', 'X-SSL-Client-Not-Before': 'true', "
		"'X-SSL-Client-Not-After': 'true'}",
		"'protocol': 'HTTP'"));

	(void)state;
	assert_holds(text,
		"    http-request set-header X-SSL-Client-Verify %[ssl_c_verify]\n"
		"    http-request set-header X-SSL-Client-Has-Cert %[ssl_c_used]\n"
		"    http-request set-header X-SSL-Client-DN %{+Q}[ssl_c_s_dn]\n"
		"    http-request set-header X-SSL-Client-CN %{+Q}[ssl_c_s_dn(cn)]\n"
		"    http-request set-header X-SSL-Issuer %{+Q}[ssl_c_i_dn]\n"
		"    http-request set-header X-SSL-Client-SHA1 %{+Q}[ssl_c_sha1,hex]\n"
		"    http-request set-header X-SSL-Client-Not-Before %{+Q}[ssl_c_notbefore]\n"
		"    http-request set-header X-SSL-Client-Not-After %{+Q}[ssl_c_notafter]");
}

static void websockets_live_as_long_as_clients_may_be_silent(void **state)
{
	(void)state;
	assert_renders(LISTENER("TERMINATED_HTTPS", TERMINATED ", 'timeout_client_data': 77",
			       "'protocol': 'HTTP'"),
		"    timeout tunnel 77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_has_its_word),
		cmocka_unit_test(a_pool_of_proxy_speaks_what_its_listener_speaks),
		cmocka_unit_test(proxy_version_2_tells_of_tls_where_there_is_some),
		cmocka_unit_test(a_shared_pool_has_each_listeners_words),
		cmocka_unit_test(a_source_sticks_to_its_member),
		cmocka_unit_test(a_cookie_of_ours_names_the_member),
		cmocka_unit_test(a_cookie_of_the_application_sticks),
		cmocka_unit_test(persistence_of_a_pair_is_shared),
		cmocka_unit_test(members_may_be_backups_and_checked_elsewhere),
		cmocka_unit_test(without_a_monitor_nothing_of_a_check_is_left),
		cmocka_unit_test(an_https_monitor_asks_over_tls),
		cmocka_unit_test(no_check_ends_verification),
		cmocka_unit_test(members_may_be_spoken_to_in_tls),
		cmocka_unit_test(a_tls_hello_monitor_wants_tls_for_an_answer),
		cmocka_unit_test(a_tls_hello_monitor_of_a_tls_pool_makes_the_handshake),
		cmocka_unit_test(a_ping_monitor_runs_a_command),
		cmocka_unit_test(http_1_1_always_has_a_host),
		cmocka_unit_test(a_path_is_no_format),
		cmocka_unit_test(what_is_new_may_start_down),
		cmocka_unit_test(a_listener_inserts_headers),
		cmocka_unit_test(a_listener_tells_of_the_clients_certificate),
		cmocka_unit_test(websockets_live_as_long_as_clients_may_be_silent),
	};

	return cmocka_run_group_tests(tests, render_setup, render_teardown);
}
