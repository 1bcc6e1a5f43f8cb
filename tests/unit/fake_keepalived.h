/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that passes for a keepalived: its pid file lies in the temporary folder, and its
 * command line names it.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "keepalived/process.h"
#include "lvs/running.h"
#include "lvs/site.h"
#include "temporary_folder.h"

struct fake_keepalived {
	pid_t pid;
	int stdin_fd; /* it ends when this does, should the test crash */
};

static inline void fake_keepalived_start_at(struct fake_keepalived *fake, const char *pid_file)
{
	cleanup_free char *text = NULL;
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	fake->pid = fork();
	if (fake->pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/bin/sh", "keepalived", "-c", "read line", "-p", pid_file, NULL);
		_exit(127);
	}
	close(ends[0]);
	fake->stdin_fd = ends[1];
	text = xformat("%d\n", fake->pid);
	if (file_replace(pid_file, text, strlen(text), 0644, NULL) < 0)
		abort();
	while (keepalived_pid(pid_file) == 0) /* until it is what it passes for */
		clock_sleep_ms(1);
}

/* That of an LVS listener. */
static inline void fake_keepalived_start(struct fake_keepalived *fake, const struct id *listener)
{
	cleanup_free char *pid_file = lvs_path(temporary_folder, listener, LVS_FILE_PID);

	fake_keepalived_start_at(fake, pid_file);
}

static inline void fake_keepalived_stop(struct fake_keepalived *fake)
{
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	close(fake->stdin_fd);
}

#define LVS_LISTENER_CONFIG                                                                        \
	"# Configuration for Listener L\n"                                                         \
	"virtual_server_group ipv4-group {\n"                                                      \
	"    10.0.0.10 53\n"                                                                       \
	"}\n"                                                                                      \
	"virtual_server group ipv4-group {\n"                                                      \
	"    protocol UDP\n"                                                                       \
	"    # Configuration for Pool P\n"                                                         \
	"    # Configuration for Member M\n"                                                       \
	"    real_server 10.0.1.1 53 {\n"                                                          \
	"        TCP_CHECK {\n"                                                                    \
	"        }\n"                                                                              \
	"    }\n"                                                                                  \
	"}\n"

/* The listener's config, which keepalived took up long ago. */
static inline void lvs_listener_install(const struct id *listener, const char *text)
{
	cleanup_free char *folder = in_temporary_folder("lvs");
	cleanup_free char *config = lvs_path(temporary_folder, listener, LVS_FILE_CONFIG);
	cleanup_free char *record = lvs_path(temporary_folder, listener, LVS_FILE_RUNNING);
	const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

	if (directory_make(folder, 0755, NULL) < 0 ||
		file_replace(config, text, strlen(text), 0644, NULL) < 0 ||
		lvs_running_store(temporary_folder, listener, text, strlen(text), NULL) < 0 ||
		utimensat(AT_FDCWD, record, long_ago, 0) < 0)
		abort();
}
