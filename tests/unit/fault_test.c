/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "model/fault.h"

static const struct place whole = {0};

static void the_whole_document_is_the_empty_pointer(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, NULL, "is wrong");
	assert_string_equal(faults.errors.items[0].path, "");
	assert_string_equal(faults.errors.items[0].text, "is wrong");
}

static void a_pointer_names_keys_and_elements(void **state)
{
	const struct place list = {.parent = &whole, .key = "listeners"};
	const struct place element = {.parent = &list, .index = 12};
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &element, NULL, "%d", 1);
	faults_add(&faults, &element, "name", "%d", 2);
	assert_string_equal(faults.errors.items[0].path, "/listeners/12");
	assert_string_equal(faults.errors.items[1].path, "/listeners/12/name");
	assert_string_equal(faults.errors.items[1].text, "2");
}

/* The examples of RFC 6901, section 5. */
static void tildes_and_slashes_in_keys_are_escaped(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_add(&faults, &whole, "a/b", "x");
	faults_add(&faults, &whole, "m~n", "x");
	faults_add(&faults, &whole, "", "x");
	faults_add(&faults, &whole, "c%d", "x");
	faults_add(&faults, &whole, "~1", "x");
	assert_string_equal(faults.errors.items[0].path, "/a~1b");
	assert_string_equal(faults.errors.items[1].path, "/m~0n");
	assert_string_equal(faults.errors.items[2].path, "/");
	assert_string_equal(faults.errors.items[3].path, "/c%d");
	assert_string_equal(faults.errors.items[4].path, "/~01");
}

static void the_list_ends_at_its_limit_and_counts_the_rest(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	for (unsigned i = 0; i < FAULTS_MAX + 7; i++)
		faults_add(&faults, &whole, NULL, "%u", i);
	assert_int_equal(faults.errors.count, FAULTS_MAX);
	assert_int_equal(faults.errors.left_out, 7);
	assert_string_equal(faults.errors.items[FAULTS_MAX - 1].text, "99");
}

static void warnings_are_no_errors(void **state)
{
	cleanup_faults struct faults faults = {0};

	(void)state;
	faults_warn(&faults, &whole, "timeout", "is long");
	assert_int_equal(faults.errors.count, 0);
	assert_int_equal(faults.warnings.count, 1);
	assert_string_equal(faults.warnings.items[0].path, "/timeout");
}

/* Whatever byte of a character the limits fall on. */
static void what_is_cut_within_a_character_stays_utf_8(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		cleanup_faults struct faults faults = {0};
		cleanup_buf struct buf long_text = BUF_INIT(64 * KIB);
		const struct fault *fault = &faults.errors.items[0];

		buf_append(&long_text, "abc", shift);
		for (int i = 0; i < 4096; i++)
			buf_append_text(&long_text, "\xf0\x9f\x98\x80");
		faults_add(&faults, &whole, buf_text(&long_text), "%s", buf_text(&long_text));
		assert_in_range(strlen(fault->path), 4000, 4096);
		assert_true(text_is_utf8(fault->path, strlen(fault->path)));
		assert_in_range(strlen(fault->text), 1000, 1023);
		assert_true(text_is_utf8(fault->text, strlen(fault->text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_document_is_the_empty_pointer),
		cmocka_unit_test(a_pointer_names_keys_and_elements),
		cmocka_unit_test(tildes_and_slashes_in_keys_are_escaped),
		cmocka_unit_test(the_list_ends_at_its_limit_and_counts_the_rest),
		cmocka_unit_test(warnings_are_no_errors),
		cmocka_unit_test(what_is_cut_within_a_character_stays_utf_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
