/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/config.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

/* The config under test; reading another one frees it. */
static struct lvs_config config;

static void parse(const char *text)
{
	lvs_config_deinit(&config);
	lvs_config_parse(text, strlen(text), &config);
}

static void parse_file(const char *name)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_free char *path = xformat("%s/fuzz/corpus/lvs_config/%s", SHARED_TESTS, name);

	assert_int_equal(file_read(path, &text, NULL), 0);
	parse(buf_text(&text));
}

static int teardown(void **state)
{
	(void)state;
	lvs_config_deinit(&config);
	return 0;
}

static void assert_endpoint(const struct lvs_endpoint *endpoint, const char *address, int port)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(&endpoint->address, text);
	assert_string_equal(text, address);
	assert_int_equal(endpoint->port, port);
}

static void the_vips_of_every_group_are_found(void **state)
{
	(void)state;
	parse_file("dual-stack.conf");
	assert_int_equal(config.virtual_server_count, 3);
	assert_endpoint(&config.virtual_servers[0], "192.0.2.1", 53);
	assert_endpoint(&config.virtual_servers[1], "192.0.2.2", 53);
	assert_endpoint(&config.virtual_servers[2], "2001:db8::1", 53);
}

static void listener_pool_and_protocol_are_those_of_the_comments_and_words(void **state)
{
	(void)state;
	parse_file("dual-stack.conf");
	assert_true(config.has_listener);
	assert_string_equal(config.listener.text, "listener-1");
	assert_false(config.is_disabled);
	assert_true(config.has_pool);
	assert_string_equal(config.pool.text, "pool-1");
	assert_false(config.is_pool_disabled);
	assert_true(config.is_sctp);
}

static void members_of_both_families_are_found_each_once(void **state)
{
	(void)state;
	parse_file("dual-stack.conf");
	assert_int_equal(config.member_count, 3);
	assert_string_equal(config.members[0].id.text, "member-1");
	assert_endpoint(&config.members[0].endpoint, "203.0.113.1", 5353);
	assert_string_equal(config.members[1].id.text, "member-3");
	assert_true(config.members[1].is_disabled);
	assert_int_equal(config.members[1].endpoint.address.family, 0);
	assert_string_equal(config.members[2].id.text, "member-2");
	assert_endpoint(&config.members[2].endpoint, "2001:db8:1::2", 53);
	assert_false(config.members[2].is_disabled);
}

static void a_checker_belongs_to_its_member_only(void **state)
{
	(void)state;
	parse_file("dual-stack.conf");
	assert_true(config.members[0].has_checker);
	assert_false(config.members[2].has_checker);
}

static void each_kind_of_checker_is_one(void **state)
{
	static const char *const checkers[] = {
		"MISC_CHECK", "HTTP_GET", "SSL_GET", "TCP_CHECK", "UDP_CHECK", "PING_CHECK"};

	(void)state;
	for (size_t i = 0; i < sizeof(checkers) / sizeof(checkers[0]); i++) {
		cleanup_free char *text = xformat("virtual_server group g {\n"
						  "# Configuration for Member m\n"
						  "real_server 192.0.2.1 53 {\n"
						  "weight 1\n%s {\n}\n}\n}\n",
			checkers[i]);

		parse(text);
		assert_int_equal(config.member_count, 1);
		assert_true(config.members[0].has_checker);
	}
}

static void a_disabled_listener_has_its_id_and_nothing_else(void **state)
{
	(void)state;
	parse("# Configuration for Loadbalancer lb\n# Listener l-1 is disabled\n\n"
	      "net_namespace amphora-haproxy\n");
	assert_true(config.has_listener);
	assert_true(config.is_disabled);
	assert_string_equal(config.listener.text, "l-1");
	assert_false(config.has_pool);
	assert_int_equal(config.virtual_server_count, 0);
	assert_int_equal(config.member_count, 0);
}

static void a_disabled_pool_is_named_all_the_same(void **state)
{
	(void)state;
	parse("virtual_server group g {\n    # Pool p-1 is disabled\n}\n");
	assert_true(config.has_pool);
	assert_true(config.is_pool_disabled);
	assert_string_equal(config.pool.text, "p-1");
}

static void a_member_in_the_config_twice_is_one_with_its_real_server(void **state)
{
	(void)state;
	parse("virtual_server group g {\n# Member m is disabled\n# Configuration for Member n\n"
	      "# Configuration for Member m\nreal_server 192.0.2.1 53 {\nTCP_CHECK {\n}\n}\n}\n");
	assert_int_equal(config.member_count, 2);
	assert_string_equal(config.members[0].id.text, "m");
	assert_false(config.members[0].is_disabled);
	assert_true(config.members[0].has_checker);
	assert_endpoint(&config.members[0].endpoint, "192.0.2.1", 53);
}

