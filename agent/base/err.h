/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error with its context: what was tried, on which object, why it failed. Owned by the caller
 * (usually on its stack); functions that can fail take it last and return a negative errno.
 * A caller that does not want the text passes NULL. Used by every program.
 *
 *	return err_set(err, -EINVAL, "listener %s: port %ld is out of range", id, port);
 *	...
 *	r = pool_parse(json, &pool, err);
 *	if (r < 0)
 *		return err_wrap(err, r, "pool %s", name);
 */
#pragma once

#include <stddef.h>

enum { ERR_TEXT_MAX = 1024 };

struct err {
	int code; /* negative errno; 0: nothing failed */
	char text[ERR_TEXT_MAX];
};

#define ERR_NONE ((struct err){.code = 0})

/* Records code and text; returns code, which must be negative. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* err_set() with ": " and the system's word for code at the end. */
int err_set_errno(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the recorded text; returns code. */
int err_wrap(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
