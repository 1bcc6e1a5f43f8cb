/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY_BYTES = 256 };

void buf_deinit(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
	buf->size_bytes = 0;
	buf->error = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Makes room for extra bytes and a NUL behind them. */
static int buf_grow(struct buf *buf, size_t extra)
{
	size_t wanted;

	if (buf->error)
		return buf->error;
	if (extra > buf->max_bytes || buf->size_bytes > buf->max_bytes - extra) {
		buf->error = -EMSGSIZE;
		return buf->error;
	}
	wanted = buf->size_bytes + extra + 1;
	if (wanted <= buf->capacity_bytes)
		return 0;
	if (wanted < buf->capacity_bytes * 2)
		wanted = buf->capacity_bytes * 2;
	if (wanted < FIRST_CAPACITY_BYTES)
		wanted = FIRST_CAPACITY_BYTES;
	if (wanted > buf->max_bytes + 1)
		wanted = buf->max_bytes + 1;
	buf->data = xrealloc_array(buf->data, wanted, 1);
	buf->capacity_bytes = wanted;
	buf->data[buf->size_bytes] = '\0';
	return 0;
}

void buf_append(struct buf *buf, const void *data, size_t size_bytes)
{
	if (buf_grow(buf, size_bytes) < 0)
		return;
	if (size_bytes)
		memcpy(buf->data + buf->size_bytes, data, size_bytes);
	buf_commit(buf, size_bytes);
}

void buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	va_list again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	if (buf_grow(buf, (size_t)length) == 0) {
		vsnprintf(buf->data + buf->size_bytes, (size_t)length + 1, format, again);
		buf->size_bytes += (size_t)length;
	}
	va_end(again);
}

void *buf_reserve(struct buf *buf, size_t size_bytes)
{
	if (buf_grow(buf, size_bytes) < 0)
		return NULL;
	return buf->data + buf->size_bytes;
}

void buf_commit(struct buf *buf, size_t size_bytes)
{
	assert(buf->size_bytes + size_bytes < buf->capacity_bytes);
	buf->size_bytes += size_bytes;
	buf->data[buf->size_bytes] = '\0';
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take_text(struct buf *buf)
{
	char *text = buf->data ? take_ptr(buf->data) : xstrdup("");

	buf->size_bytes = 0;
	buf->capacity_bytes = 0;
	return text;
}

int buf_error(const struct buf *buf)
{
	return buf->error;
}
