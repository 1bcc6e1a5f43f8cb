/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that is wrong for a while: said in the log when it begins, when its reason changes and
 * when it ends, not each time between, and kept as a text. Owned by what it is about (a target, a
 * load balancer, HAProxy's exporter). Used by the sender and the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Starts as {0}. */
struct condition {
	char *text; /* NULL while all is well */
	int code;
	bool is_said;  /* the log has heard that it holds, */
	int said_code; /* for this reason */
};

/*
 * It holds, for the reason code (a negative errno, or any other number), in the words of format.
 * The words may change from time to time (a count), the log hears of a new code only.
 */
void condition_raise(struct condition *condition, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * The same of what may as well be a change on its way, like a daemon that is about to be started:
 * the log hears of it when it is found twice in a row, for the same reason.
 */
void condition_suspect(struct condition *condition, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* It holds no longer: format says so in the log, if that had heard of it. */
void condition_clear(struct condition *condition, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends the text to a list of problems, if it holds. */
void condition_describe(const struct condition *condition, struct buf *ret_problems);
void condition_deinit(struct condition *condition);
