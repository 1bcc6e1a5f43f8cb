/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/lock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

struct lock {
	struct lock *next;
	struct id id;
	pthread_mutex_t mutex;
	size_t users; /* who hold or await it; guarded by the table's mutex */
};

struct haproxy_locks {
	pthread_mutex_t mutex;
	struct lock *first;
};

struct haproxy_locks *haproxy_locks_new(void)
{
	struct haproxy_locks *locks = xcalloc(1, sizeof(*locks));

	pthread_mutex_init(&locks->mutex, NULL);
	return locks;
}

void haproxy_locks_free(struct haproxy_locks *locks)
{
	if (!locks)
		return;
	assert(!locks->first);
	pthread_mutex_destroy(&locks->mutex);
	free(locks);
}

/* Where the lock of id hangs, or would be hung. The table is locked. */
static struct lock **lock_find(struct haproxy_locks *locks, const struct id *id)
{
	struct lock **place = &locks->first;

	while (*place && !id_equal(&(*place)->id, id))
		place = &(*place)->next;
	return place;
}

void haproxy_lock_acquire(struct haproxy_locks *locks, const struct id *id)
{
	struct lock **place;
	struct lock *lock;

	pthread_mutex_lock(&locks->mutex);
	place = lock_find(locks, id);
	if (!*place) {
		*place = xcalloc(1, sizeof(**place));
		(*place)->id = *id;
		pthread_mutex_init(&(*place)->mutex, NULL);
	}
	lock = *place;
	lock->users++;
	pthread_mutex_unlock(&locks->mutex);
	pthread_mutex_lock(&lock->mutex);
}

void haproxy_lock_release(struct haproxy_locks *locks, const struct id *id)
{
	struct lock **place;
	struct lock *lock;

	pthread_mutex_lock(&locks->mutex);
	place = lock_find(locks, id);
	lock = *place;
	assert(lock);
	pthread_mutex_unlock(&lock->mutex);
	lock->users--;
	if (lock->users == 0) {
		*place = lock->next;
		pthread_mutex_destroy(&lock->mutex);
		free(lock);
	}
	pthread_mutex_unlock(&locks->mutex);
}

size_t haproxy_locks_count(struct haproxy_locks *locks)
{
	size_t count = 0;

	pthread_mutex_lock(&locks->mutex);
	for (const struct lock *lock = locks->first; lock; lock = lock->next)
		count++;
	pthread_mutex_unlock(&locks->mutex);
	return count;
}
