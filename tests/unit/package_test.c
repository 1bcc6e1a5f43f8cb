/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/package.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

static const char status[] = "Package: acl\n"
			     "Status: install ok installed\n"
			     "Version: 2.3.1-3\n"
			     "Description: access control list\n"
			     " This package mentions\n"
			     " Version: 9\n"
			     "\n"
			     "Package: haproxy\n"
			     "Status: install ok installed\n"
			     "Architecture: amd64\n"
			     "Version: 1:2.6.12-1+deb12u4\n"
			     "Conffiles:\n"
			     " /etc/haproxy/haproxy.cfg 8eb54563b4dda26ddc0b9ef3fe5dbd9f\n"
			     "\n"
			     "Package: haproxy-doc\n"
			     "Status: install ok installed\n"
			     "Version: 7.7\n"
			     "\n"
			     "Package: ipvsadm\n"
			     "Status: deinstall ok config-files\n"
			     "Version: 1:1.31-1+b1\n"
			     "\n"
			     "Package: keepalived\n"
			     "Status: install ok triggers-pending\n"
			     "Version: 1:2.2.7-1+b2\n";

/* A dpkg database of this test's own. */
struct world {
	char folder[64];
	char *path;
	struct package_database database;
};

static void put(const struct world *world, const char *text)
{
	assert_int_equal(file_replace_nosync(world->path, text, strlen(text), 0644, NULL), 0);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	snprintf(world->folder, sizeof(world->folder), "/tmp/package-test-XXXXXX");
	if (!mkdtemp(world->folder))
		return -1;
	world->path = xformat("%s/status", world->folder);
	world->database = PACKAGE_DATABASE_INIT(world->path);
	put(world, status);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	directory_remove(world->folder, NULL);
	free(world->path);
	free(world);
	return 0;
}

static void version_is(struct world *world, const char *name, const char *expected)
{
	struct package_version version = {"before"};

	package_database_find(&world->database, name, &version);
	assert_string_equal(version.text, expected);
}

static void an_installed_package_has_its_version_with_the_epoch(void **state)
{
	version_is(*state, "acl", "2.3.1-3");
	version_is(*state, "haproxy", "1:2.6.12-1+deb12u4");
	version_is(*state, "haproxy-doc", "7.7");
	version_is(*state, "keepalived", "1:2.2.7-1+b2");
}

static void what_is_not_installed_has_none(void **state)
{
	struct world *world = *state;

	version_is(world, "ipvsadm", "");
	version_is(world, "hapro", "");
	version_is(world, "haproxy-", "");
	version_is(world, "", "");
	put(world, "");
	version_is(world, "haproxy", "");
	put(world, "Package: haproxy\nVersion: 1\n\nVersion: 2\n");
	version_is(world, "haproxy", "");
}

static void a_machine_without_dpkg_has_no_packages(void **state)
{
	struct world *world = *state;

	version_is(world, "acl", "2.3.1-3");
	assert_int_equal(unlink(world->path), 0);
	version_is(world, "acl", "");
}

static void another_architectures_leftovers_do_not_hide_the_package(void **state)
{
	struct world *world = *state;

	put(world, "Package: haproxy\nStatus: deinstall ok config-files\nVersion: 1\n\n"
		   "Package: haproxy\nStatus: install ok installed\nVersion: 2\n\n"
		   "Package: other\nStatus: install ok installed\nVersion: 3\n");
	version_is(world, "haproxy", "2");
}

static void lines_of_any_length_are_passed_over(void **state)
{
	struct world *world = *state;
	char filler[2048];

	memset(filler, 'x', sizeof(filler));
	filler[sizeof(filler) - 1] = '\0';
	/* Wherever a long line is cut up, no part of it is taken for a line. */
	for (int size = 900; size < 1100; size++) {
		cleanup_free char *text = xformat("Package: a\n"
						  "Depends: %.*sPackage: b\n"
						  "Status: install ok installed\n"
						  "Version: 1\n",
			size, filler);

		put(world, text);
		version_is(world, "b", "");
		version_is(world, "a", "1");
	}
}

static void a_version_that_is_too_long_is_none(void **state)
{
	struct world *world = *state;
	cleanup_free char *text = xformat("Package: a\nStatus: install ok installed\n"
					  "Version: %0200d\n",
		1);

	put(world, text);
	version_is(world, "a", "");
}

