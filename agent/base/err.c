/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list arguments;

	assert(code < 0);
	if (!err)
		return code;
	err->code = code;
	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	return code;
}

int err_set_errno(struct err *err, int code, const char *format, ...)
{
	char why[128];
	va_list arguments;
	size_t length;

	assert(code < 0);
	if (!err)
		return code;
	err->code = code;
	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s",
		strerror_r(-code, why, sizeof(why)));
	return code;
}

int err_wrap(struct err *err, int code, const char *format, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list arguments;
	size_t length;

	assert(code < 0);
	if (!err)
		return code;
	memcpy(inner, err->text, sizeof(inner));
	err->code = code;
	va_start(arguments, format);
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s", inner);
	return code;
}
