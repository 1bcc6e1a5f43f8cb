/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

enum { COUNT_MAX = 100 };

static atomic_uint calls[COUNT_MAX];

static void note(void *context, size_t i)
{
	assert_ptr_equal(context, calls);
	atomic_fetch_add(&calls[i], 1);
}

static void assert_each_once(size_t count, size_t thread_count)
{
	for (size_t i = 0; i < COUNT_MAX; i++)
		calls[i] = 0;
	parallel_run(count, thread_count, note, calls);
	for (size_t i = 0; i < COUNT_MAX; i++)
		assert_int_equal(calls[i], i < count ? 1 : 0);
}

static void each_is_done_once(void **state)
{
	(void)state;
	assert_each_once(COUNT_MAX, 4);
	assert_each_once(3, 8);
	assert_each_once(1, 1);
	assert_each_once(0, 4);
}

static void meet(void *context, size_t i)
{
	(void)i;
	pthread_barrier_wait(context);
}

static void as_many_are_at_work_at_a_time_as_there_are_threads(void **state)
{
	pthread_barrier_t barrier;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 4);
	/* Each waits for three others: with fewer threads this never ends. */
	parallel_run(8, 4, meet, &barrier);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once),
		cmocka_unit_test(as_many_are_at_work_at_a_time_as_there_are_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
