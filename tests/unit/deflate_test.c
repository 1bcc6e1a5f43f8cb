/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <zlib.h>

#include "base/buf.h"
#include "sys/deflate.h"

/* Text without repetitions: it cannot become smaller than half. */
static void fill_with_digits(struct buf *text, size_t size_bytes)
{
	uint64_t number = 1;

	while (text->size_bytes < size_bytes) {
		number = number * 6364136223846793005U + 1442695040888963407U;
		buf_append_format(text, "%08x", (unsigned)(number >> 32));
	}
}

static void what_was_deflated_inflates_to_the_same(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf stream = BUF_INIT(MIB);
	cleanup_buf struct buf again = BUF_INIT(MIB);
	uLongf size_bytes = 200000;

	(void)state;
	fill_with_digits(&text, 100000);
	buf_append(&stream, "before", 6);
	assert_int_equal(deflate_whole(buf_text(&text), text.size_bytes, &stream), 0);
	assert_memory_equal(buf_text(&stream), "before", 6);
	assert_true(stream.size_bytes < text.size_bytes);
	assert_int_equal(uncompress(buf_reserve(&again, size_bytes), &size_bytes,
				 (const Bytef *)buf_text(&stream) + 6, stream.size_bytes - 6),
		Z_OK);
	assert_int_equal(size_bytes, text.size_bytes);
	assert_memory_equal(again.data, buf_text(&text), size_bytes);
}

static void nothing_deflates_to_an_empty_stream(void **state)
{
	cleanup_buf struct buf stream = BUF_INIT(100);
	Bytef rest[1];
	uLongf size_bytes = sizeof(rest);

	(void)state;
	assert_int_equal(deflate_whole("", 0, &stream), 0);
	assert_int_equal(
		uncompress(rest, &size_bytes, (const Bytef *)buf_text(&stream), stream.size_bytes),
		Z_OK);
	assert_int_equal(size_bytes, 0);
}

static void a_stream_of_just_the_maximum_fits_and_one_byte_less_does_not(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf stream = BUF_INIT(MIB);
	size_t needed;

	(void)state;
	fill_with_digits(&text, 50000);
	assert_int_equal(deflate_whole(buf_text(&text), text.size_bytes, &stream), 0);
	needed = stream.size_bytes;
	buf_deinit(&stream);
	stream.max_bytes = needed;
	assert_int_equal(deflate_whole(buf_text(&text), text.size_bytes, &stream), 0);
	assert_int_equal(stream.size_bytes, needed);
	buf_deinit(&stream);
	stream.max_bytes = needed - 1;
	assert_int_equal(deflate_whole(buf_text(&text), text.size_bytes, &stream), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_deflated_inflates_to_the_same),
		cmocka_unit_test(nothing_deflates_to_an_empty_stream),
		cmocka_unit_test(a_stream_of_just_the_maximum_fits_and_one_byte_less_does_not),
	};

	return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
