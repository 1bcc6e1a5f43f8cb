/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 4096 };

static atomic_bool debug_on;

void log_set_debug(bool on)
{
	debug_on = on;
}

/*
 * Control characters of a peer's text must not forge a second line or reach a terminal; bytes above
 * 0x7f are left alone (UTF-8).
 */
static void log_line(int priority, const char *format, va_list arguments)
{
	char line[LOG_LINE_MAX];
	int saved_errno = errno;
	int prefix = snprintf(line, sizeof(line), "<%d>", priority);
	int text = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, format, arguments);
	size_t length = (size_t)prefix;

	if (text > 0)
		length += (size_t)text;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	for (size_t i = (size_t)prefix; i < length; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0) {
		/* Nowhere left to complain. */
	}
	errno = saved_errno;
}

#define DEFINE_LOG_VERB(verb, priority)                                                            \
	void log_##verb(const char *format, ...)                                                   \
	{                                                                                          \
		va_list arguments;                                                                 \
                                                                                                   \
		va_start(arguments, format);                                                       \
		log_line(priority, format, arguments);                                             \
		va_end(arguments);                                                                 \
	}

DEFINE_LOG_VERB(error, 3)
DEFINE_LOG_VERB(warning, 4)
DEFINE_LOG_VERB(info, 6)

void log_debug(const char *format, ...)
{
	va_list arguments;

	if (!debug_on)
		return;
	va_start(arguments, format);
	log_line(7, format, arguments);
	va_end(arguments);
}
