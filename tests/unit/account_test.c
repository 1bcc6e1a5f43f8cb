/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "traffic/account.h"

/* n sessions, and of each other counter a multiple of its own. */
static struct traffic counted(uint64_t n)
{
	return (struct traffic){
		.bytes_in = 10 * n,
		.bytes_out = 20 * n,
		.errors_request = 30 * n,
		.sessions_total = n,
	};
}

static void read_into(struct account *account, const char *source, uint64_t n)
{
	struct traffic now = counted(n);

	account_read(account, source, &now);
}

static void assert_traffic(struct traffic traffic, uint64_t n)
{
	assert_int_equal(traffic.bytes_in, 10 * n);
	assert_int_equal(traffic.bytes_out, 20 * n);
	assert_int_equal(traffic.errors_request, 30 * n);
	assert_int_equal(traffic.sessions_total, n);
}

static bool is_named(const void *context, const char *source)
{
	return text_equal(source, context);
}

static void an_account_starts_with_nothing(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	assert_traffic(account_total(&account), 0);
	account_deinit(&account);
}

static void sources_are_added_up_as_they_were_read_last(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	read_into(&account, "a", 4);
	read_into(&account, "b", 3);
	assert_traffic(account_total(&account), 7);
	read_into(&account, "a", 6);
	assert_traffic(account_total(&account), 9);
	assert_traffic(account.settled, 0);
	account_deinit(&account);
}

static void what_a_source_counted_stays_when_it_is_gone(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	read_into(&account, "a", 4);
	read_into(&account, "b", 3);
	account_settle(&account, is_named, "b");
	assert_int_equal(account.source_count, 2);
	read_into(&account, "a", 5);
	account_settle(&account, is_named, "b");
	assert_int_equal(account.source_count, 1);
	assert_traffic(account.settled, 3);
	assert_traffic(account_total(&account), 8);
	account_settle(&account, is_named, "b");
	assert_traffic(account_total(&account), 8);
	account_deinit(&account);
}

static void one_that_was_read_is_not_gone(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	read_into(&account, "a", 4);
	account_settle(&account, is_named, "a");
	read_into(&account, "a", 5);
	account_settle(&account, is_named, "a");
	assert_int_equal(account.source_count, 1);
	account_deinit(&account);
}

static void one_that_only_was_not_read_counts_on(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	read_into(&account, "a", 4);
	for (int i = 0; i < 3; i++)
		account_settle(&account, is_named, "another");
	read_into(&account, "a", 6);
	assert_traffic(account_total(&account), 6);
	account_deinit(&account);
}

static void a_name_that_comes_again_is_another_source(void **state)
{
	struct account account = {.sources = NULL};

	(void)state;
	read_into(&account, "a", 4);
	account_settle(&account, is_named, "a");
	account_settle(&account, is_named, "a");
	read_into(&account, "a", 6);
	assert_traffic(account_total(&account), 10);
	account_deinit(&account);
}

/* Each of its counters alone tells that a source started anew. */
static void a_source_that_starts_anew_counts_from_nothing(void **state)
{
	struct account account = {.sources = NULL};
	struct traffic now = counted(2);

	(void)state;
	read_into(&account, "a", 4);
	account_read(&account, "a", &now);
	assert_int_equal(account_total(&account).sessions_total, 6);
	now.bytes_in--;
	account_read(&account, "a", &now);
	assert_int_equal(account_total(&account).sessions_total, 8);
	now.bytes_out--;
	account_read(&account, "a", &now);
	assert_int_equal(account_total(&account).sessions_total, 10);
	now.errors_request--;
	account_read(&account, "a", &now);
	assert_int_equal(account_total(&account).sessions_total, 12);
	now.sessions_total--;
	account_read(&account, "a", &now);
	assert_int_equal(account_total(&account).sessions_total, 13);
	account_deinit(&account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_starts_with_nothing),
		cmocka_unit_test(sources_are_added_up_as_they_were_read_last),
		cmocka_unit_test(what_a_source_counted_stays_when_it_is_gone),
		cmocka_unit_test(one_that_was_read_is_not_gone),
		cmocka_unit_test(one_that_only_was_not_read_counts_on),
		cmocka_unit_test(a_name_that_comes_again_is_another_source),
		cmocka_unit_test(a_source_that_starts_anew_counts_from_nothing),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
