/* SPDX-License-Identifier: Apache-2.0 */
/* What oslo.config 9.0 makes of the same texts was tried; a test says so where we differ. */
#include "conf/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

DEFINE_CLEANUP(struct ini *, ini_free);

static struct ini *parsed(const char *text)
{
	struct ini *ini = ini_new();
	struct err err = ERR_NONE;

	if (ini_parse(ini, "agent.conf", text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	return ini;
}

/* The value of [s] key, which must be there. */
static const char *value_of(const struct ini *ini, const char *key)
{
	const struct ini_entry *entry = ini_find(ini, "s", key);

	assert_non_null(entry);
	return entry->value;
}

static void value_is(const char *text, const char *key, const char *expected)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = parsed(text);

	assert_string_equal(value_of(ini, key), expected);
}

static void text_is_refused(const char *text, size_t size_bytes, const char *expected)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	struct err err = ERR_NONE;

	assert_int_equal(ini_parse(ini, "agent.conf", text, size_bytes, &err), -EINVAL);
	if (!strstr(err.text, expected))
		fail_msg("'%s' is not in '%s'", expected, err.text);
}

static void line_is_refused(const char *text, const char *expected)
{
	text_is_refused(text, strlen(text), expected);
}

static void the_first_separator_of_either_kind_counts(void **state)
{
	(void)state;
	value_is("[s]\na = b", "a", "b");
	value_is("[s]\na : b", "a", "b");
	value_is("[s]\na=b", "a", "b");
	value_is("[s]\nurl=http://x:80/=", "url", "http://x:80/=");
	value_is("[s]\nlist: a=b", "list", "a=b");
	value_is("[s]\ntwo words = b", "two words", "b");
	value_is("[s]\na =", "a", "");
}

static void a_comment_fills_its_line_from_the_first_column(void **state)
{
	(void)state;
	value_is("# c\n[s]\n;c = d\n#a = 1\na = 2\n", "a", "2");
	value_is("[s]\na = b # not a comment\n", "a", "b # not a comment");
	value_is("[s]\na = b ; c\n", "a", "b ; c");
	value_is("[s]\na = #key\n", "a", "#key");
	value_is("[s]\na = b\n  # goes on\n", "a", "b\n# goes on");
}

static void indented_lines_continue_a_value(void **state)
{
	(void)state;
	value_is("[s]\na = 1,\n  2,\n\t3  \nb = 4\n", "a", "1,\n2,\n3");
	value_is("[s]\na =\n  1\n", "a", "\n1");
	value_is("[s]\na = 1\n  b = 2\n", "a", "1\nb = 2");
	value_is("[s]\na = 1\n  [t]\nb = 2", "b", "2");
	value_is("[s]\na = \"1\"\n \"2\"\n", "a", "1\n\"2\"");
}

static void an_indented_line_must_follow_a_value(void **state)
{
	(void)state;
	line_is_refused("[s]\n a = 1\n", "agent.conf:2: an indented line");
	line_is_refused("[s]\na = 1\n\n  2\n", "agent.conf:4: an indented line");
	line_is_refused("[s]\na = 1\n# c\n  2\n", "agent.conf:4: an indented line");
	line_is_refused(" [s]\n", "agent.conf:1: an indented line");
}

static void a_line_of_blanks_ends_a_value(void **state)
{
	(void)state;
	value_is("[s]\na = 1\n   \t\nb = 2\n", "b", "2");
	line_is_refused("[s]\na = 1\n   \n  2\n", "agent.conf:4:");
}

static void one_pair_of_equal_quotes_is_dropped(void **state)
{
	(void)state;
	value_is("[s]\na = \"b c\"", "a", "b c");
	value_is("[s]\na = '  b  '", "a", "  b  ");
	value_is("[s]\na = \"\"b\"\"", "a", "\"b\"");
	value_is("[s]\na = \"b'", "a", "\"b'");
	value_is("[s]\na = b\"", "a", "b\"");
	value_is("[s]\na = \"", "a", "");
	value_is("[s]\na = \"\"", "a", "");
	value_is("[s]\na = 'b' 'c'", "a", "b' 'c");
}

static void two_dollars_are_one(void **state)
{
	(void)state;
	value_is("[s]\na = b$$c", "a", "b$c");
	value_is("[s]\na = $$$$", "a", "$$");
	value_is("[s]\na = $$$", "a", "$$");
	value_is("[s]\na = b\\$c", "a", "b$c");
	value_is("[s]\na = b\\\\$c", "a", "b\\$c");
	value_is("[s]\na = $\\$", "a", "$$");
	value_is("[s]\na = $ $1 ${ ${} $", "a", "$ $1 ${ ${} $");
}

