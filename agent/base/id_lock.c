/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id_lock.h"

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

struct id_locks {
	pthread_mutex_t mutex;
	struct lock *first;
};

struct id_locks *id_locks_new(void)
{
	struct id_locks *locks = xcalloc(1, sizeof(*locks));

	pthread_mutex_init(&locks->mutex, NULL);
	return locks;
}

void id_locks_free(struct id_locks *locks)
{
	if (!locks)
		return;
	assert(!locks->first);
	pthread_mutex_destroy(&locks->mutex);
	free(locks);
}

/* Where the lock of id hangs, or would be hung. The table is locked. */
static struct lock **lock_find(struct id_locks *locks, const struct id *id)
{
	struct lock **place = &locks->first;

	while (*place && !id_equal(&(*place)->id, id))
		place = &(*place)->next;
	return place;
}

void id_lock_acquire(struct id_locks *locks, const struct id *id)
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

void id_lock_release(struct id_locks *locks, const struct id *id)
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

size_t id_locks_count(struct id_locks *locks)
{
	size_t count = 0;

	pthread_mutex_lock(&locks->mutex);
	for (const struct lock *lock = locks->first; lock; lock = lock->next)
		count++;
	pthread_mutex_unlock(&locks->mutex);
	return count;
}
