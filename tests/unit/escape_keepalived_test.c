/* SPDX-License-Identifier: Apache-2.0 */
#include "render/escape_keepalived.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/keepalived_word.h"
#include "real_keepalived.h"

static void assert_escaped(const char *text, const char *expected)
{
	cleanup_buf struct buf result = BUF_INIT(4 * KIB);

	escape_keepalived(text, strlen(text), &result);
	assert_string_equal(buf_text(&result), expected);
}

static void assert_argument(const char *text, const char *expected)
{
	cleanup_buf struct buf result = BUF_INIT(4 * KIB);

	escape_keepalived_argument(text, strlen(text), &result);
	assert_string_equal(buf_text(&result), expected);
}

/* A config in which an instance has the text for its type of authentication. */
static void append_instance(struct buf *config, unsigned number, const char *text)
{
	buf_append_format(config,
		"vrrp_instance i%u {\n"
		"    interface eth1\n"
		"    virtual_router_id %u\n"
		"    virtual_ipaddress {\n"
		"        198.51.100.77\n"
		"    }\n"
		"    authentication {\n"
		"        auth_type ",
		number, number);
	escape_keepalived(text, strlen(text), config);
	buf_append_text(config, "\n    }\n}\n");
}

/* keepalived's complaints about the types, which are the words that it read; the caller frees. */
static char *complaints(const struct buf *config)
{
	cleanup_free char *path = in_temporary_folder("words.conf");
	const char *const argv[] = {settings.keepalived_cmd, "--config-test", "-f", path, NULL};
	const struct process_spec spec = {.argv = argv, .network_namespace = namespace_name};
	cleanup_buf struct buf output = BUF_INIT(256 * KIB);
	int status;

	temporary_file("words.conf", buf_text(config));
	assert_int_equal(process_run(&spec, 10000, &output, &status, NULL), 0);
	return buf_take_text(&output);
}

static void assert_read(const char *output, unsigned number, const char *text)
{
	cleanup_free char *expected =
		xformat("(i%u) unknown authentication type '%s'", number, text);

	if (!strstr(output, expected))
		fail_msg("no \"%s\" in:\n%s", expected, output);
}

static void keepalived_reads_back_every_byte_that_a_model_may_hold(void **state)
{
	cleanup_buf struct buf config = BUF_INIT(MIB);
	cleanup_free char *output = NULL;
	unsigned count = 0;

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		const char text[] = {(char)byte, 'x', (char)byte, '4', '\0'};

		if (keepalived_word_fault(text))
			continue;
		append_instance(&config, byte, text);
		count++;
	}
	/* All but the newline, the quote, and '$' before a letter. */
	assert_int_equal(count, 252);
	output = complaints(&config);
	for (unsigned byte = 1; byte < 256; byte++) {
		const char text[] = {(char)byte, 'x', (char)byte, '4', '\0'};

		if (!keepalived_word_fault(text))
			assert_read(output, byte, text);
	}
}

static void keepalived_reads_back_texts_that_look_like_something_else(void **state)
{
	static const char *const texts[] = {
		"@host /a",
		"~SEQ(x, 1, 3)",
		"include /etc/passwd",
		"#",
		"!",
		"{",
		"}",
		"} virtual_server",
		"$",
		"$$",
		"$ _PWD",
		"$1",
		"a\\",
		"a\\\\",
		"\\a\\\\",
		"'a b'",
		" blanks ",
		"\\#",
		"a\\!b",
		"\\n\\x41",
	};
	enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
	cleanup_buf struct buf config = BUF_INIT(MIB);
	cleanup_free char *output = NULL;
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		append_instance(&config, i + 1, texts[i]);
	output = complaints(&config);
	for (unsigned i = 0; i < COUNT; i++) {
		if (keepalived_word_fault(texts[i]))
			refused++;
		else
			assert_read(output, i + 1, texts[i]);
	}
	/* "a\" cannot be said, nor a brace alone; all others came back. */
	assert_int_equal(refused, 3);
}