static void a_reference_stays_and_is_marked(void **state)
{
	static const struct {
		const char *value;
		const char *expected;
		bool has_reference;
	} cases[] = {
		{"$base_path/certs", "$base_path/certs", true},
		{"/x/${base_path}", "/x/${base_path}", true},
		{"${haproxy_amphora.base_path}", "${haproxy_amphora.base_path}", true},
		{"$$base_path", "$base_path", false},
		{"\\$base_path", "$base_path", false},
		{"$$${a}", "$${a}", true},
		{"$1", "$1", false},
		{"${a", "${a", false},
		{"${a b}", "${a b}", false},
		{"${}", "${}", false},
		{"a$", "a$", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *text = xformat("[s]\na = %s\n", cases[i].value);
		CLEANUP(cleanup_ini_free) struct ini *ini = parsed(text);

		assert_string_equal(value_of(ini, "a"), cases[i].expected);
		assert_int_equal(ini_find(ini, "s", "a")->has_reference, cases[i].has_reference);
	}
}

static void the_last_of_equal_keys_counts(void **state)
{
	(void)state;
	value_is("[s]\na = 1\na = 2\n", "a", "2");
	value_is("[s]\na = 1\nb = 1\n[t]\na = 3\n[s]\na = 2\n", "a", "2");
	value_is("[s]\na = 1\nb = 7\n[t]\na = 3\n[s]\na = 2\n", "b", "7");
}

static void a_later_text_wins_over_an_earlier_one(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = parsed("[s]\na = 1\nb = 1\n");

	(void)state;
	assert_int_equal(ini_parse(ini, "later.conf", "[s]\n\na = 2\n", 11, NULL), 0);
	assert_string_equal(value_of(ini, "a"), "2");
	assert_string_equal(value_of(ini, "b"), "1");
	assert_string_equal(ini_find(ini, "s", "a")->file, "later.conf");
	assert_int_equal(ini_find(ini, "s", "a")->line, 3);
	assert_string_equal(ini_find(ini, "s", "b")->file, "agent.conf");
}

static void sections_are_found_in_any_case_but_default(void **state)
{
	CLEANUP(cleanup_ini_free)
	struct ini *ini = parsed("[Ab]\nx = 1\n[DEFAULT]\nx = 2\n[default]\nx = 3\n[ c ]\nx = 4\n");

	(void)state;
	assert_string_equal(ini_find(ini, "ab", "x")->value, "1");
	assert_string_equal(ini_find(ini, "DEFAULT", "x")->value, "2");
	assert_string_equal(ini_find(ini, "default", "x")->value, "3");
	assert_string_equal(ini_find(ini, " c ", "x")->value, "4");
	assert_null(ini_find(ini, "c", "x"));
	assert_null(ini_find(ini, "ab", "X"));
}

static void every_kind_of_line_end_is_one(void **state)
{
	CLEANUP(cleanup_ini_free)
	struct ini *ini = parsed("[s]\r\na = 1\r\n  2\r\n\r\nb = 3\rc = 4\n\rd = 5");

	(void)state;
	assert_string_equal(value_of(ini, "a"), "1\n2");
	assert_string_equal(value_of(ini, "b"), "3");
	assert_string_equal(value_of(ini, "c"), "4");
	assert_int_equal(ini_find(ini, "s", "c")->line, 6);
	assert_int_equal(ini_find(ini, "s", "d")->line, 8);
}

static void the_line_of_a_continued_value_is_its_first(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = parsed("# x\n[s]\n\na = 1\n  2\n  3\nb = 4\n");

	(void)state;
	assert_int_equal(ini_find(ini, "s", "a")->line, 4);
	assert_int_equal(ini_find(ini, "s", "b")->line, 7);
}

static void malformed_lines_are_named_by_file_and_line(void **state)
{
	(void)state;
	line_is_refused("a = 1\n[s]\n", "agent.conf:1: a key before the first [section]");
	line_is_refused("[s]\nx = 1\nnothing\n", "agent.conf:3: neither a [section]");
	line_is_refused("[s]\n= 1\n", "agent.conf:2: no key");
	line_is_refused("[s]\n : 1\n", "agent.conf:2: an indented line");
	line_is_refused("[s\n", "agent.conf:1: a [section] must end with ']'");
	line_is_refused("[s] # c\n", "agent.conf:1: a [section] must end with ']'");
	line_is_refused("[\n", "agent.conf:1: a [section] must end with ']'");
	line_is_refused("[]\n", "agent.conf:1: a [section] must have a name");
}

static void a_message_never_quotes_the_line(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	const char text[] = "[s]\nheartbeat_key very-secret\n";
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(ini_parse(ini, "f", text, strlen(text), &err), -EINVAL);
	assert_null(strstr(err.text, "very-secret"));
}

/* oslo.config takes NUL for data, and ends with a traceback for the rest. */
static void what_is_no_text_is_refused(void **state)
{
	(void)state;
	text_is_refused("[s]\na = 1\0\n", 11, "agent.conf:2: not UTF-8");
	line_is_refused("[s]\na = \xff\n", "agent.conf:2: not UTF-8");
	line_is_refused("[s]\n\n# \xc3\n", "agent.conf:3: not UTF-8");
	line_is_refused("\xef\xbb\xbf[s]\na = 1\n", "agent.conf:1: neither a [section]");
	value_is("[s]\na = \xc3\xa9\xe2\x82\xac", "a", "\xc3\xa9\xe2\x82\xac");
}

static void a_line_may_be_as_long_as_the_file(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	cleanup_free char *text = xcalloc(INI_FILE_MAX_BYTES + 2, 1);

	(void)state;
	memset(text, 'x', INI_FILE_MAX_BYTES + 1);
	memcpy(text, "[s]\na=", 6);
	assert_int_equal(ini_parse(ini, "f", text, INI_FILE_MAX_BYTES, NULL), 0);
	assert_int_equal(strlen(value_of(ini, "a")), INI_FILE_MAX_BYTES - 6);
	assert_int_equal(ini_parse(ini, "f", text, INI_FILE_MAX_BYTES + 1, NULL), -EMSGSIZE);
}

static void too_many_keys_are_refused(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	cleanup_buf struct buf text = BUF_INIT(INI_FILE_MAX_BYTES);
	struct err err = ERR_NONE;

	(void)state;
	buf_append_text(&text, "[s]\n");
	for (int i = 0; i < INI_ENTRIES_MAX; i++)
		buf_append_text(&text, "a=\n");
	assert_int_equal(ini_parse(ini, "f", buf_text(&text), text.size_bytes, &err), 0);
	assert_int_equal(ini_parse(ini, "g", "[s]\na=\n", 7, &err), -EMSGSIZE);
	assert_non_null(strstr(err.text, "g:2:"));
}

static void a_file_is_read_under_its_path(void **state)
{
	char path[] = "/tmp/ini-test-XXXXXX";
	CLEANUP(cleanup_ini_free) struct ini *ini = ini_new();
	int fd = mkostemp(path, O_CLOEXEC);
	struct err err = ERR_NONE;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[s]\na = 1\n", 10), 10);
	close(fd);
	assert_int_equal(ini_read(ini, path, &err), 0);
	unlink(path);
	assert_string_equal(value_of(ini, "a"), "1");
	assert_string_equal(ini_find(ini, "s", "a")->file, path);
	assert_int_equal(ini_read(ini, path, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(ini_read(ini, "/tmp", &err), -EINVAL);
}

static void nothing_is_a_configuration_too(void **state)
{
	CLEANUP(cleanup_ini_free) struct ini *ini = parsed("");

	(void)state;
	assert_null(ini_find(ini, "s", "a"));
	assert_int_equal(ini_parse(ini, "f", NULL, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_separator_of_either_kind_counts),
		cmocka_unit_test(a_comment_fills_its_line_from_the_first_column),
		cmocka_unit_test(indented_lines_continue_a_value),
		cmocka_unit_test(an_indented_line_must_follow_a_value),
		cmocka_unit_test(a_line_of_blanks_ends_a_value),
		cmocka_unit_test(one_pair_of_equal_quotes_is_dropped),
		cmocka_unit_test(two_dollars_are_one),
		cmocka_unit_test(a_reference_stays_and_is_marked),
		cmocka_unit_test(the_last_of_equal_keys_counts),
		cmocka_unit_test(a_later_text_wins_over_an_earlier_one),
		cmocka_unit_test(sections_are_found_in_any_case_but_default),
		cmocka_unit_test(every_kind_of_line_end_is_one),
		cmocka_unit_test(the_line_of_a_continued_value_is_its_first),
		cmocka_unit_test(malformed_lines_are_named_by_file_and_line),
		cmocka_unit_test(a_message_never_quotes_the_line),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(a_line_may_be_as_long_as_the_file),
		cmocka_unit_test(too_many_keys_are_refused),
		cmocka_unit_test(a_file_is_read_under_its_path),
		cmocka_unit_test(nothing_is_a_configuration_too),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
