/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/installation.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

/* The folder of the running program; "." when /proc does not tell. */
static char *own_folder(void)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (size <= 0)
		return xstrdup(".");
	path[size] = '\0';
	char *slash = strrchr(path, '/');

	return slash ? xmemdup_text(path, (size_t)(slash - path)) : xstrdup(".");
}

char *installation_find_program(const char *name)
{
	cleanup_free char *folder = own_folder();
	cleanup_free char *path = xformat("%s/%s", folder, name);

	return access(path, X_OK) == 0 ? take_ptr(path) : xstrdup(name);
}

int installation_find_templates(const char *configured, char **ret_folder, struct err *err)
{
	/* From PREFIX/bin, from build/, from build/san/. */
	static const char *const beside[] = {
		"../share/amphora-agent/templates", "../templates", "../../templates"};
	cleanup_free char *folder = own_folder();

	if (configured[0]) {
		if (!file_exists(configured))
			return err_set_errno(
				err, -ENOENT, "[agent] template_dir: folder %s", configured);
		*ret_folder = xstrdup(configured);
		return 0;
	}
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		cleanup_free char *path = xformat("%s/%s", folder, beside[i]);

		if (file_exists(path)) {
			*ret_folder = take_ptr(path);
			return 0;
		}
	}
	return err_set(err, -ENOENT,
		"no folder of templates beside %s: install the package's, or name one in [agent] "
		"template_dir",
		folder);
}
