/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same work for many things, of which several are at work at a time: for what is mostly
 * waiting, as the start of many services. Used by the agent.
 */
#pragma once

#include <stddef.h>

/*
 * Calls work(context, i) once for each i below count, and returns when all have. At most
 * thread_count threads do it, of which the caller's is one: where no other can be had, it alone.
 */
void parallel_run(
	size_t count, size_t thread_count, void (*work)(void *context, size_t i), void *context);
