/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "sys/privilege.h"
#include "temporary_folder.h"

static void nobody_is_found_and_a_stranger_is_not(void **state)
{
	struct privilege_user user = {.uid = 0};
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(privilege_find_user("nobody", &user, &err), 0);
	assert_int_equal(user.uid, getpwnam("nobody")->pw_uid);
	assert_int_equal(user.gid, getpwnam("nobody")->pw_gid);
	assert_int_equal(privilege_find_user("no-such-user", &user, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no-such-user"));
}

static void a_folder_is_given_whatever_it_was(void **state)
{
	cleanup_free char *path = in_temporary_folder("given");
	struct privilege_user user;
	struct stat status;

	(void)state;
	if (!privilege_is_root())
		skip();
	assert_int_equal(privilege_find_user("nobody", &user, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(privilege_give_directory(path, &user, NULL), 0);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_uid, user.uid);
		assert_int_equal(status.st_gid, user.gid);
		assert_int_equal(status.st_mode & 07777, 0755);
		assert_int_equal(chmod(path, 0700), 0);
	}
}

static void a_link_is_never_given_away(void **state)
{
	cleanup_free char *link = in_temporary_folder("link");
	struct privilege_user user;
	struct stat status;

	(void)state;
	if (!privilege_is_root())
		skip();
	assert_int_equal(privilege_find_user("nobody", &user, NULL), 0);
	assert_int_equal(symlink(temporary_folder, link), 0);
	assert_true(privilege_give_directory(link, &user, NULL) < 0);
	assert_int_equal(stat(temporary_folder, &status), 0);
	assert_int_equal(status.st_uid, 0);
}

static int child_status(void (*body)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool status_line_is(const char *status, const char *line)
{
	return strstr(status, line);
}

/* In a child: it cannot come back. Each _exit number names what was wrong. */
static void drop_and_look(void)
{
	cleanup_buf struct buf status = BUF_INIT(64 * KIB);
	struct privilege_user user;
	gid_t groups[1];

	if (privilege_find_user("nobody", &user, NULL) < 0 || privilege_drop(&user, 0, NULL) < 0)
		_exit(1);
	if (getuid() != user.uid || geteuid() != user.uid || getgid() != user.gid)
		_exit(2);
	if (getgroups(1, groups) != 0)
		_exit(3);
	if (setuid(0) == 0 || setgid(0) == 0)
		_exit(4);
	if (file_read("/proc/self/status", &status, NULL) < 0)
		_exit(5);
	if (!status_line_is(buf_text(&status), "CapInh:\t0000000000000000") ||
		!status_line_is(buf_text(&status), "CapPrm:\t0000000000000000") ||
		!status_line_is(buf_text(&status), "CapEff:\t0000000000000000") ||
		!status_line_is(buf_text(&status), "CapBnd:\t0000000000000000") ||
		!status_line_is(buf_text(&status), "CapAmb:\t0000000000000000"))
		_exit(6);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(7);
}

static void a_drop_leaves_nothing_of_root(void **state)
{
	(void)state;
	if (!privilege_is_root())
		skip();
	assert_int_equal(child_status(drop_and_look), 0);
}

/* "CapEff:" and the like of this process. */
static uint64_t capabilities_read(const char *set)
{
	cleanup_buf struct buf status = BUF_INIT(64 * KIB);
	const char *line;

	if (file_read("/proc/self/status", &status, NULL) < 0)
		_exit(100);
	line = strstr(buf_text(&status), set);
	return line ? strtoull(line + strlen(set), NULL, 16) : 0;
}

static void drop_all_but_one(void)
{
	const uint64_t kept = PRIVILEGE_CAPABILITY(CAP_NET_ADMIN);
	uint64_t held = capabilities_read("CapPrm:");
	struct privilege_user user;

	if (privilege_find_user("nobody", &user, NULL) < 0 || privilege_drop(&user, kept, NULL) < 0)
		_exit(1);
	if (getuid() != user.uid || setuid(0) == 0)
		_exit(2);
	/* What root itself does not have (in a container) cannot be kept. */
	if (capabilities_read("CapPrm:") != (kept & held) ||
		capabilities_read("CapEff:") != (kept & held))
		_exit(3);
	if (capabilities_read("CapInh:") || capabilities_read("CapAmb:") ||
		capabilities_read("CapBnd:"))
		_exit(4);
	if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(5);
}

static void a_drop_can_keep_a_capability_and_passes_none_on(void **state)
{
	(void)state;
	if (!privilege_is_root())
		skip();
	assert_int_equal(child_status(drop_all_but_one), 0);
}

static void drop_twice(void)
{
	struct privilege_user user = {.uid = 12345, .gid = 12345};
	struct privilege_user other = {.uid = 12346, .gid = 12346};
	struct err err = ERR_NONE;

	if (privilege_drop(&user, 0, NULL) < 0)
		_exit(1);
	if (privilege_drop(&other, 0, &err) != -EPERM || !strstr(err.text, "12346"))
		_exit(2);
}

static void who_is_not_root_cannot_become_another(void **state)
{
	(void)state;
	if (!privilege_is_root())
		skip();
	assert_int_equal(child_status(drop_twice), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_found_and_a_stranger_is_not),
		with_temporary_folder(a_folder_is_given_whatever_it_was),
		with_temporary_folder(a_link_is_never_given_away),
		cmocka_unit_test(a_drop_leaves_nothing_of_root),
		cmocka_unit_test(a_drop_can_keep_a_capability_and_passes_none_on),
		cmocka_unit_test(who_is_not_root_cannot_become_another),
	};

	return cmocka_run_group_tests_name("privilege", tests, NULL, NULL);
}
