/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "model/document.h"

static void assert_fault(const char *text, size_t size_bytes, const char *expected)
{
	cleanup_faults struct faults faults = {0};
	json_auto_t *document = document_parse(text, size_bytes, &faults);

	assert_null(document);
	assert_int_equal(faults.errors.count, 1);
	assert_string_equal(faults.errors.items[0].path, "");
	if (!strstr(faults.errors.items[0].text, expected))
		fail_msg("'%s' does not hold '%s'", faults.errors.items[0].text, expected);
}

static void assert_text_fault(const char *text, const char *expected)
{
	assert_fault(text, strlen(text), expected);
}

static void assert_parses(const struct buf *text)
{
	cleanup_faults struct faults faults = {0};
	json_auto_t *document = document_parse(buf_text(text), text->size_bytes, &faults);

	assert_int_equal(buf_error(text), 0);
	assert_non_null(document);
	assert_int_equal(faults.errors.count, 0);
}

static void what_is_no_json_is_refused_with_its_line_and_column(void **state)
{
	(void)state;
	assert_text_fault("", "is not JSON: line 1, column 0");
	assert_text_fault("{\n\"a\": 1,\n}", "is not JSON: line 3, column 1");
	assert_text_fault("{\"a\": 1} x", "end of file expected");
	assert_text_fault("{\"a\": 01}", "is not JSON");
	assert_text_fault("{\"a\": 99999999999999999999}", "too big integer");
	assert_text_fault("{\"a\": 1e999}", "real number overflow");
}

static void a_key_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	assert_text_fault("{\"a\": 1, \"a\": 2}", "duplicate object key");
	assert_text_fault("{\"a\": 1, \"\\u0061\": 2}", "duplicate object key");
}

static void a_nul_is_refused_in_every_form(void **state)
{
	static const char raw[] = "{\"a\": \"x\0y\"}";

	(void)state;
	assert_fault(raw, sizeof(raw) - 1, "is not JSON");
	assert_text_fault("{\"a\\u0000\": 1}", "is not JSON");
}

static void a_nul_in_a_text_is_told_with_its_place(void **state)
{
	static const char text[] =
		"{\"a\": [\"\\\\u0000\", {\"b/c\": \"\\u0000\"}], \"d\": \"x\\u0000y\"}";
	cleanup_faults struct faults faults = {0};

	(void)state;
	assert_null(document_parse(text, strlen(text), &faults));
	assert_int_equal(faults.errors.count, 2);
	assert_string_equal(faults.errors.items[0].path, "/a/1/b~1c");
	assert_string_equal(faults.errors.items[1].path, "/d");
	assert_string_equal(faults.errors.items[1].text, "must not hold a NUL");
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
	(void)state;
	assert_text_fault("{\"a\": \"\xff\"}", "unable to decode byte 0xff");
	assert_text_fault("{\"a\": \"\xc0\x80\"}", "unable to decode byte 0xc0");
	assert_text_fault("{\"a\": \"\xed\xa0\x80\"}", "unable to decode byte 0xed");
	assert_text_fault("{\"a\": \"\\ud800\"}", "is not JSON");
}

static void nesting_is_taken_to_the_limit_and_no_deeper(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	for (unsigned i = 0; i < DOCUMENT_DEPTH_MAX; i++)
		buf_append_char(&text, '[');
	for (unsigned i = 0; i < DOCUMENT_DEPTH_MAX; i++)
		buf_append_char(&text, ']');
	assert_parses(&text);
	buf_clear(&text);
	for (unsigned i = 0; i <= DOCUMENT_DEPTH_MAX; i++)
		buf_append_char(&text, '[');
	assert_text_fault(buf_text(&text), "must not nest deeper than 32 levels");
}

static void brackets_and_commas_in_texts_are_not_counted(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4 * MIB);

	(void)state;
	buf_append_text(&text, "[\"\\\"");
	for (unsigned i = 0; i < 2 * DOCUMENT_VALUES_MAX; i++)
		buf_append_char(&text, i % 2 ? '[' : ',');
	buf_append_text(&text, "\\\\\"]");
	assert_parses(&text);
}

static void more_values_than_the_limit_are_refused(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4 * MIB);

	(void)state;
	buf_append_text(&text, "[0");
	for (unsigned i = 0; i < DOCUMENT_VALUES_MAX; i++)
		buf_append_text(&text, ",0");
	buf_append_text(&text, "]");
	assert_text_fault(buf_text(&text), "must hold at most 500000 values");
}

static void a_larger_text_than_the_limit_is_refused(void **state)
{
	cleanup_free char *text = xcalloc(DOCUMENT_SIZE_MAX + 1, 1);

	(void)state;
	memset(text, ' ', DOCUMENT_SIZE_MAX + 1);
	assert_fault(text, DOCUMENT_SIZE_MAX + 1, "must be at most 16777216 bytes");
	assert_fault(text, DOCUMENT_SIZE_MAX, "is not JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_json_is_refused_with_its_line_and_column),
		cmocka_unit_test(a_key_that_is_there_twice_is_refused),
		cmocka_unit_test(a_nul_is_refused_in_every_form),
		cmocka_unit_test(a_nul_in_a_text_is_told_with_its_place),
		cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
		cmocka_unit_test(nesting_is_taken_to_the_limit_and_no_deeper),
		cmocka_unit_test(brackets_and_commas_in_texts_are_not_counted),
		cmocka_unit_test(more_values_than_the_limit_are_refused),
		cmocka_unit_test(a_larger_text_than_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