static void the_older_form_with_one_address_is_read(void **state)
{
	(void)state;
	parse("virtual_server 192.0.2.1 53 {\nprotocol UDP\n# Configuration for Member m\n"
	      "real_server 192.0.2.9 54 {\n}\n}\n");
	assert_int_equal(config.virtual_server_count, 1);
	assert_endpoint(&config.virtual_servers[0], "192.0.2.1", 53);
	assert_false(config.is_sctp);
	assert_endpoint(&config.members[0].endpoint, "192.0.2.9", 54);
}

static void a_real_server_without_a_name_is_no_member(void **state)
{
	(void)state;
	parse("virtual_server group g {\n# Configuration for Member m\nreal_server 192.0.2.1 1 {\n"
	      "}\nreal_server 192.0.2.2 2 {\nTCP_CHECK {\n}\n}\n}\n");
	assert_int_equal(config.member_count, 1);
	assert_endpoint(&config.members[0].endpoint, "192.0.2.1", 1);
	assert_false(config.members[0].has_checker);
}

static void what_is_no_address_or_port_is_not_there(void **state)
{
	(void)state;
	parse("virtual_server_group g {\n fwmark 5\n 192.0.2.1 0\n 192.0.2.1 65536\n 192.0.2 1\n"
	      " 192.0.2.1-9 53\n 192.0.2.1 65535\n}\n");
	assert_int_equal(config.virtual_server_count, 1);
	assert_endpoint(&config.virtual_servers[0], "192.0.2.1", 65535);
}

static void the_first_pool_and_listener_count(void **state)
{
	(void)state;
	parse("# Configuration for Listener a\n# Listener b is disabled\n"
	      "# Configuration for Pool c\n# Pool d is disabled\n");
	assert_string_equal(config.listener.text, "a");
	assert_false(config.is_disabled);
	assert_string_equal(config.pool.text, "c");
	assert_false(config.is_pool_disabled);
}

static void words_outside_their_block_mean_nothing(void **state)
{
	(void)state;
	parse("192.0.2.1 53\n}\n}\nreal_server 192.0.2.1 53 {\n}\nglobal_defs {\n192.0.2.1 53\n}\n"
	      "protocol SCTP\n");
	assert_int_equal(config.virtual_server_count, 0);
	assert_int_equal(config.member_count, 0);
	assert_false(config.is_sctp);
}

static void ends_of_lines_and_of_the_text_may_be_anything(void **state)
{
	(void)state;
	parse("virtual_server_group g {\r\n\t192.0.2.1\t53\r\n}\r\n# Configuration for Listener l");
	assert_int_equal(config.virtual_server_count, 1);
	assert_string_equal(config.listener.text, "l");
	parse("");
	assert_false(config.has_listener);
	lvs_config_parse(NULL, 0, &config);
	assert_int_equal(config.member_count, 0);
}

static void members_have_a_limit_and_many_take_no_time(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(16 * MIB);

	(void)state;
	buf_append_text(&text, "virtual_server group g {\n");
	for (int i = 0; i < 2 * LVS_MEMBERS_MAX; i++)
		buf_append_format(&text, "# Configuration for Member m%d\n", i % LVS_MEMBERS_MAX);
	buf_append_text(&text, "# Configuration for Member last\nreal_server 192.0.2.1 53 {\n");
	parse(buf_text(&text));
	assert_int_equal(config.member_count, LVS_MEMBERS_MAX);
	assert_int_equal(config.members[LVS_MEMBERS_MAX - 1].endpoint.address.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vips_of_every_group_are_found),
		cmocka_unit_test(listener_pool_and_protocol_are_those_of_the_comments_and_words),
		cmocka_unit_test(members_of_both_families_are_found_each_once),
		cmocka_unit_test(a_checker_belongs_to_its_member_only),
		cmocka_unit_test(each_kind_of_checker_is_one),
		cmocka_unit_test(a_disabled_listener_has_its_id_and_nothing_else),
		cmocka_unit_test(a_disabled_pool_is_named_all_the_same),
		cmocka_unit_test(a_member_in_the_config_twice_is_one_with_its_real_server),
		cmocka_unit_test(the_older_form_with_one_address_is_read),
		cmocka_unit_test(a_real_server_without_a_name_is_no_member),
		cmocka_unit_test(what_is_no_address_or_port_is_not_there),
		cmocka_unit_test(the_first_pool_and_listener_count),
		cmocka_unit_test(words_outside_their_block_mean_nothing),
		cmocka_unit_test(ends_of_lines_and_of_the_text_may_be_anything),
		cmocka_unit_test(members_have_a_limit_and_many_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
