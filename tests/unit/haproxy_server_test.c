/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/server.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "haproxy/server_state.h"

static struct haproxy_servers parsed(const char *text)
{
	struct haproxy_servers servers;

	haproxy_servers_parse(text, strlen(text), &servers);
	return servers;
}

static void servers_are_found_with_what_can_change_told_apart(void **state)
{
	struct haproxy_servers servers =
		parsed("backend p:l\n"
		       " server b 10.0.0.2:80 weight 7 check inter 3s fall 3 rise 2 disabled\n"
		       " server a fd00::1:80 weight 0 cookie a\n");
	const struct haproxy_server *server;

	(void)state;
	assert_int_equal(servers.count, 2);
	assert_string_equal(servers.items[0].name, "a");
	server = haproxy_servers_find(&servers, "p:l", "b");
	assert_string_equal(server->address, "10.0.0.2:80");
	assert_string_equal(server->options, "check inter 3s fall 3 rise 2");
	assert_int_equal(server->weight, 7);
	assert_true(server->check);
	assert_true(server->disabled);
	assert_true(server->plain);
	server = haproxy_servers_find(&servers, "p:l", "a");
	assert_string_equal(server->options, "cookie a");
	assert_int_equal(server->weight, 0);
	assert_false(server->check);
	assert_false(server->disabled);
	assert_null(haproxy_servers_find(&servers, "p:l", "c"));
	assert_null(haproxy_servers_find(&servers, "q:l", "a"));
	haproxy_servers_deinit(&servers);
}

static void peers_and_rings_have_no_members(void **state)
{
	struct haproxy_servers servers =
		parsed("peers p\n server a 1.1.1.1:1\nring r\n server b 1.1.1.1:1\n");

	(void)state;
	assert_int_equal(servers.count, 0);
	assert_null(haproxy_servers_find(&servers, "p", "a"));
	haproxy_servers_deinit(&servers);
}

static void default_server_counts_for_what_follows_it_in_its_scope(void **state)
{
	struct haproxy_servers servers =
		parsed("defaults\n default-server weight 5 check\n"
		       "backend a\n server early 1.1.1.1:1\n default-server disabled\n"
		       " server late 1.1.1.1:1 weight 6 no-check\n server on 1.1.1.1:1 enabled\n"
		       "backend b\n server other 1.1.1.1:1\n"
		       "defaults\nbackend c\n server plain 1.1.1.1:1\n");
	const struct haproxy_server *server = haproxy_servers_find(&servers, "a", "early");

	(void)state;
	assert_int_equal(server->weight, 5);
	assert_true(server->check);
	assert_false(server->disabled);
	assert_false(server->plain);
	server = haproxy_servers_find(&servers, "a", "late");
	assert_int_equal(server->weight, 6);
	assert_false(server->check);
	assert_true(server->disabled);
	assert_false(haproxy_servers_find(&servers, "a", "on")->disabled);
	assert_false(haproxy_servers_find(&servers, "b", "other")->disabled);
	server = haproxy_servers_find(&servers, "c", "plain");
	assert_int_equal(server->weight, HAPROXY_SERVER_WEIGHT_DEFAULT);
	assert_true(server->plain);
	haproxy_servers_deinit(&servers);
}

static void a_server_with_quotes_is_not_plain(void **state)
{
	struct haproxy_servers servers = parsed("backend b\n server a 1.1.1.1:1 sni 'str(x y)'\n");

	(void)state;
	assert_false(servers.items[0].plain);
	haproxy_servers_deinit(&servers);
}

static void an_address_is_cut_at_its_last_colon(void **state)
{
	size_t host_size;
	unsigned port;

	(void)state;
	assert_true(haproxy_server_split_address("10.0.0.1:80", &host_size, &port));
	assert_int_equal(host_size, 8);
	assert_int_equal(port, 80);
	assert_true(haproxy_server_split_address("fd00::1:65535", &host_size, &port));
	assert_int_equal(host_size, 7);
	assert_int_equal(port, 65535);
	assert_false(haproxy_server_split_address("10.0.0.1", &host_size, &port));
	assert_false(haproxy_server_split_address("10.0.0.1:", &host_size, &port));
	assert_false(haproxy_server_split_address("10.0.0.1:+1", &host_size, &port));
	assert_false(haproxy_server_split_address("10.0.0.1:0", &host_size, &port));
	assert_false(haproxy_server_split_address("10.0.0.1:65536", &host_size, &port));
}

#define COLUMNS_LINE                                                                               \
	"# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "       \
	"srv_iweight srv_time_since_last_change srv_check_status srv_check_result "                \
	"srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id "         \
	"srv_fqdn srv_port srvrecord"

static void assert_carried(const char *state, const char *config, const char *expected_lines)
{
	cleanup_buf struct buf whole = BUF_INIT(MIB);
	cleanup_buf struct buf carried = BUF_INIT(MIB);
	cleanup_buf struct buf expected = BUF_INIT(MIB);
	struct haproxy_servers servers = parsed(config);

	buf_append_format(&whole,
		"1\n" COLUMNS_LINE
		" srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n%s\n",
		state);
	buf_append_format(&expected, "1\n" COLUMNS_LINE "\n%s", expected_lines);
	haproxy_server_state_carry(buf_text(&whole), &servers, &carried);
	assert_string_equal(buf_text(&carried), buf_text(&expected));
	haproxy_servers_deinit(&servers);
}

