/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a line that any peer can provoke may reach the log: the first few of a minute, the rest
 * is counted. A plain value, one for each kind of line, guarded by its owner's lock. Used by the
 * agent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LOG_LIMIT_LINES = 5, LOG_LIMIT_WINDOW_MS = 60 * 1000 };

/* All zero is a fresh one. */
struct log_limit {
	int64_t window_end_ms;
	unsigned lines;
	unsigned suppressed;
};

/* Whether a line of this kind may be written now. */
bool log_limit_admit(struct log_limit *limit, int64_t now_ms);

/*
 * How many lines a window that is over has suppressed, told once, for a line that says so; 0 while
 * it lasts. log_limit_due_ms(): when to ask; INT64_MAX: nothing is suppressed.
 */
unsigned log_limit_take_suppressed(struct log_limit *limit, int64_t now_ms);
int64_t log_limit_due_ms(const struct log_limit *limit);
