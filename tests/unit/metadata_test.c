/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/metadata.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "captured_log.h"
#include "drive/ssh_key.h"

#define UUID "2b4d2d4e-0d53-4f0e-9d3d-0c0ffee00001"

static int parse(const char *text, struct metadata *ret_metadata, struct err *err)
{
	struct captured_log log;
	int r;

	captured_log_start(&log);
	r = metadata_parse(text, strlen(text), ret_metadata, err);
	captured_log_stop(&log);
	return r;
}

static void what_nova_says_is_read(void **state)
{
	CLEANUP(metadata_deinit) struct metadata metadata = {0};
	static const char text[] =
		"{\"uuid\": \"" UUID
		"\", \"hostname\": \"amphora-1.novalocal\", \"launch_index\": 0,"
		" \"files\": [{\"path\": \"/etc/a\", \"content_path\": \"/content/0001\"},"
		"             {\"path\": \"/etc/b\", \"content_path\": \"/content/0000\"}],"
		" \"public_keys\": {\"k\": \"ssh-rsa AAAA= me\\n\"}, \"random_seed\": "
		"\"c2VlZA==\"}";

	(void)state;
	assert_int_equal(parse(text, &metadata, NULL), 0);
	assert_string_equal(metadata.uuid.text, UUID);
	assert_string_equal(metadata.host_name->full, "amphora-1.novalocal");
	assert_string_equal(metadata.host_name->label, "amphora-1");
	assert_int_equal(metadata.file_count, 2);
	assert_string_equal(metadata.files[1].path.text, "/etc/b");
	assert_string_equal(metadata.files[1].content_path.text, "/content/0000");
	assert_int_equal(metadata.public_key_count, 1);
	assert_string_equal(metadata.random_seed, "c2VlZA==");
}

static void a_uuid_is_all_that_must_be_there(void **state)
{
	CLEANUP(metadata_deinit) struct metadata metadata = {0};

	(void)state;
	assert_int_equal(parse("{\"uuid\": \"" UUID "\"}", &metadata, NULL), 0);
	assert_null(metadata.host_name);
	assert_null(metadata.random_seed);
	assert_int_equal(metadata.file_count + metadata.public_key_count, 0);
	assert_int_equal(parse("{\"files\": []}", &metadata, NULL), -EINVAL);
}

static void one_bad_file_spoils_all_and_is_named(void **state)
{
	struct metadata metadata = {.file_count = 77};
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(
		parse("{\"uuid\": \"a\", \"files\": [{\"path\": \"/a\", \"content_path\": \"/c\"},"
		      "{\"path\": \"/etc/../b\", \"content_path\": \"/c\"}]}",
			&metadata, &err),
		-EINVAL);
	assert_non_null(strstr(err.text, "number 2"));
	assert_non_null(strstr(err.text, "/etc/../b"));
	assert_int_equal(metadata.file_count, 77);
}

static void a_key_that_cannot_be_used_is_left_out(void **state)
{
	CLEANUP(metadata_deinit) struct metadata metadata = {0};

	(void)state;
	assert_int_equal(parse("{\"uuid\": \"a\", \"public_keys\": {\"a\": 5, \"b\": \"no key\","
			       " \"c\": \"ssh-rsa AAAA\"}}",
				 &metadata, NULL),
		0);
	assert_int_equal(metadata.public_key_count, 1);
	assert_string_equal(metadata.public_keys[0], "ssh-rsa AAAA");
}

