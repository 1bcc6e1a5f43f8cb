/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "render_case.h"

static const char smallest[] =
	"{'vip_address': '10.0.0.10', 'project_id': 'p', 'listeners': [{'id': 'L', 'protocol': "
	"'TCP', "
	"'protocol_port': 80, 'default_pool': {'id': 'P', 'protocol': 'TCP', 'lb_algorithm': "
	"'ROUND_ROBIN', 'members': [{'id': 'M', 'address': '10.0.1.4', 'protocol_port': 8080}, "
	"{'id': "
	"'N', 'address': '10.0.1.5', 'protocol_port': 8080}], 'healthmonitor': {'type': 'TCP', "
	"'delay': "
	"'1m', 'timeout': '30s', 'max_retries': 3}}}]}";

static const char smallest_rendered[] =
	"# Rendered by amphora-agent from model 0123456789abcdef0123456789abcdef\n"
	"# Configuration for load balancer lb\n"
	"global\n"
	"    daemon\n"
	"    user nobody\n"
	"    log /run/rsyslog/octavia/log local0\n"
	"    log /run/rsyslog/octavia/log local1 notice\n"
	"    stats socket /var/lib/octavia/lb.sock mode 0666 level user\n"
	"    server-state-file /var/lib/octavia/lb/servers-state\n"
	"    maxconn 50000\n"
	"\n"
	"defaults\n"
	"    log global\n"
	"    retries 3\n"
	"    option redispatch\n"
	"    option splice-request\n"
	"    option splice-response\n"
	"    option http-keep-alive\n"
	"\n"
	"frontend L\n"
	"    maxconn 50000\n"
	"    bind 10.0.0.10:80\n"
	"    mode tcp\n"
	"    default_backend P:L\n"
	"    timeout client 50000\n"
	"    log-format \"p lb %f %ci %cp %t - - %B %U %[ssl_c_verify] %{+Q}[ssl_c_s_dn] %b %s %Tt "
	"%tsc\"\n"
	"\n"
	"backend P:L\n"
	"    mode tcp\n"
	"    balance roundrobin\n"
	"    load-server-state-from-file global\n"
	"    timeout check 30s\n"
	"    fullconn 50000\n"
	"    option allbackups\n"
	"    timeout connect 5000\n"
	"    timeout server 50000\n"
	"    server M 10.0.1.4:8080 weight 1 check inter 60s fall 3 rise 3\n"
	"    server N 10.0.1.5:8080 weight 1 check inter 60s fall 3 rise 3\n";

static void the_smallest_useful_model_is_this_text(void **state)
{
	cleanup_free char *text = render(smallest);

	(void)state;
	assert_string_equal(text, smallest_rendered);
}

#define HTTP_MONITOR(keys) MONITOR_MODEL(", 'type': 'HTTP'" keys)

static void an_http_listener_gets_what_http_needs(void **state)
{
	cleanup_free char *text =
		render(LISTENER_MODEL(", 'timeout_client_data': 7, 'timeout_member_data': 8, "
				      "'timeout_member_connect': 9, 'connection_limit': 10, "
				      "'default_pool': {'protocol': 'HTTP', 'lb_algorithm': "
				      "'ROUND_ROBIN'}"));

	(void)state;
	assert_holds(text, "    mode http");
	assert_holds(text, "    http-reuse safe");
	assert_holds(text, "    timeout client 7");
	assert_holds(text, "    timeout tunnel 7");
	assert_holds(text, "    timeout server 8");
	assert_holds(text, "    timeout connect 9");
	assert_holds(text, "    fullconn 10");
	assert_holds(text, "    log-format \"- lb %f %ci %cp %t %{+Q}r %ST %B %U %[ssl_c_verify] "
			   "%{+Q}[ssl_c_s_dn] %b %s %Tt %tsc\"");
	assert_lacks(text, " check");
	assert_lacks(text, "load-server-state");
}

