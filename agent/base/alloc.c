/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *alloc_check(void *memory)
{
	if (!memory) {
		fputs("<2>out of memory; ending\n", stderr);
		abort();
	}
	return memory;
}

/* Nothing is a thing of one byte here: then NULL always means that there was no memory. */
void *xcalloc(size_t count, size_t size)
{
	return alloc_check(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc_array(void *old, size_t count, size_t size)
{
	return alloc_check(count && size ? reallocarray(old, count, size) : realloc(old, 1));
}

char *xstrdup(const char *text)
{
	return xmemdup_text(text, strlen(text));
}

char *xmemdup_text(const void *data, size_t size)
{
	char *copy = alloc_check(size < SIZE_MAX ? malloc(size + 1) : NULL);

	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

char *xformat(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return alloc_check(length < 0 ? NULL : text);
}