/* Lines as HAProxy 2.6 printed them. */
static void health_is_carried_and_nothing_but_health(void **state)
{
	(void)state;
	/* A weight of 9 and a check that were changed at run time; TLS and check port too. */
	assert_carried("3 b 2 s 10.0.0.2 0 0 9 5 17 8 2 1 2 0 0 0 - 80 - 1 99 10.0.0.9 - 0\n",
		"backend b\n server s 10.0.0.2:80 weight 6 check\n",
		"3 b 2 s 10.0.0.2 0 0 6 6 17 8 2 1 6 0 0 0 - 80 -\n");
}

static void drain_and_a_maintenance_that_is_over_are_not_carried(void **state)
{
	(void)state;
	assert_carried("3 b 2 s 10.0.0.2 2 8 1 1 17 6 3 5 6 0 0 0 - 80 - 0 0 - - 0\n",
		"backend b\n server s 10.0.0.2:80 check\n",
		"3 b 2 s 10.0.0.2 2 0 1 1 17 6 3 5 6 0 0 0 - 80 -\n");
	/* 4: was `disabled` in the config, then made ready at run time. */
	assert_carried("3 b 2 s 10.0.0.2 2 4 1 1 17 6 3 5 6 0 0 0 - 80 - 0 0 - - 0\n",
		"backend b\n server s 10.0.0.2:80 check\n",
		"3 b 2 s 10.0.0.2 2 0 1 1 17 6 3 5 6 0 0 0 - 80 -\n");
}

static void assert_dropped(const char *state, const char *config)
{
	assert_carried(state, config, "");
}

static void what_is_not_the_same_server_starts_anew(void **state)
{
	static const char line[] = "3 b 2 s 10.0.0.2 0 0 1 1 17 8 2 1 6 0 0 0 - 80 - 0 0 - - 0\n";

	(void)state;
	assert_dropped(line, "");
	assert_dropped(line, "backend b\n server t 10.0.0.2:80 check\n");
	assert_dropped(line, "backend c\n server s 10.0.0.2:80 check\n");
	assert_dropped(line, "backend b\n server s 10.0.0.3:80 check\n");
	assert_dropped(line, "backend b\n server s 10.0.0.2:81 check\n");
	assert_dropped(line, "backend b\n server s 10.0.0.2 check\n");
	assert_dropped(line, "backend b\n server s example.org:80 check\n");
}

static void what_is_not_checked_or_disabled_has_no_health(void **state)
{
	static const char line[] = "3 b 2 s 10.0.0.2 0 0 1 1 17 8 2 1 6 0 0 0 - 80 - 0 0 - - 0\n";

	(void)state;
	assert_dropped(line, "backend b\n server s 10.0.0.2:80\n");
	assert_dropped(line, "backend b\n server s 10.0.0.2:80 check disabled\n");
	assert_dropped("3 b 2 s 10.0.0.2 0 5 1 1 17 8 2 1 6 0 0 0 - 80 - 0 0 - - 0\n",
		"backend b\n server s 10.0.0.2:80 check\n");
	assert_dropped("3 b 2 s 10.0.0.2 0 1 1 1 17 8 2 1 6 0 0 0 - 80 - 0 0 - - 0\n",
		"backend b\n server s 10.0.0.2:80 check\n");
}

static void addresses_are_compared_not_their_spelling(void **state)
{
	(void)state;
	assert_carried("3 b 2 s fd00::1 2 0 1 1 17 6 3 5 6 0 0 0 - 80 - 0 0 - - 0\n",
		"backend b\n server s fd00:0:0::1:80 check\n",
		"3 b 2 s fd00::1 2 0 1 1 17 6 3 5 6 0 0 0 - 80 -\n");
	assert_carried("3 b 2 s 10.0.0.2 2 0 1 1 17 6 3 5 6 0 0 0 example.org 80 - 0 0 - - 0\n",
		"backend b\n server s example.org:80 check\n",
		"3 b 2 s 10.0.0.2 2 0 1 1 17 6 3 5 6 0 0 0 example.org 80 -\n");
}

static void what_is_no_state_carries_nothing(void **state)
{
	static const char config[] = "backend b\n server s 10.0.0.2:80 check\n";
	cleanup_buf struct buf carried = BUF_INIT(MIB);
	struct haproxy_servers servers = parsed(config);

	(void)state;
	haproxy_server_state_carry(
		"2\n3 b 2 s 10.0.0.2 0 0 1 1 17 8 2 1 6 0 0 0 - 80 -\n", &servers, &carried);
	assert_string_equal(buf_text(&carried), "1\n" COLUMNS_LINE "\n");
	buf_clear(&carried);
	haproxy_server_state_carry("", &servers, &carried);
	assert_string_equal(buf_text(&carried), "1\n" COLUMNS_LINE "\n");
	haproxy_servers_deinit(&servers);
	assert_dropped("3 b 2 s 10.0.0.2 0 0 1 1 17 8 2 1 6 0 0 0 - 80\n", config);
	assert_dropped("Permission denied\n", config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_found_with_what_can_change_told_apart),
		cmocka_unit_test(peers_and_rings_have_no_members),
		cmocka_unit_test(default_server_counts_for_what_follows_it_in_its_scope),
		cmocka_unit_test(a_server_with_quotes_is_not_plain),
		cmocka_unit_test(an_address_is_cut_at_its_last_colon),
		cmocka_unit_test(health_is_carried_and_nothing_but_health),
		cmocka_unit_test(drain_and_a_maintenance_that_is_over_are_not_carried),
		cmocka_unit_test(what_is_not_the_same_server_starts_anew),
		cmocka_unit_test(what_is_not_checked_or_disabled_has_no_health),
		cmocka_unit_test(addresses_are_compared_not_their_spelling),
		cmocka_unit_test(what_is_no_state_carries_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
