/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void record(struct err *err, int code, const char *format, va_list arguments)
{
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), format, arguments);
}

/* Puts ": <text>" behind what is recorded. */
static void record_more(struct err *err, const char *text)
{
	size_t length = strlen(err->text);

	snprintf(err->text + length, sizeof(err->text) - length, ": %s", text);
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list arguments;

	assert(code < 0);
	if (!err)
		return code;
	va_start(arguments, format);
	record(err, code, format, arguments);
	va_end(arguments);
	return code;
}

int err_set_errno(struct err *err, int code, const char *format, ...)
{
	char why[128];
	va_list arguments;

	assert(code < 0);
	if (!err)
		return code;
	va_start(arguments, format);
	record(err, code, format, arguments);
	va_end(arguments);
	record_more(err, strerror_r(-code, why, sizeof(why)));
	return code;
}

int err_wrap(struct err *err, int code, const char *format, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list arguments;

	assert(code < 0);
	if (!err)
		return code;
	memcpy(inner, err->text, sizeof(inner));
	va_start(arguments, format);
	record(err, code, format, arguments);
	va_end(arguments);
	record_more(err, inner);
	return code;
}
