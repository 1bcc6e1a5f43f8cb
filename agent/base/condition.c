/* SPDX-License-Identifier: Apache-2.0 */
#include "base/condition.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"

static void raise_with(struct condition *condition, int code, bool is_sayable, const char *format,
	va_list arguments)
{
	char text[ERR_TEXT_MAX];
	bool is_second = condition->text && condition->code == code;

	vsnprintf(text, sizeof(text), format, arguments);
	free(condition->text);
	condition->text = xstrdup(text);
	condition->code = code;
	if ((condition->is_said && condition->said_code == code) || (!is_sayable && !is_second))
		return;
	condition->is_said = true;
	condition->said_code = code;
	log_warning("%s", text);
}

void condition_raise(struct condition *condition, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	raise_with(condition, code, true, format, arguments);
	va_end(arguments);
}

void condition_suspect(struct condition *condition, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	raise_with(condition, code, false, format, arguments);
	va_end(arguments);
}

void condition_clear(struct condition *condition, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	bool is_news = condition->is_said;
	va_list arguments;

	condition_deinit(condition);
	if (!is_news)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_info("%s", text);
}

void condition_describe(const struct condition *condition, struct buf *ret_problems)
{
	if (!condition->text)
		return;
	if (ret_problems->size_bytes > 0)
		buf_append_text(ret_problems, "; ");
	buf_append_text(ret_problems, condition->text);
}

void condition_deinit(struct condition *condition)
{
	free(condition->text);
	*condition = (struct condition){.text = NULL};
}
