/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

#include "kill_process.h"

static char folder[64];

static int folder_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/base-test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_teardown(void **state)
{
	(void)state;
	return directory_remove(folder, NULL);
}

static char *in_folder(const char *name)
{
	return xformat("%s/%s", folder, name);
}

static void a_number_parses_whole_or_fails(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_int_equal(text_parse_u64("0", 0, 10, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(text_parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	value = 7;
	assert_int_equal(text_parse_u64("", 0, 10, &value), -EINVAL);
	assert_int_equal(text_parse_u64("+1", 0, 10, &value), -EINVAL);
	assert_int_equal(text_parse_u64("-1", 0, 10, &value), -EINVAL);
	assert_int_equal(text_parse_u64(" 1", 0, 10, &value), -EINVAL);
	assert_int_equal(text_parse_u64("1x", 0, 10, &value), -EINVAL);
	assert_int_equal(text_parse_u64("11", 0, 10, &value), -ERANGE);
	assert_int_equal(text_parse_u64("1", 2, 10, &value), -ERANGE);
	assert_int_equal(text_parse_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
	assert_int_equal(text_parse_u64("99999999999999999999999x", 0, 9, &value), -EINVAL);
	assert_int_equal(value, 7);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	static const char *const good[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_false(text_is_utf8("a\0b", 3));
}

static void what_is_no_utf8_becomes_question_marks(void **state)
{
	char text[] = "a\xff\xc3\xa4\xe2\x82z\xf0\x9f\x98";

	(void)state;
	text_repair_utf8(text);
	assert_string_equal(text, "a?\xc3\xa4??z???");
}

static void blanks_are_trimmed_at_both_ends_only(void **state)
{
	const char *text = " \t a b\r\n";
	size_t size;
	const char *trimmed = text_trim(text, strlen(text), &size);

	(void)state;
	assert_int_equal(size, 3);
	assert_memory_equal(trimmed, "a b", 3);
	text_trim("  ", 2, &size);
	assert_int_equal(size, 0);
}

static void an_id_cannot_leave_its_folder(void **state)
{
	char long_id[ID_SIZE_MAX + 2];
	struct id id;

	(void)state;
	memset(long_id, 'a', sizeof(long_id));
	long_id[sizeof(long_id) - 1] = '\0';
	assert_true(id_is_valid("ba2ecdec-9c4b-4245-9a07-0d3e5f68ba81"));
	assert_true(id_is_valid("_"));
	assert_false(id_is_valid(long_id));
	assert_int_equal(id_parse(long_id, ID_SIZE_MAX, "id", &id, NULL), 0);
	assert_int_equal(id_parse("a\0b", 3, "id", &id, NULL), -EINVAL);
	assert_false(id_is_valid(""));
	assert_false(id_is_valid("-a"));
	assert_false(id_is_valid(".."));
	assert_false(id_is_valid("a/b"));
	assert_false(id_is_valid("a%2fb"));
	assert_false(id_is_valid("a.b"));
}

static void names_that_live_beside_load_balancers_are_no_ids(void **state)
{
	struct err err = ERR_NONE;
	struct id id;

	(void)state;
	assert_false(id_is_valid("vrrp"));
	assert_false(id_is_valid("lvs"));
	assert_false(id_is_valid("certs"));
	assert_int_equal(id_parse("heartbeat", 9, "load balancer id", &id, &err), -EINVAL);
	assert_non_null(strstr(err.text, "load balancer id"));
	assert_non_null(strstr(err.text, "reserved"));
	assert_false(id_is_valid("plugged_interfaces"));
	assert_true(id_is_valid("vrrp2"));
}

static void a_buffer_stops_at_its_maximum_and_remembers(void **state)
{
	cleanup_buf struct buf buf = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	buf_append_text(&buf, "12345");
	buf_append_format(&buf, "%d", 67890);
	assert_int_equal(buf_error(&buf), 0);
	assert_string_equal(buf_text(&buf), "1234567890");
	buf_append_char(&buf, 'x');
	assert_int_equal(buf_error(&buf), -EMSGSIZE);
	assert_int_equal(buf.size_bytes, 10);
	buf_clear(&buf);
	buf_append_text(&buf, "again");
	assert_int_equal(buf_error(&buf), 0);
	assert_string_equal(buf_text(&buf), "again");
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_int_equal(buf_error(&buf), -EMSGSIZE);
}

static void what_was_reserved_and_not_filled_is_no_text(void **state)
{
	cleanup_buf struct buf buf = BUF_INIT(1000);

	(void)state;
	assert_non_null(buf_reserve(&buf, 1000));
	assert_string_equal(buf_text(&buf), "");
	assert_true(buf.capacity_bytes <= 1001);
}

static void a_taken_text_leaves_an_empty_buffer(void **state)
{
	cleanup_buf struct buf buf = BUF_INIT(10);
	cleanup_free char *nothing = buf_take_text(&buf);
	cleanup_free char *text = NULL;

	(void)state;
	assert_string_equal(nothing, "");
	buf_append_text(&buf, "abc");
	text = buf_take_text(&buf);
	assert_string_equal(text, "abc");
	assert_string_equal(buf_text(&buf), "");
	buf_append_text(&buf, "d");
	assert_string_equal(buf_text(&buf), "d");
}

static void an_error_collects_its_context_on_the_way_up(void **state)
{
	struct err err = ERR_NONE;
	int r = err_set_errno(&err, -ENOSPC, "writing %s", "x");

	(void)state;
	assert_int_equal(err_wrap(&err, r, "load balancer %d", 7), -ENOSPC);
	assert_int_equal(err.code, -ENOSPC);
	assert_string_equal(err.text, "load balancer 7: writing x: No space left on device");
	assert_int_equal(err_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
	assert_int_equal(err_wrap(NULL, -EINVAL, "nobody listens"), -EINVAL);
}

static void an_overlong_error_is_cut_not_overrun(void **state)
{
	struct err err = ERR_NONE;
	char text[2 * ERR_TEXT_MAX];

	(void)state;
	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set_errno(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	err_wrap(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void an_address_has_one_canonical_text(void **state)
{
	struct address a;
	struct address b;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_int_equal(address_parse("2001:0db8:0000::0010", &a), 0);
	assert_int_equal(address_parse("2001:db8::10", &b), 0);
	assert_true(address_equal(&a, &b));
	address_format(&a, text);
	assert_string_equal(text, "2001:db8::10");
	assert_int_equal(address_parse("10.0.0.1", &b), 0);
	assert_false(address_equal(&a, &b));
	assert_int_equal(address_parse("10.0.0.01", &a), -EINVAL);
	assert_int_equal(address_parse("10.0.0.256", &a), -EINVAL);
	assert_int_equal(address_parse("fe80::1%eth0", &a), -EINVAL);
	assert_int_equal(address_parse("", &a), -EINVAL);
}

static void a_replaced_file_has_the_mode_asked_for_whatever_the_umask(void **state)
{
	cleanup_free char *path = in_folder("file");
	cleanup_buf struct buf content = BUF_INIT(10);
	mode_t old_umask = umask(0777);
	struct stat status;

	(void)state;
	assert_int_equal(file_replace(path, "old", 3, 0600, NULL), 0);
	assert_int_equal(file_replace(path, "new!", 4, 0644, NULL), 0);
	umask(old_umask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_string_equal(buf_text(&content), "new!");
}

/* Never returns. */
static void script_replace_forever(const char *path)
{
	static const char script[] = "#!/bin/sh\nexit 0\n";

	while (file_replace(path, script, sizeof(script) - 1, 0755, NULL) == 0)
		;
	_exit(1);
}

static void a_program_that_is_replaced_can_be_run_at_any_instant(void **state)
{
	cleanup_free char *path = in_folder("script");
	char *const argv[] = {path, NULL};
	pid_t writer;
	int r = 0;

	(void)state;
	assert_int_equal(file_replace(path, "#!/bin/sh\n", 10, 0755, NULL), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0)
		script_replace_forever(path);
	for (int i = 0; i < 200 && r == 0; i++) {
		pid_t pid;

		r = posix_spawn(&pid, path, NULL, NULL, argv, NULL);
		if (r == 0)
			waitpid(pid, NULL, 0);
	}
	kill_process(writer);
	waitpid(writer, NULL, 0);
	assert_int_equal(r, 0); /* ETXTBSY, of a file that is open for writing */
}

static void reading_stops_at_the_limit(void **state)
{
	cleanup_free char *path = in_folder("file");
	cleanup_buf struct buf fits = BUF_INIT(5);
	cleanup_buf struct buf small = BUF_INIT(4);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(file_replace(path, "12345", 5, 0600, NULL), 0);
	assert_int_equal(file_read(path, &fits, NULL), 0);
	assert_int_equal(file_read(path, &small, &err), -EMSGSIZE);
	assert_non_null(strstr(err.text, path));
}

static void what_is_no_regular_file_is_not_read(void **state)
{
	cleanup_free char *fifo = in_folder("fifo");
	cleanup_buf struct buf content = BUF_INIT(5);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(file_read(fifo, &content, NULL), -EINVAL);
	assert_int_equal(file_read(folder, &content, NULL), -EINVAL);
	cleanup_free char *missing = in_folder("missing");
	assert_int_equal(file_read(missing, &content, NULL), -ENOENT);
}

static size_t entries_in(const char *path)
{
	DIR *listing = opendir(path);
	size_t count = 0;

	assert_non_null(listing);
	while (readdir(listing))
		count++;
	closedir(listing);
	return count - 2; /* "." and ".." */
}

static void a_full_disk_leaves_the_old_file_and_no_litter(void **state)
{
	cleanup_free char *mountpoint = in_folder("tiny");
	cleanup_free char *path = xformat("%s/file", mountpoint);
	cleanup_buf struct buf content = BUF_INIT(100);
	static const char large[256 * KIB];
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(mkdir(mountpoint, 0700), 0);
	if (mount("tmpfs", mountpoint, "tmpfs", 0, "size=64k") < 0)
		skip();
	assert_int_equal(file_replace(path, "old", 3, 0600, NULL), 0);
	assert_int_equal(file_replace(path, large, sizeof(large), 0600, &err), -ENOSPC);
	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_string_equal(buf_text(&content), "old");
	assert_int_equal(entries_in(mountpoint), 1);
	assert_non_null(strstr(err.text, "No space left"));
	umount2(mountpoint, MNT_DETACH);
}

static void a_tree_is_removed_without_following_links(void **state)
{
	cleanup_free char *tree = in_folder("tree/a/b");
	cleanup_free char *top = in_folder("tree");
	cleanup_free char *link = in_folder("tree/a/link");
	cleanup_free char *outside = in_folder("outside");
	cleanup_free char *kept = in_folder("outside/kept");

	(void)state;
	assert_int_equal(directory_make(tree, 0755, NULL), 0);
	assert_int_equal(directory_make(outside, 0755, NULL), 0);
	assert_int_equal(file_replace(kept, "", 0, 0600, NULL), 0);
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(directory_remove(top, NULL), 0);
	assert_false(file_exists(top));
	assert_true(file_exists(kept));
	assert_int_equal(directory_remove(top, NULL), 0);
}

static void what_a_killed_writer_left_is_swept_and_nothing_else(void **state)
{
	static const char *const names[] = {
		".key.pem.tmp-a1B2c3", ".backup", "key.pem", ".tmp-a1B2c3", "key.tmp-a1B2c3"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_free char *path = in_folder(names[i]);

		assert_int_equal(file_replace(path, "", 0, 0600, NULL), 0);
	}
	directory_sweep(folder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_free char *path = in_folder(names[i]);

		assert_int_equal(file_exists(path), i > 0);
	}
}

static void a_folder_in_the_place_of_a_file_is_an_error(void **state)
{
	cleanup_free char *path = in_folder("taken");

	(void)state;
	assert_int_equal(file_replace(path, "", 0, 0600, NULL), 0);
	assert_int_equal(directory_make(path, 0755, NULL), -ENOTDIR);
	assert_int_equal(file_remove(path, NULL), 0);
	assert_int_equal(file_remove(path, NULL), 0);
}

static void a_file_is_ensured_by_replacing_it_only_where_it_differs(void **state)
{
	char path[] = "/tmp/base-test-XXXXXX";
	cleanup_close int fd = mkstemp(path);
	struct buf text = BUF_INIT(64);
	struct stat before, after;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_ensure(path, "one", 3, 0755, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0755);
	assert_int_equal(file_ensure(path, "one", 3, 0755, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(file_ensure(path, "two", 3, 0755, NULL), 0);
	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_string_equal(buf_text(&text), "two");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(file_ensure(path, "two", 3, 0755, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0755);
	buf_deinit(&text);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_parses_whole_or_fails),
		cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
		cmocka_unit_test(what_is_no_utf8_becomes_question_marks),
		cmocka_unit_test(blanks_are_trimmed_at_both_ends_only),
		cmocka_unit_test(an_id_cannot_leave_its_folder),
		cmocka_unit_test(names_that_live_beside_load_balancers_are_no_ids),
		cmocka_unit_test(a_buffer_stops_at_its_maximum_and_remembers),
		cmocka_unit_test(what_was_reserved_and_not_filled_is_no_text),
		cmocka_unit_test(a_taken_text_leaves_an_empty_buffer),
		cmocka_unit_test(an_error_collects_its_context_on_the_way_up),
		cmocka_unit_test(an_overlong_error_is_cut_not_overrun),
		cmocka_unit_test(an_address_has_one_canonical_text),
		cmocka_unit_test_setup_teardown(
			a_replaced_file_has_the_mode_asked_for_whatever_the_umask, folder_setup,
			folder_teardown),
		cmocka_unit_test_setup_teardown(
			a_program_that_is_replaced_can_be_run_at_any_instant, folder_setup,
			folder_teardown),
		cmocka_unit_test_setup_teardown(
			reading_stops_at_the_limit, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_regular_file_is_not_read, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_old_file_and_no_litter,
			folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(
			a_tree_is_removed_without_following_links, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_a_killed_writer_left_is_swept_and_nothing_else,
			folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_in_the_place_of_a_file_is_an_error, folder_setup, folder_teardown),
		cmocka_unit_test(a_file_is_ensured_by_replacing_it_only_where_it_differs),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