static void a_tcp_listener_with_an_http_pool_has_both_modes(void **state)
{
	cleanup_free char *text =
		render("{'vip_address': '10.0.0.1', 'listeners': [{'id': 'L', 'protocol': 'TCP', "
		       "'protocol_port': 1, 'timeout_tcp_inspect': 5, 'default_pool': {'id': 'P', "
		       "'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN'}}]}");

	(void)state;
	assert_holds(text, "frontend L\n    maxconn 50000\n    bind 10.0.0.1:1\n    mode tcp");
	assert_holds(text, "backend P:L\n    mode http\n    http-reuse safe");
	assert_holds(text, "    tcp-request inspect-delay 5");
	assert_lacks(text, "timeout tunnel");
}

static void an_http_check_asks_what_the_monitor_says(void **state)
{
	cleanup_free char *plain = render(HTTP_MONITOR(""));
	cleanup_free char *full = render(HTTP_MONITOR(
		", 'http_method': 'OPTIONS', 'url_path': '/a?b=1&c', 'http_version': 1.1, "
		"'domain_name': 'www.example.org', 'expected_codes': '204,200'"));

	(void)state;
	assert_holds(plain, "    option httpchk GET /");
	assert_holds(plain, "    http-check expect rstatus 200");
	assert_holds(full, "    option httpchk OPTIONS /a?b=1&c HTTP/1.1");
	assert_holds(full, "    http-check send hdr Host www.example.org");
	assert_holds(full, "    http-check expect rstatus 200|204");
}

