/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/user_data.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "captured_log.h"

static struct captured_log said;

static int setup(void **state)
{
	(void)state;
	captured_log_start(&said);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	captured_log_stop(&said);
	return 0;
}

static int parse(const char *text, struct user_data *ret_user_data, struct err *err)
{
	return user_data_parse(text, strlen(text), ret_user_data, err);
}

#define FILE_A "#cloud-config\nwrite_files:\n-   path: /a\n"

/* What the block of one file becomes. */
static void check_block(const char *block, const char *content)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};
	cleanup_buf struct buf text = BUF_INIT(4096);

	buf_append_format(&text, FILE_A "    content: |\n%sruncmd:\n-   true\n", block);
	assert_int_equal(parse(buf_text(&text), &user_data, NULL), 0);
	assert_int_equal(user_data.files.count, 1);
	assert_int_equal(user_data.files.items[0].size_bytes, strlen(content));
	assert_string_equal(user_data.files.items[0].content, content);
}

static void a_block_ends_with_one_newline_and_is_else_literal(void **state)
{
	(void)state;
	check_block("        a\n", "a\n");
	check_block("        a\n\n\n", "a\n");
	check_block("        a\n\n\n        b\n", "a\n\n\nb\n");
	check_block("        \n        a\n", "\na\n");
	check_block("          a\n            b\n", "  a\n    b\n");
	check_block("        a  \n        \tb # c\n", "a  \n\tb # c\n");
	check_block("        a\n          \n", "a\n  \n");
	check_block("        &amp;amp;&#34;\n", "&amp;amp;&#34;\n");
	check_block("        -   path: /b\n        runcmd:\n", "-   path: /b\nruncmd:\n");
	check_block("        \n", "");
	check_block("\n", "");
	check_block("        \xff\x80\r\n", "\xff\x80\r\n");
}

static void files_follow_each_other_and_other_keys_follow_them(void **state)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};

	(void)state;
	assert_int_equal(
		parse("#cloud-config\n# a comment\nwrite_files:\n-   path: /a\n    content: |\n"
		      "        1\n\n-   path: /b c\n    content: |\n        2\nruncmd:\n"
		      "-   systemctl restart rsyslog\n-   service amphora-agent restart\n\n"
		      "timezone: Europe/Vienna",
			&user_data, NULL),
		0);
	assert_int_equal(user_data.files.count, 2);
	assert_string_equal(user_data.files.items[0].path.text, "/a");
	assert_string_equal(user_data.files.items[0].content, "1\n");
	assert_string_equal(user_data.files.items[1].path.text, "/b c");
	assert_string_equal(user_data.files.items[1].content, "2\n");
	assert_string_equal(user_data.timezone, "Europe/Vienna");
	assert_string_equal(captured_log_text(&said), "");
}

static void what_no_amphora_is_sent_is_named_and_left_out(void **state)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};

	(void)state;
	assert_int_equal(parse("#cloud-config\nusers:\n  - name: root\n    content: |\n        x\n"
			       "packages: [a, b]\ntimezone: UTC\n",
				 &user_data, NULL),
		0);
	assert_string_equal(user_data.timezone, "UTC");
	assert_int_equal(user_data.files.count, 0);
	assert_int_equal(captured_log_count(&said, "left out"), 2);
	assert_int_equal(captured_log_count(&said, "line 2: 'users:'"), 1);
	assert_int_equal(captured_log_count(&said, "line 6: 'packages: [a, b]'"), 1);
}

static void who_may_read_a_file_is_not_the_drives_to_say(void **state)
{
	CLEANUP(user_data_deinit) struct user_data user_data = {0};

	(void)state;
	assert_int_equal(parse(FILE_A "    permissions: '0777'\n    content: |\n        x\n"
				      "    owner: nobody:nogroup\n",
				 &user_data, NULL),
		0);
	assert_string_equal(user_data.files.items[0].content, "x\n");
	assert_int_equal(captured_log_count(&said, "left out"), 2);
}

static void a_file_of_another_shape_is_a_fault_with_its_line(void **state)
{
	static const char *const faults[] = {
		"    encoding: b64\n    content: |\n        eA==\n",
		"    append: true\n    content: |\n        x\n",
		"    content: text\n",
		"    content: |-\n        x\n",
		"    content: |2\n        x\n",
		"    content: >\n        x\n",
		"    content: |\n       seven\n",
		"    content: |\n\ttab\n",
		"    content: |\n        x\n    content: |\n        y\n",
		"    content: |\n        x\n  odd\n",
		"    content: |\n        x\n- path: /b\n",
		"    content: |\n        x\n-   name: /b\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		cleanup_buf struct buf text = BUF_INIT(4096);
		struct user_data user_data = {.timezone = "untouched"};
		struct err err = ERR_NONE;

		buf_append_format(&text, FILE_A "%s", faults[i]);
		assert_int_equal(parse(buf_text(&text), &user_data, &err), -EINVAL);
		assert_non_null(strstr(err.text, "line "));
		assert_string_equal(user_data.timezone, "untouched");
	}
}

