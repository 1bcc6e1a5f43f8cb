/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the service manager share: a manager over a temporary folder. */
#pragma once

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "sys/service.h"
#include "eventually.h"
#include "kill_process.h"
#include "temporary_folder.h"

/* Each test has a folder of its own, a manager over it, and a command line that no one else has. */
static struct service_manager *manager;
static char forever[32]; /* an argument of sleep */

#define ARGV(...)      ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(command) ARGV("/bin/sh", "-c", command)
#define SPEC(...)      (&(struct service_spec){.name = "test@1", .process.argv = __VA_ARGS__})
#define SLEEPER        SPEC(ARGV("sleep", forever))

static inline void manager_make(void)
{
	struct err err = ERR_NONE;

	if (service_manager_new_direct(temporary_folder, &manager, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void manager_drop(void)
{
	service_manager_free(manager);
	manager = NULL;
}

static inline int setup(void **state)
{
	static unsigned count;

	if (temporary_folder_setup(state) < 0)
		return -1;
	snprintf(forever, sizeof(forever), "%d.%u", 1000000 + getpid(), ++count);
	manager_make();
	return 0;
}

static inline int teardown(void **state)
{
	if (manager)
		service_remove(manager, "test@1", NULL);
	manager_drop();
	return temporary_folder_teardown(state);
}

static inline void start(const struct service_spec *spec)
{
	struct err err = ERR_NONE;
	bool started = false;

	if (service_start(manager, spec, &started, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(started);
}

static inline void stop(const char *name)
{
	struct err err = ERR_NONE;

	if (service_stop(manager, name, &err) < 0)
		fail_msg("%s", err.text);
}

/* Of test@1, which runs. */
static inline void main_process_kill(void)
{
	kill_process(service_pid(manager, "test@1"));
}

/*
 * How many live processes have this test's argument in their command line. A process has none for
 * an instant while it is executed, even after its birth was reported.
 */
static inline unsigned sleeper_count(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(proc))) {
		cleanup_free char *path = xformat("/proc/%s/cmdline", entry->d_name);
		cleanup_buf struct buf command = BUF_INIT(64 * KIB);

		if (file_read(path, &command, NULL) == 0 &&
			memmem(buf_text(&command), command.size_bytes, forever, strlen(forever)))
			count++;
	}
	closedir(proc);
	return count;
}

static inline char *content_of(const char *path)
{
	cleanup_buf struct buf text = BUF_INIT(4 * MIB);

	file_read(path, &text, NULL);
	return xmemdup_text(buf_text(&text), text.size_bytes);
}

static inline unsigned line_count(const char *path)
{
	cleanup_free char *text = content_of(path);
	unsigned count = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

#define service_case(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
