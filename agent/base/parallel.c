/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* What is still to be taken, shared by the threads. */
struct parallel {
	void (*work)(void *context, size_t i);
	void *context;
	size_t count;
	atomic_size_t next;
};

static void *parallel_work(void *data)
{
	struct parallel *parallel = data;
	size_t i;

	while ((i = atomic_fetch_add(&parallel->next, 1)) < parallel->count)
		parallel->work(parallel->context, i);
	return NULL;
}

void parallel_run(
	size_t count, size_t thread_count, void (*work)(void *context, size_t i), void *context)
{
	struct parallel parallel = {.work = work, .context = context, .count = count};
	size_t wanted = count < thread_count ? count : thread_count;
	cleanup_free pthread_t *threads = xcalloc(wanted + 1, sizeof(*threads));
	size_t started = 0;

	while (started + 1 < wanted &&
		pthread_create(&threads[started], NULL, parallel_work, &parallel) == 0)
		started++;
	parallel_work(&parallel);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