static void a_file_without_content_is_a_fault(void **state)
{
	struct user_data user_data;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(
		parse(FILE_A "-   path: /b\n    content: |\n        x\n", &user_data, &err),
		-EINVAL);
	assert_string_equal(err.text, "/a has no content");
	assert_int_equal(parse(FILE_A, &user_data, NULL), -EINVAL);
}

static void a_path_that_yaml_would_read_otherwise_is_a_fault(void **state)
{
	static const char *const paths[] = {
		"/a #b", "/a: b", "/a ", "/a:", "\"/a\"", "'/a'", "&a /b", "/dev/sda", "/a/../b"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cleanup_buf struct buf text = BUF_INIT(4096);
		struct user_data user_data;
		struct err err = ERR_NONE;

		buf_append_format(&text,
			"#cloud-config\nwrite_files:\n-   path: %s\n    content: |\n        x\n",
			paths[i]);
		assert_int_equal(parse(buf_text(&text), &user_data, &err), -EINVAL);
		assert_non_null(strstr(err.text, "line 3: "));
	}
}

static void what_is_no_cloud_config_is_left_out(void **state)
{
	static const char *const texts[] = {"", "\n", "#!/bin/sh\nwrite_files:\n",
		"#cloud-config-archive\n", " #cloud-config\n", "Content-Type: multipart/mixed\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct user_data user_data = {.timezone = "old"};

		assert_int_equal(parse(texts[i], &user_data, NULL), 0);
		assert_int_equal(user_data.files.count, 0);
		assert_string_equal(user_data.timezone, "");
	}
	assert_int_equal(captured_log_count(&said, "is no #cloud-config"), 6);
}

static void a_nul_is_a_fault(void **state)
{
	static const char text[] = FILE_A "    content: |\n        a\0b\n";
	struct user_data user_data;

	(void)state;
	assert_int_equal(user_data_parse(text, sizeof(text) - 1, &user_data, NULL), -EINVAL);
}

static void a_time_zone_is_a_name_below_a_folder(void **state)
{
	static const char *const bad[] = {"", "/UTC", "a//b", "a/", "../../etc/passwd", "a.b",
		"a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const good[] = {
		"UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + sizeof(good) / sizeof(good[0]); i++) {
		bool is_good = i >= sizeof(bad) / sizeof(bad[0]);
		const char *name = is_good ? good[i - sizeof(bad) / sizeof(bad[0])] : bad[i];
		cleanup_buf struct buf text = BUF_INIT(4096);
		struct user_data user_data;

		buf_append_format(&text, "#cloud-config\ntimezone: %s\n", name);
		assert_int_equal(parse(buf_text(&text), &user_data, NULL), 0);
		assert_string_equal(user_data.timezone, is_good ? name : "");
	}
}

static void files_are_bounded_in_number_and_size(void **state)
{
	cleanup_buf struct buf many = BUF_INIT(MIB);
	cleanup_buf struct buf large = BUF_INIT(MIB);
	struct user_data user_data;

	(void)state;
	buf_append_text(&many, "#cloud-config\nwrite_files:\n");
	for (int i = 0; i <= DRIVE_FILES_MAX; i++)
		buf_append_format(&many, "-   path: /a%d\n    content: |\n        x\n", i);
	assert_int_equal(parse(buf_text(&many), &user_data, NULL), -E2BIG);
	buf_append_text(&large, FILE_A "    content: |\n");
	for (int i = 0; i <= DRIVE_FILE_SIZE_MAX / 1024; i++)
		buf_append_format(&large, "        %01023d\n", i);
	assert_int_equal(parse(buf_text(&large), &user_data, NULL), -EMSGSIZE);
}

#define with_log(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_log(a_block_ends_with_one_newline_and_is_else_literal),
		with_log(files_follow_each_other_and_other_keys_follow_them),
		with_log(what_no_amphora_is_sent_is_named_and_left_out),
		with_log(who_may_read_a_file_is_not_the_drives_to_say),
		with_log(a_file_of_another_shape_is_a_fault_with_its_line),
		with_log(a_file_without_content_is_a_fault),
		with_log(a_path_that_yaml_would_read_otherwise_is_a_fault),
		with_log(what_is_no_cloud_config_is_left_out),
		with_log(a_nul_is_a_fault),
		with_log(a_time_zone_is_a_name_below_a_folder),
		with_log(files_are_bounded_in_number_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
