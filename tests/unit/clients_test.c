/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deploy/origin.h"

static const struct id lb = {.text = "lb-1"};

static void assert_clients(const char *text, size_t expected)
{
	cleanup_free struct cidr *clients = NULL;
	size_t count;

	clients_parse(text, &clients, &count);
	assert_int_equal(count, expected);
}

static void what_was_written_is_read_back(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);
	cleanup_free struct cidr *clients = NULL;
	struct cidr written[2];
	size_t count;

	(void)state;
	assert_int_equal(cidr_parse("192.0.2.0/24", &written[0]), 0);
	assert_int_equal(cidr_parse("2001:db8::/32", &written[1]), 0);
	origin_append(&lb, &text);
	clients_append(written, 2, &text);
	buf_append_text(&text, "# Configuration for Loadbalancer lb-1\n");
	assert_true(origin_is(buf_text(&text), &lb));
	clients_parse(buf_text(&text), &clients, &count);
	assert_int_equal(count, 2);
	assert_true(cidr_equal(&clients[0], &written[0]));
	assert_true(cidr_equal(&clients[1], &written[1]));
}

static void only_a_rendered_config_names_clients(void **state)
{
	(void)state;
	assert_clients("", 0);
	assert_clients("# Only clients of 192.0.2.0/24\n", 0);
	assert_clients(
		"# Configuration for Loadbalancer lb-1\n# Only clients of 192.0.2.0/24\n", 0);
}

static void they_stand_behind_the_first_line_and_nowhere_else(void **state)
{
	(void)state;
	assert_clients("# Rendered by amphora-agent for load balancer lb-1\n"
		       "virtual_server_group g {\n"
		       "# Only clients of 192.0.2.0/24\n",
		0);
	assert_clients("# Rendered by amphora-agent for load balancer lb-1\n"
		       "# Only clients of 192.0.2.0/24",
		1);
	assert_clients("# Rendered by amphora-agent for load balancer lb-1", 0);
}

static void the_origin_is_a_whole_id(void **state)
{
	struct id id;

	(void)state;
	assert_true(origin_parse("# Rendered by amphora-agent for load balancer lb-1\nx", &id));
	assert_string_equal(id.text, "lb-1");
	assert_false(origin_parse("# Rendered by amphora-agent for load balancer lb 1\n", &id));
	assert_false(origin_parse("# Rendered by amphora-agent for load balancer \n", &id));
	assert_false(origin_parse(" # Rendered by amphora-agent for load balancer lb-1\n", &id));
	assert_false(origin_is("# Rendered by amphora-agent for load balancer lb-11\n", &lb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(only_a_rendered_config_names_clients),
		cmocka_unit_test(they_stand_behind_the_first_line_and_nowhere_else),
		cmocka_unit_test(the_origin_is_a_whole_id),
	};

	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
