/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/volume.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "captured_log.h"
#include "temporary_folder.h"

static uint8_t head[VOLUME_HEAD_BYTES];

static void head_fill(size_t magic_at, const char *magic, size_t label_at, const char *label)
{
	memset(head, 0, sizeof(head));
	memcpy(head + magic_at, magic, strlen(magic));
	memcpy(head + label_at, label, strlen(label));
}

static void iso(const char *label)
{
	head_fill(0x8000, "\1CD001\1", 0x8028, label);
}

static void fat(const char *type, const char *label)
{
	bool is_32 = strcmp(type, "FAT32   ") == 0;

	head_fill(is_32 ? 0x52 : 0x36, type, is_32 ? 0x47 : 0x2b, label);
	memcpy(head + 0x1fe, "\x55\xaa", 2);
}

static void each_format_has_its_label_without_the_blanks_behind_it(void **state)
{
	static const char *const fats[] = {"FAT12   ", "FAT16   ", "FAT32   "};
	struct volume_label label;

	(void)state;
	iso("config-2                        ");
	assert_true(volume_label_parse(head, sizeof(head), &label));
	assert_string_equal(label.file_system, "iso9660");
	assert_string_equal(label.text, "config-2");
	for (size_t i = 0; i < 3; i++) {
		fat(fats[i], "CONFIG-2   ");
		assert_true(volume_label_parse(head, sizeof(head), &label));
		assert_string_equal(label.file_system, "vfat");
		assert_string_equal(label.text, "CONFIG-2");
	}
}

static void a_label_may_take_all_its_room_or_none(void **state)
{
	struct volume_label label;

	(void)state;
	iso("12345678901234567890123456789012");
	assert_true(volume_label_parse(head, sizeof(head), &label));
	assert_string_equal(label.text, "12345678901234567890123456789012");
	fat("FAT16   ", "           ");
	assert_true(volume_label_parse(head, sizeof(head), &label));
	assert_string_equal(label.text, "");
}

static void what_is_neither_format_has_no_label(void **state)
{
	struct volume_label label;

	(void)state;
	memset(head, 0, sizeof(head));
	assert_false(volume_label_parse(head, sizeof(head), &label));
	iso("config-2");
	assert_false(volume_label_parse(head, 0x8047, &label));
	assert_true(volume_label_parse(head, 0x8048, &label));
	assert_false(volume_label_parse(head, 0, &label));
	fat("FAT16   ", "CONFIG-2   ");
	head[0x1ff] = 0;
	assert_false(volume_label_parse(head, sizeof(head), &label));
	/* The word of a supplementary descriptor: its label is in another character set. */
	head_fill(0x8000, "\2CD001\1", 0x8028, "config-2");
	assert_false(volume_label_parse(head, sizeof(head), &label));
}

/* A machine's block device of that name, with what head holds. */
static void device(const char *name)
{
	cleanup_free char *block = in_temporary_folder("sys/class/block");
	cleanup_free char *dev = in_temporary_folder("dev");
	cleanup_free char *entry = xformat("%s/%s", block, name);
	cleanup_free char *node = xformat("%s/%s", dev, name);

	if (strchr(name, '!'))
		*strchr(node, '!') = '/';
	*strrchr(node, '/') = '\0';
	assert_int_equal(directory_make(entry, 0755, NULL), 0);
	assert_int_equal(directory_make(node, 0755, NULL), 0);
	node[strlen(node)] = '/';
	assert_int_equal(file_replace(node, head, sizeof(head), 0600, NULL), 0);
}

static void the_device_with_the_label_is_found_whatever_its_case(void **state)
{
	char path[VOLUME_PATH_MAX + 1];
	cleanup_free char *expected = in_temporary_folder("dev/vdb");

	(void)state;
	iso("another");
	device("sr0");
	fat("FAT16   ", "CONFIG-2   ");
	device("vdb");
	assert_int_equal(volume_find(temporary_folder, "config-2", 0, path, NULL), 0);
	assert_string_equal(path, expected);
}

static void of_two_the_first_by_name_is_taken_and_the_other_named(void **state)
{
	char path[VOLUME_PATH_MAX + 1];
	cleanup_free char *expected = in_temporary_folder("dev/cciss/c0d1");
	struct captured_log log;

	(void)state;
	iso("config-2");
	device("vdb");
	device("cciss!c0d1");
	captured_log_start(&log);
	assert_int_equal(volume_find(temporary_folder, "config-2", 0, path, NULL), 0);
	assert_int_equal(captured_log_count(&log, "/dev/vdb is labelled config-2 as well"), 1);
	captured_log_stop(&log);
	assert_string_equal(path, expected);
}

static void without_one_it_is_looked_for_as_long_as_was_said(void **state)
{
	char path[VOLUME_PATH_MAX + 1];
	struct err err = ERR_NONE;
	int64_t began_ms = clock_now_ms();

	(void)state;
	iso("config-22");
	device("sr0");
	assert_int_equal(volume_find(temporary_folder, "config-2", 1, path, &err), -ENODEV);
	assert_non_null(strstr(err.text, "config-2"));
	assert_true(clock_now_ms() - began_ms >= 1000);
}

static void a_folder_is_a_drive_as_it_is(void **state)
{
	CLEANUP(tree_deinit) struct tree drive = TREE_NONE;
	struct captured_log log;

	(void)state;
	temporary_file("file", "");
	captured_log_start(&log);
	assert_int_equal(volume_open(temporary_folder, &drive, NULL), 0);
	captured_log_stop(&log);
	assert_true(tree_has_file(&drive, "/file"));
}

static void an_image_of_something_else_is_refused(void **state)
{
	CLEANUP(tree_deinit) struct tree drive = TREE_NONE;
	cleanup_free char *path = in_temporary_folder("image");
	struct err err = ERR_NONE;

	(void)state;
	temporary_file("image", "no drive");
	assert_int_equal(volume_open(path, &drive, &err), -EINVAL);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(volume_open("/dev/null", &drive, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_has_its_label_without_the_blanks_behind_it),
		cmocka_unit_test(a_label_may_take_all_its_room_or_none),
		cmocka_unit_test(what_is_neither_format_has_no_label),
		with_temporary_folder(the_device_with_the_label_is_found_whatever_its_case),
		with_temporary_folder(of_two_the_first_by_name_is_taken_and_the_other_named),
		with_temporary_folder(without_one_it_is_looked_for_as_long_as_was_said),
		with_temporary_folder(a_folder_is_a_drive_as_it_is),
		with_temporary_folder(an_image_of_something_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
