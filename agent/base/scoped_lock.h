/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutex held to the end of the scope. Used by the agent.
 */
#pragma once

#include <pthread.h>

#include "base/cleanup.h"

static inline void scoped_lock_end(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}

/* Once in a scope. */
#define scoped_lock(mutex)                                                                         \
	CLEANUP(scoped_lock_end) pthread_mutex_t *scoped_lock_ = (mutex);                          \
	pthread_mutex_lock(scoped_lock_)
