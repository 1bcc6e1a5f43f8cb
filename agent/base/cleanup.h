/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership of locals: every local that owns something says so with one of these attributes, and
 * hands it on with take_ptr() or take_fd(), which leave an empty local behind.
 * Used by every program.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Defines cleanup_NAME(TYPE **) which calls DESTROY(*p); DESTROY must accept NULL. */
#define DEFINE_CLEANUP(type, destroy)                                                              \
	static inline void cleanup_##destroy(type *p)                                              \
	{                                                                                          \
		if (*p)                                                                            \
			destroy(*p);                                                               \
	}                                                                                          \
	struct cleanup_swallow_semicolon_##destroy

static inline void cleanup_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_fd(const int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved_errno;
}

/* Local pointer, freed when it leaves scope. */
#define cleanup_free CLEANUP(cleanup_free_ptr)
/* Local descriptor, closed when it leaves scope; start it with -1. */
#define cleanup_close CLEANUP(cleanup_close_fd)

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *take_from_ = &(p);                                                  \
		__typeof__(p) taken_ = *take_from_;                                                \
		*take_from_ = NULL;                                                                \
		taken_;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Closes fd if it is one; returns -1, so that "fd = close_fd(fd)" leaves no stale number. */
static inline int close_fd(int fd)
{
	cleanup_close_fd(&fd);
	return -1;
}
