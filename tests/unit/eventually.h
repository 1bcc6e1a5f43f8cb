/* SPDX-License-Identifier: Apache-2.0 */
/* What other processes do takes its time: conditions that come true, for tests to wait for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

enum { EVENTUALLY_MS = 60000 };

/* Waits until the condition holds; fails when it never does. */
#define assert_soon(condition)                                                                     \
	do {                                                                                       \
		int64_t deadline_ms_ = clock_now_ms() + EVENTUALLY_MS;                             \
                                                                                                   \
		while (!(condition)) {                                                             \
			if (clock_left_ms(deadline_ms_) == 0)                                      \
				fail_msg("never came true: %s", #condition);                       \
			clock_sleep_ms(2);                                                         \
		}                                                                                  \
	} while (0)

/* Whether the process is gone, or only waits for its parent to notice. */
static inline bool process_is_over(pid_t pid)
{
	cleanup_free char *path = xformat("/proc/%d/stat", pid);
	cleanup_buf struct buf text = BUF_INIT(4 * KIB);

	return file_read(path, &text, NULL) < 0 || strstr(buf_text(&text), ") Z ");
}

/* Of one that was just spawned it is true a moment later: what tells its parent comes before. */
static inline bool process_has_arguments(pid_t pid)
{
	cleanup_free char *path = xformat("/proc/%d/cmdline", pid);
	cleanup_buf struct buf text = BUF_INIT(4 * KIB);

	return file_read(path, &text, NULL) == 0 && text.size_bytes > 0;
}
