/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log_limit.h"

bool log_limit_admit(struct log_limit *limit, int64_t now_ms)
{
	if (now_ms >= limit->window_end_ms) {
		limit->window_end_ms = now_ms + LOG_LIMIT_WINDOW_MS;
		limit->lines = 0;
	}
	if (limit->lines < LOG_LIMIT_LINES) {
		limit->lines++;
		return true;
	}
	limit->suppressed++;
	return false;
}

unsigned log_limit_take_suppressed(struct log_limit *limit, int64_t now_ms)
{
	unsigned suppressed = limit->suppressed;

	if (now_ms < limit->window_end_ms)
		return 0;
	limit->suppressed = 0;
	return suppressed;
}

int64_t log_limit_due_ms(const struct log_limit *limit)
{
	return limit->suppressed ? limit->window_end_ms : INT64_MAX;
}
