/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sys/pem.h"

static const char two_blocks[] = "Bag Attributes\n"
				 "-----BEGIN A B-----\nMQ==\n-----END A B-----\n"
				 "between\r\n"
				 "-----BEGIN C-----\nMg==\n-----END C-----";

static int next(struct pem_cursor *cursor, struct pem_block *ret_block)
{
	return pem_next(cursor, ret_block, NULL);
}

static void assert_refused(const char *text)
{
	struct pem_cursor cursor = {text, strlen(text)};
	struct err err = ERR_NONE;
	struct pem_block block;

	assert_int_equal(pem_next(&cursor, &block, &err), -EINVAL);
	assert_non_null(strstr(err.text, "PEM"));
}

static void blocks_come_in_their_order_without_what_stands_between(void **state)
{
	struct pem_cursor cursor = {two_blocks, strlen(two_blocks)};
	struct pem_block block;

	(void)state;
	assert_int_equal(next(&cursor, &block), 1);
	assert_true(pem_block_is(&block, "A B"));
	assert_int_equal(block.size_bytes, strlen("-----BEGIN A B-----\nMQ==\n-----END A B-----"));
	assert_ptr_equal(block.text, strstr(two_blocks, "-----BEGIN A B"));
	assert_int_equal(next(&cursor, &block), 1);
	assert_true(pem_block_is(&block, "C"));
	assert_int_equal(next(&cursor, &block), 0);
	assert_int_equal(next(&cursor, &block), 0);
}

static void text_without_a_block_has_none(void **state)
{
	struct pem_cursor cursor = {"no PEM at all", strlen("no PEM at all")};
	struct pem_cursor empty = {NULL, 0};
	struct pem_block block;

	(void)state;
	assert_int_equal(next(&cursor, &block), 0);
	assert_int_equal(next(&empty, &block), 0);
}

static void a_block_without_its_end_is_refused(void **state)
{
	(void)state;
	assert_refused("-----BEGIN A-----\nMQ==\n");
	assert_refused("-----BEGIN A-----\nMQ==\n-----END B-----\n");
	assert_refused("-----BEGIN A-----\nMQ==\n-----END A---");
	assert_refused("-----BEGIN A-----\n-----BEGIN B-----\n-----END B-----\n-----END A-----");
}

static void a_begin_line_without_its_dashes_is_refused(void **state)
{
	(void)state;
	assert_refused("-----BEGIN A");
	assert_refused("-----BEGIN -----\n-----END -----\n");
	assert_refused("-----BEGIN A\n-----END A-----\n");
}

static void no_byte_beyond_the_size_is_read(void **state)
{
	struct pem_block block;

	(void)state;
	for (size_t size = 0; size < strlen(two_blocks); size++) {
		/* Of its own, so that the sanitizer sees the end. */
		char *text = malloc(size + 1);
		struct pem_cursor cursor = {text, size};

		memcpy(text, two_blocks, size);
		text = realloc(text, size ? size : 1);
		cursor.text = text;
		while (next(&cursor, &block) > 0)
			assert_in_range(block.size_bytes, 1, size);
		free(text);
	}
}

static void a_label_is_compared_whole(void **state)
{
	struct pem_block block = {.label = "CERTIFICATE", .label_size_bytes = 11};

	(void)state;
	assert_true(pem_block_is(&block, "CERTIFICATE"));
	assert_false(pem_block_is(&block, "CERT"));
	assert_false(pem_block_is(&block, "CERTIFICATE REQUEST"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_come_in_their_order_without_what_stands_between),
		cmocka_unit_test(text_without_a_block_has_none),
		cmocka_unit_test(a_block_without_its_end_is_refused),
		cmocka_unit_test(a_begin_line_without_its_dashes_is_refused),
		cmocka_unit_test(no_byte_beyond_the_size_is_read),
		cmocka_unit_test(a_label_is_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
