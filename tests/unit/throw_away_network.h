/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace for each test, which the test's thread is in, and which is gone when the
 * thread leaves it for the next one. Interfaces are made with ip(8), to have a second opinion.
 */
#pragma once

#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "sys/process.h"

enum { COMMAND_WORDS_MAX = 40, COMMAND_TIMEOUT_MS = 60000 };

static bool may_make_namespaces;

static inline int throw_away_network_setup(void **state)
{
	(void)state;
	may_make_namespaces = unshare(CLONE_NEWNET) == 0;
	return 0;
}

static inline void skip_without_namespaces(void)
{
	if (!may_make_namespaces) {
		print_message("         (needs CAP_SYS_ADMIN)\n");
		skip();
	}
}

/* Runs a command of words between single spaces; its output is the caller's to free. */
static inline char *command_output(const char *command, int *ret_status)
{
	cleanup_free char *words = xstrdup(command);
	const char *argv[COMMAND_WORDS_MAX + 1] = {NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	struct err err = ERR_NONE;
	size_t count = 0;
	char *rest = words;

	for (char *word; count < COMMAND_WORDS_MAX && (word = strsep(&rest, " "));)
		argv[count++] = word;
	if (process_run(&spec, COMMAND_TIMEOUT_MS, &output, ret_status, &err) < 0)
		fail_msg("%s: %s", command, err.text);
	buf_append_text(&output, "");
	return buf_take_text(&output);
}

/* ip(8) with the arguments; fails the test unless it succeeds. */
__attribute__((format(printf, 1, 2))) static inline void ip(const char *format, ...)
{
	cleanup_free char *arguments = NULL;
	cleanup_free char *command = NULL;
	cleanup_free char *output = NULL;
	va_list values;
	int status;

	va_start(values, format);
	if (vasprintf(&arguments, format, values) < 0)
		abort();
	va_end(values);
	command = xformat("ip %s", arguments);
	output = command_output(command, &status);
	if (status != 0)
		fail_msg("%s: %s", command, output);
}

/* Whether what "ip ARGUMENTS" shows holds the text. */
static inline bool ip_shows(const char *arguments, const char *text)
{
	cleanup_free char *command = xformat("ip %s", arguments);
	int status;
	cleanup_free char *output = command_output(command, &status);

	return status == 0 && strstr(output, text);
}

#define in_throw_away_network(test) cmocka_unit_test_setup(test, throw_away_network_setup)
