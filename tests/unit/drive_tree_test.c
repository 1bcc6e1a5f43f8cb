/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "temporary_folder.h"

static void a_path_is_absolute_and_goes_down_only(void **state)
{
	static const char *const bad[] = {"", "a", "/", "//a", "/a/", "/a//b", "/.", "/..", "/a/..",
		"/a/../b", "../a", "/a/.", "/a\nb", "/a\x7f"};
	static const char *const good[] = {"/a", "/a/b.c", "/...", "/..a/.b", "/a b", "/\xc3\xa4"};
	struct tree_path path = {"untouched"};
	struct err err = ERR_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(tree_path_parse(bad[i], strlen(bad[i]), &path, &err), -EINVAL);
		assert_non_null(strstr(err.text, "refused"));
		assert_string_equal(path.text, "untouched");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(tree_path_parse(good[i], strlen(good[i]), &path, NULL), 0);
		assert_string_equal(path.text, good[i]);
	}
}

static void a_path_is_bounded_as_a_whole_and_in_each_name(void **state)
{
	char text[TREE_PATH_MAX + 2];
	struct tree_path path;

	(void)state;
	memset(text, 'n', sizeof(text));
	text[0] = '/';
	assert_int_equal(tree_path_parse(text, 1 + TREE_NAME_MAX, &path, NULL), 0);
	assert_int_equal(tree_path_parse(text, 2 + TREE_NAME_MAX, &path, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = '/';
	assert_int_equal(tree_path_parse(text, TREE_PATH_MAX - 1, &path, NULL), 0);
	assert_int_equal(tree_path_parse(text, TREE_PATH_MAX + 1, &path, NULL), -EINVAL);
}

static void a_nul_in_a_path_does_not_cut_it(void **state)
{
	struct tree_path path;

	(void)state;
	assert_int_equal(tree_path_parse("/a\0b", 4, &path, NULL), -EINVAL);
}

static void a_folder_holds_itself_and_what_is_below_not_its_neighbours(void **state)
{
	(void)state;
	assert_true(tree_path_is_in(&(struct tree_path){"/dev"}, "/dev"));
	assert_true(tree_path_is_in(&(struct tree_path){"/dev/sda"}, "/dev"));
	assert_false(tree_path_is_in(&(struct tree_path){"/device"}, "/dev"));
	assert_false(tree_path_is_in(&(struct tree_path){"/etc/dev"}, "/dev"));
}

static struct tree temporary_tree(void)
{
	struct tree tree;

	assert_int_equal(tree_open(temporary_folder, "tree:", &tree, NULL), 0);
	return tree;
}

static void what_is_written_is_read_with_its_mode_in_folders_for_everybody(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();
	cleanup_buf struct buf content = BUF_INIT(100);
	cleanup_free char *file = in_temporary_folder("a/b/file");
	cleanup_free char *folder = in_temporary_folder("a/b");
	struct stat status;

	(void)state;
	assert_int_equal(tree_write(&tree, "/a/b/file", "old", 3, 0644, NULL), 0);
	assert_int_equal(tree_write(&tree, "/a/b/file", "ne\0w", 4, 0600, NULL), 0);
	assert_int_equal(tree_read(&tree, "/a/b/file", &content, NULL), 0);
	assert_int_equal(content.size_bytes, 4);
	assert_memory_equal(buf_text(&content), "ne\0w", 4);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void what_a_killed_writer_left_beside_a_file_goes_away(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();

	(void)state;
	temporary_file(".file.tmp-AbCdEf", "half");
	assert_int_equal(tree_write(&tree, "/file", "whole", 5, 0600, NULL), 0);
	assert_false(tree_has_file(&tree, "/.file.tmp-AbCdEf"));
	assert_true(tree_has_file(&tree, "/file"));
}

static void no_call_goes_through_a_link(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();
	cleanup_free char *link = in_temporary_folder("link");
	cleanup_buf struct buf content = BUF_INIT(100);
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(tree_write(&tree, "/real/file", "", 0, 0600, NULL), 0);
	assert_int_equal(symlink("real", link), 0);
	assert_true(tree_write(&tree, "/link/new", "", 0, 0600, &err) < 0);
	assert_non_null(strstr(err.text, "tree:/link/new is refused: /link is"));
	assert_true(tree_read(&tree, "/link/file", &content, NULL) < 0);
	assert_true(tree_link(&tree, "/link/new", "x", NULL) < 0);
	assert_true(tree_remove(&tree, "/link/file", NULL) < 0);
	assert_true(tree_read(&tree, "/link", &content, NULL) < 0);
	assert_false(tree_has_file(&tree, "/link/file"));
	assert_false(tree_has_file(&tree, "/link"));
	assert_true(tree_has_file(&tree, "/real/file"));
	assert_false(tree_has_file(&tree, "/real/new"));
}

static void a_file_where_a_folder_has_to_be_is_refused(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();

	(void)state;
	temporary_file("file", "");
	assert_int_equal(tree_write(&tree, "/file/below", "", 0, 0600, NULL), -ENOTDIR);
}

static void reading_tells_absent_from_too_large_and_from_no_file(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();
	cleanup_buf struct buf content = BUF_INIT(3);
	cleanup_free char *fifo = in_temporary_folder("fifo");
	struct err err = ERR_NONE;

	(void)state;
	temporary_file("large", "1234");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(tree_read(&tree, "/none", &content, NULL), -ENOENT);
	assert_int_equal(tree_read(&tree, "/none/below", &content, NULL), -ENOENT);
	assert_int_equal(tree_read(&tree, "/fifo", &content, NULL), -EINVAL);
	assert_int_equal(tree_read(&tree, "/large", &content, &err), -EMSGSIZE);
	assert_string_equal(err.text, "reading tree:/large: larger than the limit of 3 bytes");
}

static void a_link_replaces_what_was_there(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();
	cleanup_free char *path = in_temporary_folder("name");
	char target[16] = "";

	(void)state;
	temporary_file("name", "a file");
	assert_int_equal(tree_link(&tree, "/name", "one", NULL), 0);
	assert_int_equal(tree_link(&tree, "/name", "two", NULL), 0);
	assert_int_equal(readlink(path, target, sizeof(target) - 1), 3);
	assert_string_equal(target, "two");
}

static void removing_what_is_not_there_is_fine(void **state)
{
	CLEANUP(tree_deinit) struct tree tree = temporary_tree();

	(void)state;
	temporary_file("file", "");
	assert_int_equal(tree_remove(&tree, "/file", NULL), 0);
	assert_false(tree_has_file(&tree, "/file"));
	assert_int_equal(tree_remove(&tree, "/file", NULL), 0);
	assert_int_equal(tree_remove(&tree, "/none/file", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_absolute_and_goes_down_only),
		cmocka_unit_test(a_path_is_bounded_as_a_whole_and_in_each_name),
		cmocka_unit_test(a_nul_in_a_path_does_not_cut_it),
		cmocka_unit_test(a_folder_holds_itself_and_what_is_below_not_its_neighbours),
		with_temporary_folder(
			what_is_written_is_read_with_its_mode_in_folders_for_everybody),
		with_temporary_folder(what_a_killed_writer_left_beside_a_file_goes_away),
		with_temporary_folder(no_call_goes_through_a_link),
		with_temporary_folder(a_file_where_a_folder_has_to_be_is_refused),
		with_temporary_folder(reading_tells_absent_from_too_large_and_from_no_file),
		with_temporary_folder(a_link_replaces_what_was_there),
		with_temporary_folder(removing_what_is_not_there_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
