/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line each to stderr, with the priority prefix that the journal reads
 * (sd-daemon(3)). Never a key, a certificate's body or an HMAC. Thread-safe: one write() a line.
 * Used by every program.
 */
#pragma once

#include <stdbool.h>

/* debug lines are dropped until somebody asks for them ([DEFAULT] debug). */
void log_set_debug(bool on);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
