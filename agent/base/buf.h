/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow up to a mandatory maximum, always followed by a NUL that is not counted. The
 * first failure (too large) sticks: later appends do nothing, and buf_error(), asked once at the
 * end, tells. Used by every program.
 *
 *	cleanup_buf struct buf text = BUF_INIT(MIB);
 *	buf_append_text(&text, "hello ");
 *	buf_append_format(&text, "%d", 7);
 *	if (buf_error(&text))
 *		return err_set(err, buf_error(&text), "…");
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct buf {
	char *data; /* NULL while nothing was ever appended: read it through buf_text() */
	size_t size_bytes;
	size_t capacity_bytes;
	size_t max_bytes;
	int error; /* 0 or -EMSGSIZE */
};

enum { KIB = 1024, MIB = 1024 * 1024 };

#define BUF_INIT(max) ((struct buf){.max_bytes = (max)})

void buf_deinit(struct buf *buf);
/* Empties it and forgets its error; keeps memory and maximum. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t size_bytes);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_append_format(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Room for size_bytes more at the end, to be filled by read() or recv(), then confirmed with
 * buf_commit(). NULL when that would pass the maximum (the error sticks).
 */
void *buf_reserve(struct buf *buf, size_t size_bytes);
void buf_commit(struct buf *buf, size_t size_bytes);

/* The bytes as a string that stays the buffer's; "" when empty. */
const char *buf_text(const struct buf *buf);
/* The bytes as a string that becomes the caller's (free()); the buffer is empty afterwards. */
char *buf_take_text(struct buf *buf);
/* 0, or the negative errno of the first failed append. */
int buf_error(const struct buf *buf);

#define cleanup_buf CLEANUP(buf_deinit)