static void ipv6_addresses_stand_in_brackets(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '2001:DB8::0:1', 'listeners': [{'protocol': 'TCP', "
		"'protocol_port': "
		"80, 'default_pool': {'protocol': 'TCP', 'lb_algorithm': 'ROUND_ROBIN', 'members': "
		"[{'id': 'M', 'address': '2001:db8::2', 'protocol_port': 8080}]}}]}");

	(void)state;
	assert_holds(text, "    bind [2001:db8::1]:80");
	assert_holds(text, "    server M [2001:db8::2]:8080 weight 1");
}

static void what_is_down_is_not_there_or_disabled(void **state)
{
	static const char pool[] = "'default_pool': {'protocol': 'HTTP', 'lb_algorithm': "
				   "'ROUND_ROBIN', 'admin_state_up': false}";
	cleanup_free char *without_pool = xformat(LISTENER_MODEL(", %s"), pool);
	cleanup_free char *pool_down = render(without_pool);
	cleanup_free char *listener_down = render(LISTENER_MODEL(", 'admin_state_up': false"));
	cleanup_free char *all_down =
		render("{'vip_address': '10.0.0.1', 'admin_state_up': false, "
		       "'listeners': [{'protocol': 'TCP', 'protocol_port': 1, "
		       "'connection_limit': 3}]}");
	cleanup_free char *member_down =
		render(MEMBERS_MODEL("{'id': 'M', 'address': '10.0.0.4', 'protocol_port': 80, "
				     "'admin_state_up': false}"));
	cleanup_free char *monitor_down =
		render(MONITOR_MODEL(", 'type': 'TCP', 'admin_state_up': false"));

	(void)state;
	assert_lacks(pool_down, "backend");
	assert_lacks(listener_down, "frontend");
	assert_holds(listener_down, "    maxconn 1000000");
	assert_lacks(all_down, "frontend");
	assert_lacks(all_down, "bind");
	assert_holds(all_down, "    maxconn 3");
	assert_holds(member_down, "    server M 10.0.0.4:80 weight 1 disabled");
	assert_lacks(monitor_down, "check");
}

static void a_shared_pool_has_a_backend_for_each_listener(void **state)
{
	cleanup_free char *text = render(
		"{'vip_address': '10.0.0.1', 'pools': [{'id': 'P', 'protocol': 'TCP', "
		"'lb_algorithm': "
		"'ROUND_ROBIN', 'members': [{'id': 'M', 'address': '10.0.0.4', 'protocol_port': "
		"80}]}], "
		"'listeners': [{'id': 'A', 'protocol': 'TCP', 'protocol_port': 1, "
		"'default_pool_id': "
		"'P', 'connection_limit': 1}, {'id': 'B', 'protocol': 'TCP', 'protocol_port': 2, "
		"'default_pool_id': 'P', 'connection_limit': 2}]}");

	(void)state;
	assert_holds(text, "backend P:A");
	assert_holds(text, "backend P:B");
	assert_holds(text, "    maxconn 3");
	assert_non_null(strstr(strstr(text, "    server M ") + 1, "    server M "));
}

static void checks_may_be_quicker_than_a_second_apart(void **state)
{
	cleanup_free char *text =
		render(MEMBERS_MODEL("{'id': 'M', 'address': '10.0.0.4', "
				     "'protocol_port': 80}], 'healthmonitor': "
				     "{'type': 'TCP', 'delay': '2500ms', 'timeout': "
				     "'1500ms', 'max_retries': 1}, 'tags': ["));

	(void)state;
	assert_holds(text, "    timeout check 1500ms");
	assert_holds(text, "    server M 10.0.0.4:80 weight 1 check inter 2500ms fall 3 rise 1");
}

static void hostile_texts_stay_in_their_place(void **state)
{
	cleanup_free char *text =
		render("{'vip_address': '10.0.0.1', 'name': '# %[src] ${HOME}', 'project_id': "
		       "'a\\\" #b%[src] "
		       "${HOME}\\\\', 'listeners': [{'name': 'bind *:1', 'protocol': 'HTTP', "
		       "'protocol_port': 1, 'default_pool': {'name': 'x\\\"y', 'protocol': 'HTTP', "
		       "'lb_algorithm': 'ROUND_ROBIN', 'healthmonitor': {'type': 'HTTP', 'delay': "
		       "1, 'timeout': "
		       "1, 'max_retries': 1, 'url_path': '/\\\"\\\\${HOME}%20{x}'}}}]}");

	(void)state;
	assert_non_null(strstr(text, "    log-format \"a\\\"\\ \\#b%%[src]\\ "
				     "\\x24{HOME}\\\\ lb %f "));
	assert_holds(text, "    option httpchk GET /\\\"\\\\\\x24{HOME}%20{x}");
	assert_lacks(text, "bind *:1");
}

static const char terminating[] =
	"{'vip_address': '10.0.0.1', 'listeners': [{'protocol': 'TERMINATED_HTTPS', "
	"'protocol_port': 443, 'certificate': 'a.pem', 'connection_limit': 1000}]}";

/* Two fifths of what 1,000 connections of 32 KiB leave, in blocks of a quarter KiB. */
static void the_cache_of_tls_sessions_takes_its_share_of_memory(void **state)
{
	cleanup_free char *unknown = render(terminating);
	cleanup_free char *enough = NULL, *too_small = NULL, *less_than_nothing = NULL,
			  *plain = NULL, *large = NULL;

	(void)state;
	options.available_memory_kib = 24 * 1024 * 1024;
	large = render(terminating);
	options.available_memory_kib = 32000 + 12503;
	enough = render(terminating);
	plain = render(smallest);
	options.available_memory_kib = 32000 + 12502;
	too_small = render(terminating);
	options.available_memory_kib = 31999;
	less_than_nothing = render(terminating);
	options.available_memory_kib = 0;
	assert_lacks(unknown, "tune.ssl");
	assert_holds(enough, "    tune.ssl.cachesize 20004");
	assert_holds(large, "    tune.ssl.cachesize 4194304\n");
	assert_lacks(plain, "tune.ssl");
	assert_lacks(too_small, "tune.ssl");
	assert_lacks(less_than_nothing, "tune.ssl");
}

static void the_first_cpu_is_left_to_others(void **state)
{
	cleanup_free char *one = NULL, *four = NULL, *many = NULL;

	(void)state;
	options.cpu_count = 1;
	one = render(smallest);
	options.cpu_count = 4;
	four = render_unchecked(smallest);
	options.cpu_count = 200;
	many = render_unchecked(smallest);
	options.cpu_count = 0;
	assert_lacks(one, "nbthread");
	assert_holds(four, "    nbthread 3\n    cpu-map auto:1/1-3 1-3");
	assert_holds(many, "    nbthread 64\n    cpu-map auto:1/1-64 1-64");
}

static void a_pair_without_persistence_has_peers_as_well(void **state)
{
	cleanup_free char *text = render(
		"{'topology': 'ACTIVE_STANDBY', 'vip_address': '2001:db8::1', 'subnet_cidr': "
		"'2001:db8::/64', 'vrrp': {'group_name': 'g', 'virtual_router_id': 1, "
		"'auth_type': 'PASS', 'auth_pass': 'secret', 'advert_int': 1}, 'amphorae': "
		"[{'id': '795b929e-9a9a-40fd-aa7b-5bf55eb561a4', 'vrrp_ip': '2001:db8::2', "
		"'vrrp_priority': 100, 'vrrp_interface': 'eth1'}, {'id': "
		"'c76abf43-6fa8-4dca-ac0a-e4e2f729b4c8', 'vrrp_ip': '2001:db8::3', "
		"'vrrp_priority': 90, 'vrrp_interface': 'eth1'}], 'listeners': [{'protocol': "
		"'TCP', 'protocol_port': 80}]}");

	(void)state;
	assert_holds(text, "peers lb_peers\n    peer " RENDER_PEER_NAME " [2001:db8::2]:1025");
}

static void a_text_that_is_too_large_is_an_error(void **state)
{
	cleanup_model struct model_case model = model_parse(smallest);
	cleanup_buf struct buf small = BUF_INIT(500);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(
		render_haproxy_cfg(model.load_balancer, &options, &small, &err), -EMSGSIZE);
}

/* listeners with 100 members each, as compact as they can be. */
static char *large_model(unsigned listeners)
{
	cleanup_buf struct buf text = BUF_INIT(64 * MIB);

	buf_append_text(&text, "{\"vip_address\": \"10.0.0.10\", \"listeners\": [");
	for (unsigned i = 0; i < listeners; i++) {
		buf_append_format(&text,
			"%s{\"protocol\": \"HTTP\", \"protocol_port\": %u, \"default_pool\": "
			"{\"protocol\": \"HTTP\", \"lb_algorithm\": \"ROUND_ROBIN\", "
			"\"healthmonitor\": {\"type\": \"HTTP\", \"delay\": 5, \"timeout\": 5, "
			"\"max_retries\": 3}, \"members\": [",
			i ? "," : "", 1000 + i);
		for (unsigned j = 0; j < 100; j++)
			buf_append_format(&text,
				"%s{\"address\": \"10.%u.%u.%u\", \"protocol_port\": 8080}",
				j ? "," : "", i / 250, i % 250, j + 1);
		buf_append_text(&text, "]}}");
	}
	buf_append_text(&text, "]}");
	return buf_take_text(&text);
}

static double seconds_for(unsigned listeners)
{
	static const struct id id = {"lb"};
	cleanup_free char *json = large_model(listeners);
	cleanup_model struct model_case model = {0};
	cleanup_buf struct buf text = BUF_INIT(64 * MIB);
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(load_balancer_parse(json, strlen(json), &id, &model.faults,
				 &model.load_balancer, NULL),
		0);
	assert_int_equal(render_haproxy_cfg(model.load_balancer, &options, &text, NULL), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	return (double)(after.tv_sec - before.tv_sec) +
	       (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

static void the_time_grows_with_the_model_not_with_its_square(void **state)
{
	double few, many;

	(void)state;
	seconds_for(10);
	few = seconds_for(20);
	many = seconds_for(400);
	/* 20 times as much; a square would be 400 times. */
	assert_true(many < 120 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_useful_model_is_this_text),
		cmocka_unit_test(an_http_listener_gets_what_http_needs),
		cmocka_unit_test(a_tcp_listener_with_an_http_pool_has_both_modes),
		cmocka_unit_test(an_http_check_asks_what_the_monitor_says),
		cmocka_unit_test(ipv6_addresses_stand_in_brackets),
		cmocka_unit_test(what_is_down_is_not_there_or_disabled),
		cmocka_unit_test(a_shared_pool_has_a_backend_for_each_listener),
		cmocka_unit_test(checks_may_be_quicker_than_a_second_apart),
		cmocka_unit_test(hostile_texts_stay_in_their_place),
		cmocka_unit_test(the_cache_of_tls_sessions_takes_its_share_of_memory),
		cmocka_unit_test(the_first_cpu_is_left_to_others),
		cmocka_unit_test(a_pair_without_persistence_has_peers_as_well),
		cmocka_unit_test(a_text_that_is_too_large_is_an_error),
		cmocka_unit_test(the_time_grows_with_the_model_not_with_its_square),
	};

	return cmocka_run_group_tests(tests, render_setup, render_teardown);
}
