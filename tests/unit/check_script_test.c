/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/check_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "sys/process.h"
#include "temporary_folder.h"

static struct keepalived_site site;
static char *script;

/* A folder whose name a shell would take apart, were it not quoted. */
static int setup(void **state)
{
	char *folder;

	if (temporary_folder_setup(state) < 0)
		return -1;
	site.base_path = in_temporary_folder("it's $HOME `here`; \"now\"");
	folder = xformat("%s/vrrp", site.base_path);
	script = xformat("%s/check_script.sh", folder);
	if (directory_make(folder, 0755, NULL) < 0)
		return -1;
	free(folder);
	return 0;
}

static int teardown(void **state)
{
	free(site.base_path);
	free(script);
	return temporary_folder_teardown(state);
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void store(const char *const *arguments, size_t argument_count)
{
	struct err err = ERR_NONE;

	if (check_script_store(&site, arguments, argument_count, &err) < 0)
		fail_msg("%s", err.text);
}

static char *content(void)
{
	struct buf text = BUF_INIT(64 * KIB);

	assert_int_equal(file_read(script, &text, NULL), 0);
	return buf_take_text(&text);
}

/* Runs it with a program of ours in the place of haproxy-vrrp-check, which prints its arguments. */
static char *arguments_seen(void)
{
	cleanup_free char *text = content();
	cleanup_free char *rest = xstrdup(strchr(strchr(strstr(text, "exec '"), '\'') + 1, '\''));
	cleanup_free char *changed = xformat("#!/bin/sh\nexec printf '<%%s>' ''%s", rest + 1);
	const char *const argv[] = {"/bin/sh", "-c", changed, NULL};
	const struct process_spec spec = {.argv = argv};
	struct buf output = BUF_INIT(64 * KIB);
	int status;

	assert_int_equal(process_run(&spec, 10000, &output, &status, NULL), 0);
	assert_int_equal(status, 0);
	return buf_take_text(&output);
}

static void its_arguments_are_those_given_whatever_they_hold(void **state)
{
	cleanup_free char *socket = xformat("%s/lb.sock", site.base_path);
	cleanup_free char *pid_file = xformat("--pid-file=%s/lvs/a.pid", site.base_path);
	cleanup_free char *expected = xformat("<><%s></other.sock><%s>", socket, pid_file);
	cleanup_free char *seen = NULL;

	(void)state;
	store((const char *[]){socket, "/other.sock", pid_file}, 3);
	seen = arguments_seen();
	assert_string_equal(seen, expected);
}

static void everybody_may_run_it(void **state)
{
	mode_t before = umask(0077);
	struct stat status;

	(void)state;
	store(NULL, 0);
	umask(before);
	assert_int_equal(stat(script, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void one_that_says_so_already_is_left_alone(void **state)
{
	const char *const sockets[] = {"/one.sock", "/two.sock"};
	struct stat before;
	struct stat after;

	(void)state;
	store(sockets, 2);
	assert_int_equal(stat(script, &before), 0);
	store(sockets, 2);
	assert_int_equal(stat(script, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	store(sockets, 1);
	assert_int_equal(stat(script, &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
}

static void one_that_cannot_be_run_is_mended(void **state)
{
	struct stat status;

	(void)state;
	store(NULL, 0);
	assert_int_equal(chmod(script, 0644), 0);
	store(NULL, 0);
	assert_int_equal(stat(script, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void nothing_to_serve_makes_it_ask_for_nothing(void **state)
{
	cleanup_free char *seen = NULL;

	(void)state;
	store(NULL, 0);
	seen = arguments_seen();
	assert_string_equal(seen, "<>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_site(its_arguments_are_those_given_whatever_they_hold),
		with_site(everybody_may_run_it),
		with_site(one_that_says_so_already_is_left_alone),
		with_site(one_that_cannot_be_run_is_mended),
		with_site(nothing_to_serve_makes_it_ask_for_nothing),
	};

	return cmocka_run_group_tests_name("check_script", tests, NULL, NULL);
}
