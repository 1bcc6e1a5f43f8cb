/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small allocations. They never return NULL: without memory the program ends, the service manager
 * starts it again, and the state on disk is whole. What a peer can make large is capped before it
 * gets here (struct buf has a maximum). The caller owns the result and frees it with free().
 * Used by every program.
 */
#pragma once

#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xrealloc_array(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
/* The first size bytes of data and a terminating NUL. */
char *xmemdup_text(const void *data, size_t size);
/* printf into a fresh string. */
char *xformat(const char *format, ...) __attribute__((format(printf, 1, 2)));
