/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>

#include "eventually.h"
#include "sys/name_lookup.h"

static void a_numeric_host_is_known_at_once(void **state)
{
	struct socket_address address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address.storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address.storage;

	(void)state;
	assert_int_equal(name_lookup_numeric("192.0.2.7", 5555, &address), 0);
	assert_int_equal(address.size_bytes, sizeof(*v4));
	assert_int_equal(v4->sin_family, AF_INET);
	assert_int_equal(ntohl(v4->sin_addr.s_addr), 0xc0000207);
	assert_int_equal(ntohs(v4->sin_port), 5555);
	assert_int_equal(name_lookup_numeric("2001:db8::1", 1, &address), 0);
	assert_int_equal(v6->sin6_family, AF_INET6);
	assert_int_equal(name_lookup_numeric("fe80::1%lo", 1, &address), 0);
	assert_int_not_equal(v6->sin6_scope_id, 0);
}

static void a_name_is_not_numeric(void **state)
{
	struct socket_address address;

	(void)state;
	assert_int_equal(name_lookup_numeric("localhost", 1, &address), -EINVAL);
	assert_int_equal(name_lookup_numeric("", 1, &address), -EINVAL);
}

static void a_name_is_looked_up_beside_the_caller(void **state)
{
	struct name_lookup *lookup;
	struct socket_address address;

	(void)state;
	assert_int_equal(name_lookup_start("localhost", 7, &lookup, NULL), 0);
	assert_int_equal(name_lookup_result(lookup, 60000, &address, NULL), 0);
	assert_true(address.storage.ss_family == AF_INET || address.storage.ss_family == AF_INET6);
	/* It can be asked for again. */
	assert_int_equal(name_lookup_result(lookup, 0, &address, NULL), 0);
	name_lookup_release(lookup);
}

static void a_name_that_does_not_exist_says_so(void **state)
{
	struct name_lookup *lookup;
	struct socket_address address;
	struct err err = ERR_NONE;

	(void)state;
	/* An empty label: refused before any server is asked. */
	assert_int_equal(name_lookup_start("no..such", 7, &lookup, NULL), 0);
	assert_int_equal(name_lookup_result(lookup, 60000, &address, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "no..such"));
	name_lookup_release(lookup);
}

/* Those that the process has before any lookup. */
static unsigned own_threads;

static unsigned thread_count(void)
{
	DIR *threads = opendir("/proc/self/task");
	unsigned count = 0;

	while (readdir(threads))
		count++;
	closedir(threads);
	return count;
}

static void a_lookup_may_be_released_while_it_is_under_way(void **state)
{
	struct name_lookup *lookup;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(name_lookup_start("localhost", 7, &lookup, NULL), 0);
		name_lookup_release(lookup);
	}
	name_lookup_release(NULL);
	assert_soon(thread_count() == own_threads); /* the leak checker must find the others done */
}

static int set_up(void **state)
{
	(void)state;
	own_threads = thread_count();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_numeric_host_is_known_at_once),
		cmocka_unit_test(a_name_is_not_numeric),
		cmocka_unit_test(a_name_is_looked_up_beside_the_caller),
		cmocka_unit_test(a_name_that_does_not_exist_says_so),
		cmocka_unit_test(a_lookup_may_be_released_while_it_is_under_way),
	};

	return cmocka_run_group_tests_name("name_lookup", tests, set_up, NULL);
}
