/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { ACCOUNT_TEXT_MAX = 4096 };

bool privilege_is_root(void)
{
	return geteuid() == 0;
}

int privilege_find_user(const char *name, struct privilege_user *ret_user, struct err *err)
{
	char texts[ACCOUNT_TEXT_MAX];
	struct passwd account;
	struct passwd *found = NULL;
	int r = getpwnam_r(name, &account, texts, sizeof(texts), &found);

	if (r != 0)
		return err_set_errno(err, -r, "looking up user %s", name);
	if (!found)
		return err_set(err, -ENOENT, "there is no user %s: set [agent] user", name);
	*ret_user = (struct privilege_user){.uid = account.pw_uid, .gid = account.pw_gid};
	return 0;
}

static bool is_given(int fd, const struct privilege_user *user)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_uid == user->uid &&
	       status.st_gid == user->gid && (status.st_mode & 07777) == 0755;
}

int privilege_give_directory(const char *path, const struct privilege_user *user, struct err *err)
{
	cleanup_close int fd = -1;
	int r = directory_make(path, 0755, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && is_given(fd, user))
		return 0;
	if (fd < 0 || fchown(fd, user->uid, user->gid) < 0 || fchmod(fd, 0755) < 0)
		return err_set_errno(
			err, -errno, "giving folder %s to user id %u", path, (unsigned)user->uid);
	return 0;
}

/*
 * Of the permitted capabilities only those of kept stay, and they are in force; none can be
 * inherited. capget(2) and capset(2) have no wrappers in libc; they take halves of 32 bits.
 */
static int capabilities_reduce(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
		syscall(SYS_capget, &header, halves) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		halves[i].permitted &= (uint32_t)(kept >> (32 * i));
		halves[i].effective = halves[i].permitted;
		halves[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, halves) < 0 ? -errno : 0;
}

/*
 * What no program started from here may ever be given. A container may forbid the call; then
 * no_new_privs alone closes that way.
 */
static void bounding_set_clear(void)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int identity_change(const struct privilege_user *user)
{
	if (setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return -errno;
	/* Else the permitted capabilities went with root's user id. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
}

int privilege_drop(const struct privilege_user *user, uint64_t kept, struct err *err)
{
	int r;

	bounding_set_clear();
	r = identity_change(user);
	if (r == 0)
		r = capabilities_reduce(kept);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r < 0)
		return err_set_errno(err, r, "becoming user id %u", (unsigned)user->uid);
	if (user->uid != 0 && setuid(0) == 0)
		return err_set(err, -EPERM, "becoming user id %u: the way back to root is open",
			(unsigned)user->uid);
	return 0;
}