static void what_is_said_of_bad_json_quotes_none_of_it(void **state)
{
	struct metadata metadata;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(
		parse("{\"random_seed\": \"secret\" \"secret\"}", &metadata, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
}

static void a_host_name_is_rfc_1123s(void **state)
{
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b",
		"a/b", "a\nb", "\xc3\xa4",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct host_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(host_name_parse(bad[i], &name, NULL), -EINVAL);
	assert_int_equal(host_name_parse("Amphora-1", &name, NULL), 0);
	assert_string_equal(name.full, "Amphora-1");
	assert_string_equal(name.label, "Amphora-1");
	assert_int_equal(host_name_parse("3com.example.org", &name, NULL), 0);
	assert_string_equal(name.label, "3com");
}

static void a_host_name_has_a_largest_size(void **state)
{
	struct host_name name;
	char text[HOST_NAME_SIZE_MAX + 2] = "";

	(void)state;
	for (size_t i = 0; i < HOST_NAME_SIZE_MAX; i++)
		text[i] = i % 2 ? '.' : 'a';
	assert_int_equal(host_name_parse(text, &name, NULL), 0);
	text[HOST_NAME_SIZE_MAX - 1] = 'a';
	text[HOST_NAME_SIZE_MAX] = 'a';
	assert_int_equal(host_name_parse(text, &name, NULL), -EINVAL);
}

static void check_hosts(const char *host_name, const char *before, const char *after)
{
	cleanup_buf struct buf old = BUF_INIT(1000);
	cleanup_buf struct buf hosts = BUF_INIT(1000);
	struct host_name name;

	assert_int_equal(host_name_parse(host_name, &name, NULL), 0);
	buf_append_text(&old, before);
	host_name_format_hosts(&name, &old, &hosts);
	assert_string_equal(buf_text(&hosts), after);
}

static void hosts_knows_the_machine_once_and_keeps_the_rest(void **state)
{
	(void)state;
	check_hosts("a", "127.0.0.1 localhost\n127.0.1.1 old\n10.0.0.1 x",
		"127.0.0.1 localhost\n10.0.0.1 x\n127.0.1.1\ta\n");
	check_hosts("a.b", "127.0.1.1\ta.b a\n127.0.1.10 other\n",
		"127.0.1.10 other\n127.0.1.1\ta.b a\n");
	check_hosts("a", "",
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\ta\n");
}

static void a_key_is_type_base64_and_comment_on_one_line(void **state)
{
	static const char *const bad[] = {"", "ssh-rsa", "ssh-rsa ", "AAAA", "ssh-rsa\tAAAA",
		"command=\"sh\" ssh-rsa AAAA", "ssh-rsa AAAA\nssh-rsa BBBB", "ssh-rsa (AAAA)",
		"ssh-rsa AAAA,b", "ssh-rsa AAAA \x1b[2J"};
	static const char *const good[] = {"ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 A+/= me@here b",
		"sk-ssh-ed25519@openssh.com AAAA\r\n", "  ssh-rsa AAAA"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ssh_key_check(bad[i], NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(ssh_key_check(good[i], NULL), 0);
}

static void a_key_is_authorized_once(void **state)
{
	cleanup_buf struct buf keys = BUF_INIT(1000);

	(void)state;
	buf_append_text(&keys, "# by hand\nssh-rsa AAAA me and you");
	ssh_key_authorize("ssh-rsa AAAA me\n", &keys);
	ssh_key_authorize("ssh-rsa AAAA me", &keys);
	assert_string_equal(
		buf_text(&keys), "# by hand\nssh-rsa AAAA me and you\nssh-rsa AAAA me\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nova_says_is_read),
		cmocka_unit_test(a_uuid_is_all_that_must_be_there),
		cmocka_unit_test(one_bad_file_spoils_all_and_is_named),
		cmocka_unit_test(a_key_that_cannot_be_used_is_left_out),
		cmocka_unit_test(what_is_said_of_bad_json_quotes_none_of_it),
		cmocka_unit_test(a_host_name_is_rfc_1123s),
		cmocka_unit_test(a_host_name_has_a_largest_size),
		cmocka_unit_test(hosts_knows_the_machine_once_and_keeps_the_rest),
		cmocka_unit_test(a_key_is_type_base64_and_comment_on_one_line),
		cmocka_unit_test(a_key_is_authorized_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
