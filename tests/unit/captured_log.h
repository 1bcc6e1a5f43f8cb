/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log says while a test runs, instead of on the test's stderr.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct captured_log {
	int stderr_fd;
	FILE *file;
	char text[16384];
};

static inline void captured_log_start(struct captured_log *log)
{
	log->file = tmpfile();
	log->stderr_fd = dup(STDERR_FILENO);
	if (!log->file || dup2(fileno(log->file), STDERR_FILENO) < 0)
		abort();
}

static inline const char *captured_log_text(struct captured_log *log)
{
	ssize_t got = pread(fileno(log->file), log->text, sizeof(log->text) - 1, 0);

	log->text[got < 0 ? 0 : got] = '\0';
	return log->text;
}

/* How many lines hold the words. */
static inline unsigned captured_log_count(struct captured_log *log, const char *words)
{
	unsigned count = 0;

	for (const char *at = captured_log_text(log); (at = strstr(at, words)); count++)
		at = strchr(at, '\n') ? strchr(at, '\n') : at + strlen(at);
	return count;
}

static inline void captured_log_stop(struct captured_log *log)
{
	dup2(log->stderr_fd, STDERR_FILENO);
	close(log->stderr_fd);
	fclose(log->file);
}