static void an_upgrade_is_seen_and_nothing_else_is_read_again(void **state)
{
	struct world *world = *state;
	struct stat before;
	struct stat after;
	struct timespec times[2];
	FILE *file;

	version_is(world, "acl", "2.3.1-3");
	/* Written in place with size and time kept: only what is remembered can still be right. */
	assert_int_equal(stat(world->path, &before), 0);
	file = fopen(world->path, "r+e");
	assert_non_null(file);
	assert_int_equal(fwrite("Package: acx\n", 1, 13, file), 13);
	fclose(file);
	times[0] = before.st_atim;
	times[1] = before.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, world->path, times, 0), 0);
	assert_int_equal(stat(world->path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	version_is(world, "acl", "2.3.1-3");
	put(world, "Package: acl\nStatus: install ok installed\nVersion: 2.3.2\n");
	version_is(world, "acl", "2.3.2");
}

static void more_packages_than_are_remembered_are_found(void **state)
{
	char name[16];

	for (int i = 0; i < 2 * PACKAGES_REMEMBERED_MAX; i++) {
		snprintf(name, sizeof(name), "no-%d", i);
		version_is(*state, name, "");
	}
	version_is(*state, "acl", "2.3.1-3");
}

static void haproxy_is(struct world *world, const char *command, const char *expected)
{
	struct package_version version = {"before"};

	package_database_find_haproxy(&world->database, command, &version);
	assert_string_equal(version.text, expected);
}

static void haproxys_version_comes_without_the_epoch(void **state)
{
	struct world *world = *state;

	haproxy_is(world, "/nowhere/haproxy", "2.6.12-1+deb12u4");
	put(world, "Package: haproxy\nStatus: install ok installed\nVersion: 3.0.11-1+deb13u3\n");
	haproxy_is(world, "/nowhere/haproxy", "3.0.11-1+deb13u3");
}

/* A program that answers as "haproxy -v" does; the caller frees its path. */
static char *program(const struct world *world, const char *answer)
{
	char *path = xformat("%s/haproxy", world->folder);
	cleanup_free char *text =
		xformat("#!/bin/sh\n[ \"$1\" = -v ] || exit 1\necho '%s'\n", answer);

	assert_int_equal(file_replace_nosync(path, text, strlen(text), 0755, NULL), 0);
	return path;
}

static void without_the_package_haproxy_itself_is_asked(void **state)
{
	struct world *world = *state;
	cleanup_free char *path = NULL;
	cleanup_free char *again = NULL;

	put(world, "");
	path = program(world, "HAProxy version 2.8.5-1ubuntu3 2024/04/01 - https://haproxy.org/");
	haproxy_is(world, path, "2.8.5-1ubuntu3");
	haproxy_is(world, path, "2.8.5-1ubuntu3");
	again = program(world, "HA-Proxy version 1.8.19 2019/02/11");
	haproxy_is(world, again, "1.8.19");
}

static void a_program_that_says_no_version_has_none(void **state)
{
	struct world *world = *state;
	cleanup_free char *path = NULL;

	put(world, "");
	path = program(world, "usage: true");
	haproxy_is(world, path, "");
	haproxy_is(world, "/nowhere/haproxy", "");
}

static void this_machines_packages_are_found(void **state)
{
	struct package_version version = {"before"};

	(void)state;
	if (!file_exists("/var/lib/dpkg/status")) {
		print_message("         (no dpkg here)\n");
		skip();
	}
	package_version("dpkg", &version);
	assert_true(version.text[0] >= '1' && version.text[0] <= '9');
	package_version("no-such-package", &version);
	assert_string_equal(version.text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_installed_package_has_its_version_with_the_epoch),
		TEST(what_is_not_installed_has_none),
		TEST(a_machine_without_dpkg_has_no_packages),
		TEST(another_architectures_leftovers_do_not_hide_the_package),
		TEST(lines_of_any_length_are_passed_over),
		TEST(a_version_that_is_too_long_is_none),
		TEST(an_upgrade_is_seen_and_nothing_else_is_read_again),
		TEST(more_packages_than_are_remembered_are_found),
		TEST(haproxys_version_comes_without_the_epoch),
		TEST(without_the_package_haproxy_itself_is_asked),
		TEST(a_program_that_says_no_version_has_none),
		TEST(this_machines_packages_are_found),
	};

	return cmocka_run_group_tests_name("package", tests, NULL, NULL);
}
