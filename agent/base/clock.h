/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monotonic time, for durations and deadlines. Used by every program.
 */
#pragma once

#include <stdint.h>

int64_t clock_now_ms(void);
/* Milliseconds until deadline_ms, for poll(): never negative. */
int clock_left_ms(int64_t deadline_ms);
void clock_sleep_ms(int64_t duration_ms);