static void the_longest_word_is_read_whole(void **state)
{
	char text[KEEPALIVED_WORD_MAX_BYTES + 2] = "";
	cleanup_buf struct buf config = BUF_INIT(MIB);
	cleanup_free char *output = NULL;

	(void)state;
	memset(text, '#', KEEPALIVED_WORD_MAX_BYTES);
	assert_null(keepalived_word_fault(text));
	append_instance(&config, 1, text);
	output = complaints(&config);
	assert_read(output, 1, text);
	text[KEEPALIVED_WORD_MAX_BYTES] = 'x';
	assert_non_null(keepalived_word_fault(text));
}

static void plain_words_stay_as_they_are(void **state)
{
	(void)state;
	assert_escaped("/healthz?a=1&b=%20,c+d_e-f.g:h", "/healthz?a=1&b=%20,c+d_e-f.g:h");
	assert_escaped("2001:db8::/64", "2001:db8::/64");
}

static void other_words_are_quoted(void **state)
{
	(void)state;
	assert_escaped("", "\"\"");
	assert_escaped("a b", "\"a b\"");
	assert_escaped("a#", "\"a#\"");
	assert_escaped("\xc3\xa4", "\"\xc3\xa4\"");
}

static void what_cannot_be_said_breaks_out_of_nothing(void **state)
{
	char text[2000];

	(void)state;
	assert_escaped("a\" {\n}b", "\"a? {?}b\"");
	assert_escaped("${_PWD}$_HASH", "\"?{_PWD}?_HASH\"");
	assert_escaped("a\\", "\"a?\"");
	assert_escaped("a\\\\\\", "\"a\\\\?\"");
	memset(text, 'a', sizeof(text));
	text[KEEPALIVED_WORD_MAX_BYTES] = '\0';
	text[sizeof(text) - 1] = '\0';
	{
		cleanup_buf struct buf nul = BUF_INIT(4 * KIB);
		cleanup_buf struct buf cut = BUF_INIT(4 * KIB);

		escape_keepalived("a\0b", 3, &nul);
		assert_string_equal(buf_text(&nul), "\"a?b\"");
		escape_keepalived(text, sizeof(text), &cut);
		assert_int_equal(cut.size_bytes, KEEPALIVED_WORD_MAX_BYTES + 2);
	}
}

static void faults_say_what_cannot_be_said(void **state)
{
	(void)state;
	assert_null(keepalived_word_fault(""));
	assert_null(keepalived_word_fault("/a?b=$1&c\\d"));
	assert_non_null(strstr(keepalived_word_fault("a\"b"), "must not hold '\"'"));
	assert_non_null(strstr(keepalived_word_fault("a$b"), "must not hold a '$'"));
	assert_non_null(strstr(keepalived_word_fault("a${b"), "must not hold a '$'"));
	assert_non_null(strstr(keepalived_word_fault("a$_"), "must not hold a '$'"));
	assert_non_null(strstr(keepalived_word_fault("a\nb"), "newline"));
	assert_non_null(strstr(keepalived_word_fault("a\\"), "backslash"));
	assert_null(keepalived_word_fault("a\\\\"));
	assert_non_null(strstr(keepalived_word_fault("}"), "brace"));
	assert_non_null(strstr(keepalived_word_fault("{"), "brace"));
	assert_null(keepalived_word_fault("{}"));
}

static void arguments_are_quoted_for_the_second_reading(void **state)
{
	(void)state;
	assert_argument(
		"/var/lib/octavia/vrrp/check_script.sh", "/var/lib/octavia/vrrp/check_script.sh");
	assert_argument("/a b", "'/a b'");
	assert_argument("/a'b\"c\\d", "'/a?b?c?d'");
	assert_argument("", "''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_keepalived(keepalived_reads_back_every_byte_that_a_model_may_hold),
		with_keepalived(keepalived_reads_back_texts_that_look_like_something_else),
		with_keepalived(the_longest_word_is_read_whole),
		cmocka_unit_test(plain_words_stay_as_they_are),
		cmocka_unit_test(other_words_are_quoted),
		cmocka_unit_test(what_cannot_be_said_breaks_out_of_nothing),
		cmocka_unit_test(faults_say_what_cannot_be_said),
		cmocka_unit_test(arguments_are_quoted_for_the_second_reading),
	};

	return cmocka_run_group_tests_name("escape_keepalived", tests, NULL, NULL);
}
