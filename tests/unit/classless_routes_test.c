/* SPDX-License-Identifier: Apache-2.0 */
#include "net/classless_routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static struct classless_route routes[CLASSLESS_ROUTES_MAX];

static void check_route(size_t index, const char *destination, const char *gateway)
{
	char text[CIDR_TEXT_MAX];

	cidr_format(&routes[index].destination, text);
	assert_string_equal(text, destination);
	assert_int_equal(routes[index].has_gateway, gateway != NULL);
	if (gateway) {
		address_format(&routes[index].gateway, text);
		assert_string_equal(text, gateway);
	}
}

/* What Neutron hands out: the metadata service, a host route, the default. */
static void destinations_have_as_many_bytes_as_count(void **state)
{
	size_t count = 0;

	(void)state;
	assert_int_equal(classless_routes_parse("32 169 254 169 254 10 0 0 2 16 10 9 10 0 0 9 "
						"20 172 16 240 10 0 0 3 0 10 0 0 1",
				 routes, &count),
		0);
	assert_int_equal(count, 4);
	check_route(0, "169.254.169.254/32", "10.0.0.2");
	check_route(1, "10.9.0.0/16", "10.0.0.9");
	check_route(2, "172.16.240.0/20", "10.0.0.3");
	check_route(3, "0.0.0.0/0", "10.0.0.1");
}

static void a_gateway_of_zeros_is_the_link_itself(void **state)
{
	size_t count = 0;

	(void)state;
	assert_int_equal(classless_routes_parse("24 10 1 2 0 0 0 0", routes, &count), 0);
	assert_int_equal(count, 1);
	check_route(0, "10.1.2.0/24", NULL);
}

static void bits_behind_the_prefix_are_ignored(void **state)
{
	size_t count = 0;

	(void)state;
	assert_int_equal(classless_routes_parse("12 10 31 10 0 0 1", routes, &count), 0);
	check_route(0, "10.16.0.0/12", "10.0.0.1");
}

static void nothing_is_no_route(void **state)
{
	static const char *const texts[] = {"", " ", "   "};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t count = 99;

		assert_int_equal(classless_routes_parse(texts[i], routes, &count), 0);
		assert_int_equal(count, 0);
	}
}

static void what_is_cut_or_no_byte_is_refused(void **state)
{
	static const char *const texts[] = {
		"24",
		"24 10 1 2",
		"24 10 1 2 10 0 0",
		"0 10 0 0",
		"33 10 0 0 0 1 10 0 0 1",
		"24 10 1 256 10 0 0 1",
		"24 10 1 -2 10 0 0 1",
		"24 10 1 2 10 0 0 1 x",
		"24,10,1,2,10,0,0,1",
		"0x18 10 1 2 10 0 0 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t count = 99;

		assert_int_equal(classless_routes_parse(texts[i], routes, &count), -EINVAL);
		assert_int_equal(count, 99);
	}
}

static void there_is_a_limit(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4 * KIB);
	size_t count = 0;

	(void)state;
	for (int i = 0; i < CLASSLESS_ROUTES_MAX; i++)
		buf_append_text(&text, "0 10 0 0 1 ");
	assert_int_equal(classless_routes_parse(buf_text(&text), routes, &count), 0);
	assert_int_equal(count, CLASSLESS_ROUTES_MAX);
	buf_append_text(&text, "0 10 0 0 1");
	assert_int_equal(classless_routes_parse(buf_text(&text), routes, &count), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations_have_as_many_bytes_as_count),
		cmocka_unit_test(a_gateway_of_zeros_is_the_link_itself),
		cmocka_unit_test(bits_behind_the_prefix_are_ignored),
		cmocka_unit_test(nothing_is_no_route),
		cmocka_unit_test(what_is_cut_or_no_byte_is_refused),
		cmocka_unit_test(there_is_a_limit),
	};

	return cmocka_run_group_tests_name("classless_routes", tests, NULL, NULL);
}
