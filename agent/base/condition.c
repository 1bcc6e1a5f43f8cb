/* SPDX-License-Identifier: Apache-2.0 */
#include "base/condition.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"

void condition_raise(struct condition *condition, int code, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list arguments;
	int is_news = !condition->text || condition->code != code;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	free(condition->text);
	condition->text = xstrdup(text);
	condition->code = code;
	if (is_news)
		log_warning("%s", text);
}

void condition_clear(struct condition *condition, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list arguments;

	if (!condition->text)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	condition_deinit(condition);
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
	free(take_ptr(condition->text));
	condition->code = 0;
}
