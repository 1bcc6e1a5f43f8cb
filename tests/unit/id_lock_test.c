/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id_lock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

enum { THREADS = 8, ROUNDS = 2000 };

static const struct id one = {.text = "one"};
static const struct id two = {.text = "two"};

struct contest {
	struct id_locks *locks;
	const struct id *id;
	int unguarded; /* touched only under the lock of id */
	atomic_bool entered;
};

static void *count_up(void *data)
{
	struct contest *contest = data;

	for (int i = 0; i < ROUNDS; i++) {
		int seen;

		id_lock_acquire(contest->locks, contest->id);
		seen = contest->unguarded;
		contest->unguarded = seen + 1;
		id_lock_release(contest->locks, contest->id);
	}
	return NULL;
}

static void many_threads_take_turns_and_leave_nothing(void **state)
{
	struct contest contests[] = {{.id = &one}, {.id = &two}};
	struct id_locks *locks = id_locks_new();
	pthread_t threads[THREADS];

	(void)state;
	contests[0].locks = contests[1].locks = locks;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count_up, &contests[i % 2]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(contests[0].unguarded, THREADS / 2 * ROUNDS);
	assert_int_equal(contests[1].unguarded, THREADS / 2 * ROUNDS);
	assert_int_equal(id_locks_count(locks), 0);
	id_locks_free(locks);
}

static void *enter(void *data)
{
	struct contest *contest = data;

	id_lock_acquire(contest->locks, contest->id);
	contest->entered = true;
	id_lock_release(contest->locks, contest->id);
	return NULL;
}

static void a_held_id_keeps_others_waiting_and_other_ids_free(void **state)
{
	struct contest same = {.locks = id_locks_new(), .id = &one};
	struct contest other = {.locks = same.locks, .id = &two};
	pthread_t waiting;
	pthread_t free_to_go;

	(void)state;
	id_lock_acquire(same.locks, &one);
	pthread_create(&waiting, NULL, enter, &same);
	pthread_create(&free_to_go, NULL, enter, &other);
	pthread_join(free_to_go, NULL);
	assert_true(other.entered);
	clock_sleep_ms(20);
	assert_false(same.entered);
	assert_int_equal(id_locks_count(same.locks), 1);
	id_lock_release(same.locks, &one);
	pthread_join(waiting, NULL);
	assert_true(same.entered);
	assert_int_equal(id_locks_count(same.locks), 0);
	id_locks_free(same.locks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_take_turns_and_leave_nothing),
		cmocka_unit_test(a_held_id_keeps_others_waiting_and_other_ids_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
