/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plugged_interfaces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "captured_log.h"
#include "temporary_folder.h"

static struct mac mac_of(const char *text)
{
	struct mac mac;

	assert_int_equal(mac_parse(text, &mac), 0);
	return mac;
}

static void set(const char *mac_text, const char *name)
{
	cleanup_free char *path = in_temporary_folder("plugged_interfaces");
	struct mac mac = mac_of(mac_text);

	assert_int_equal(plugged_interfaces_set(path, &mac, name, NULL), 0);
}

static void assert_file(const char *expected)
{
	cleanup_free char *path = in_temporary_folder("plugged_interfaces");
	cleanup_buf struct buf text = BUF_INIT(MIB);

	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_string_equal(buf_text(&text), expected);
}

static size_t load(struct plugged_interface **ret_interfaces)
{
	cleanup_free char *path = in_temporary_folder("plugged_interfaces");
	size_t count = 77;

	assert_int_equal(plugged_interfaces_load(path, ret_interfaces, &count, NULL), 0);
	return count;
}

static void no_file_has_no_interfaces(void **state)
{
	struct plugged_interface *interfaces = NULL;

	(void)state;
	assert_int_equal(load(&interfaces), 0);
	free(interfaces);
}

static void lines_are_added_in_their_order(void **state)
{
	(void)state;
	set("FA:16:3e:00:00:01", "eth1");
	set("fa:16:3e:00:00:02", "eth2");
	assert_file("fa:16:3e:00:00:01 eth1\nfa:16:3e:00:00:02 eth2\n");
}

static void a_mac_has_one_line(void **state)
{
	(void)state;
	set("fa:16:3e:00:00:01", "eth1");
	set("fa:16:3e:00:00:01", "eth1");
	assert_file("fa:16:3e:00:00:01 eth1\n");
	set("fa:16:3e:00:00:01", "eth3");
	assert_file("fa:16:3e:00:00:01 eth3\n");
}

static void a_name_is_taken_from_the_mac_that_had_it(void **state)
{
	(void)state;
	set("fa:16:3e:00:00:01", "eth1");
	set("fa:16:3e:00:00:02", "eth2");
	set("fa:16:3e:00:00:03", "eth1");
	assert_file("fa:16:3e:00:00:02 eth2\nfa:16:3e:00:00:03 eth1\n");
}

static void what_stands_there_already_is_not_written_again(void **state)
{
	cleanup_free char *path = in_temporary_folder("plugged_interfaces");
	struct stat before;
	struct stat after;

	(void)state;
	set("fa:16:3e:00:00:01", "eth1");
	assert_int_equal(stat(path, &before), 0);
	set("fa:16:3e:00:00:01", "eth1");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0644);
}

static void lines_that_are_none_are_logged_and_passed_over(void **state)
{
	struct captured_log log;
	struct plugged_interface *interfaces = NULL;
	size_t count;

	(void)state;
	temporary_file("plugged_interfaces",
		"# by hand\n\nfa:16:3e:00:00:01 eth1\r\nfa:16:3e:00:00:02\n"
		"fa:16:3e:00:00:03 ../etc/x\nfa:16:3e:00:00:04\teth2 more\n"
		"fa:16:3e:00:00:05 a-name-that-is-too-long\nfa:16:3e:00:00:06 eth3");
	captured_log_start(&log);
	count = load(&interfaces);
	assert_int_equal(captured_log_count(&log, "passed over"), 4);
	captured_log_stop(&log);
	assert_int_equal(count, 3);
	assert_string_equal(interfaces[0].name, "eth1");
	assert_string_equal(interfaces[1].name, "eth2");
	assert_string_equal(interfaces[2].name, "eth3");
	assert_int_equal(interfaces[2].mac.bytes[5], 6);
	free(interfaces);
}

static void the_last_line_of_a_mac_counts(void **state)
{
	struct plugged_interface *interfaces = NULL;

	(void)state;
	temporary_file("plugged_interfaces",
		"fa:16:3e:00:00:01 eth2\nFA:16:3E:00:00:01 eth5\nfa:16:3e:00:00:02 eth5\n");
	assert_int_equal(load(&interfaces), 2);
	assert_string_equal(interfaces[0].name, "eth5");
	/* As the reference left it: the MACs may be of one port that went and one that came. */
	assert_string_equal(interfaces[1].name, "eth5");
	free(interfaces);
}

static void a_file_that_cannot_be_read_is_an_error_and_stays(void **state)
{
	cleanup_free char *path = in_temporary_folder("plugged_interfaces");
	struct mac mac = mac_of("fa:16:3e:00:00:01");
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_true(plugged_interfaces_set(path, &mac, "eth1", &err) < 0);
	assert_non_null(strstr(err.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(no_file_has_no_interfaces),
		with_temporary_folder(lines_are_added_in_their_order),
		with_temporary_folder(a_mac_has_one_line),
		with_temporary_folder(a_name_is_taken_from_the_mac_that_had_it),
		with_temporary_folder(what_stands_there_already_is_not_written_again),
		with_temporary_folder(lines_that_are_none_are_logged_and_passed_over),
		with_temporary_folder(the_last_line_of_a_mac_counts),
		with_temporary_folder(a_file_that_cannot_be_read_is_an_error_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
