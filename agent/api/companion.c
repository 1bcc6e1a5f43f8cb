/* SPDX-License-Identifier: Apache-2.0 */
#include "api/companion.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "sys/installation.h"

enum { STOP_TIMEOUT_MS = 2000 };

/* Points into program and sources. */
static const char **argv_make(const char *program, const struct settings_sources *sources)
{
	const char **argv =
		xcalloc(2 * (sources->file_count + sources->dir_count) + 2, sizeof(*argv));
	size_t count = 0;

	argv[count++] = program;
	for (size_t i = 0; i < sources->file_count; i++) {
		argv[count++] = "--config-file";
		argv[count++] = sources->files[i];
	}
	for (size_t i = 0; i < sources->dir_count; i++) {
		argv[count++] = "--config-dir";
		argv[count++] = sources->dirs[i];
	}
	return argv;
}

/*
 * Where its log goes: to ours, unless that is a pipe, which would break under it, or keep whoever
 * reads it waiting, when we die and it lives on. NULL: to ours.
 */
static char *output_path(const char *name, const struct settings *settings)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0 || !S_ISFIFO(status.st_mode))
		return NULL;
	return xformat("%s/%s.log", settings->runtime_dir, name);
}

int companion_restart(struct service_manager *services, const char *name,
	const struct settings_sources *sources, const struct settings *settings, struct err *err)
{
	cleanup_free char *program = installation_find_program(name);
	cleanup_free const char **argv = argv_make(program, sources);
	cleanup_free char *output = output_path(name, settings);
	const struct service_spec spec = {
		.name = name,
		.process = {.argv = argv, .output_path = output},
		.stop_signal = SIGTERM,
		.stop_timeout_ms = STOP_TIMEOUT_MS,
	};
	int r = service_restart(services, &spec, err);

	return r < 0 ? err_wrap(err, r, "starting %s", name) : 0;
}

void companion_stop(struct service_manager *services, const char *name)
{
	service_stop(services, name, NULL);
}
