/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/position.h"

static void assert_position(const char *text, const char *pointer, unsigned line, unsigned column)
{
	struct position position;

	positions_find(text, strlen(text), &pointer, 1, &position);
	assert_int_equal(position.line, line);
	assert_int_equal(position.column, column);
}

static const char model[] = "{\n"
			    "  \"vip_address\": \"10.0.0.1\",\n"
			    "  \"listeners\": [\n"
			    "    {\"protocol\": \"TCP\"}, {\"name\": \"ÄÖ\",\t\"port\": 80},\n"
			    "    [1, -2.5e3, null, true]\n"
			    "  ],\n"
			    "  \"a/b~c\\u00e9\\n\": {\"\": 7}\n"
			    "}\n";

static void a_value_is_found_where_it_begins(void **state)
{
	(void)state;
	assert_position(model, "", 1, 1);
	assert_position(model, "/vip_address", 2, 18);
	assert_position(model, "/listeners", 3, 16);
	assert_position(model, "/listeners/0", 4, 5);
	assert_position(model, "/listeners/0/protocol", 4, 18);
	assert_position(model, "/listeners/2/1", 5, 9);
	assert_position(model, "/listeners/2/3", 5, 23);
}

static void a_column_is_a_character(void **state)
{
	(void)state;
	assert_position(model, "/listeners/1/name", 4, 35);
	assert_position(model, "/listeners/1/port", 4, 49);
}

static void what_is_absent_stands_in_what_would_hold_it(void **state)
{
	(void)state;
	assert_position(model, "/listeners/1/protocol", 4, 26);
	assert_position(model, "/listeners/7/a/b", 3, 16);
	assert_position(model, "/vip_address/x", 2, 18);
	assert_position(model, "/none", 1, 1);
}

static void keys_are_escaped_as_pointers_are(void **state)
{
	(void)state;
	assert_position(model, "/a~1b~0cé\n", 7, 20);
	assert_position(model, "/a~1b~0cé\n/", 7, 25);
}

/* A key that looks like an index, and an index that looks like a key. */
static void objects_and_lists_are_told_apart_by_the_text_alone(void **state)
{
	(void)state;
	assert_position("{\"0\": [{\"1\": 5}]}", "/0/0/1", 1, 14);
	assert_position("[[0, 1], {\"0\": 2}]", "/1/0", 1, 16);
}

static void brackets_and_quotes_in_texts_are_text(void **state)
{
	(void)state;
	assert_position("{\"x\": \"]},{\\\"\\\\\", \"y\": [\"[\"], \"z\": 1}", "/z", 1, 36);
}

static void many_are_found_at_once_in_any_order(void **state)
{
	static const char *const pointers[] = {
		"/listeners/2/3", "/vip_address", "/vip_address", "", "/listeners/0/protocol"};
	static const unsigned lines[] = {5, 2, 2, 1, 4};
	struct position positions[5];

	(void)state;
	positions_find(model, strlen(model), pointers, 5, positions);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(positions[i].line, lines[i]);
}

/* Also that it never reads behind the end of the text, which ASan tells. */
static void a_text_that_ends_early_keeps_what_came_before(void **state)
{
	static const char *const pointers[] = {"/listeners/2/3", "/a~1b~0cé\n/", ""};

	(void)state;
	for (size_t size_bytes = 0; size_bytes < strlen(model); size_bytes++) {
		cleanup_free char *part = xmemdup_text(model, size_bytes);
		struct position positions[3];

		positions_find(part, size_bytes, pointers, 3, positions);
		for (size_t i = 0; i < 3; i++) {
			assert_in_range(positions[i].line, 1, 7);
			assert_true(positions[i].column > 0);
		}
	}
	assert_position("{\"a\": 1, \"b\"", "/a", 1, 7);
	assert_position("{\"a\": 1, \"b\"", "/b", 1, 1);
}

static void what_is_no_json_is_no_danger(void **state)
{
	static const char *const texts[] = {"}", "]", ",", "{]", "[}", "{\"a\":}", "[,]", "{,}",
		"\"", "\\", "{\"\\ud800\": 1}", "[[[[[[[[[[[[[[", "}}}}}}", "{\"a\"]"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_position(texts[i], "/x", 1, 1);
}

/* Time is linear: a hundred pointers into a megabyte on one line, forwards and backwards. */
static void a_long_line_is_counted_once(void **state)
{
	enum { COUNT = 100 };
	cleanup_buf struct buf text = BUF_INIT(4 * MIB);
	char *pointers[COUNT];
	struct position positions[COUNT];

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		buf_append_format(&text, "%c%09u", i ? ',' : '[', i);
	for (size_t i = 0; i < COUNT; i++)
		pointers[i] = xformat("/%zu", 99999 - 1000 * i);
	positions_find(
		buf_text(&text), text.size_bytes, (const char *const *)pointers, COUNT, positions);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(positions[i].column, 10 * (99999 - 1000 * i) + 2);
		free(pointers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_where_it_begins),
		cmocka_unit_test(a_column_is_a_character),
		cmocka_unit_test(what_is_absent_stands_in_what_would_hold_it),
		cmocka_unit_test(keys_are_escaped_as_pointers_are),
		cmocka_unit_test(objects_and_lists_are_told_apart_by_the_text_alone),
		cmocka_unit_test(brackets_and_quotes_in_texts_are_text),
		cmocka_unit_test(many_are_found_at_once_in_any_order),
		cmocka_unit_test(a_text_that_ends_early_keeps_what_came_before),
		cmocka_unit_test(what_is_no_json_is_no_danger),
		cmocka_unit_test(a_long_line_is_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
