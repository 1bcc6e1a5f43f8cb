/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static const struct id listener = {.text = "L"};

#define HEAD "# Configuration for Listener L\nvirtual_server group g {\n"
#define MEMBER(id, address, weight)                                                                \
	"    # Configuration for Member " id "\n"                                                  \
	"    real_server " address " 53 {\n"                                                       \
	"        weight " weight "\n"                                                              \
	"        MISC_CHECK {\n"                                                                   \
	"            misc_path check\n"                                                            \
	"        }\n"                                                                              \
	"    }\n"
#define TAIL "}\n"

/* The lines that stand for the difference, in their order; NULL ends them. */
static void assert_changes(const char *old_text, const char *new_text, const char *const *expected)
{
	cleanup_changes struct changes changes = {NULL};
	size_t i = 0;

	changes_add_listener(&changes, &listener, old_text, new_text);
	for (; expected[i]; i++) {
		assert_true(i < changes.count);
		assert_string_equal(changes.lines[i], expected[i]);
	}
	assert_int_equal(changes.count, i);
}
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_listener_comes_and_goes_as_a_whole(void **state)
{
	(void)state;
	assert_changes("", HEAD TAIL, LINES("listener L added"));
	assert_changes(HEAD TAIL, "", LINES("listener L removed"));
	assert_changes(HEAD TAIL, HEAD TAIL, LINES(NULL));
	assert_changes("", "", LINES(NULL));
}

static void members_are_told_one_by_one(void **state)
{
	(void)state;
	assert_changes(HEAD MEMBER("A", "10.0.0.1", "1") MEMBER("B", "10.0.0.2", "1") TAIL,
		HEAD MEMBER("C", "10.0.0.3", "1") MEMBER("B", "10.0.0.2", "5") TAIL,
		LINES("member B of listener L is now 10.0.0.2 53 weight 5",
			"member C of listener L added", "member A of listener L removed"));
	assert_changes(HEAD MEMBER("A", "10.0.0.1", "1") TAIL,
		HEAD "    # Member A is disabled\n" TAIL,
		LINES("member A of listener L is now disabled"));
}

static void the_order_of_members_is_no_change(void **state)
{
	(void)state;
	assert_changes(HEAD MEMBER("A", "10.0.0.1", "1") MEMBER("B", "10.0.0.2", "1") TAIL,
		HEAD MEMBER("B", "10.0.0.2", "1") MEMBER("A", "10.0.0.1", "1") TAIL, LINES(NULL));
}

static void what_is_no_members_is_the_listeners(void **state)
{
	(void)state;
	assert_changes(HEAD "    lb_algo wrr\n" TAIL, HEAD "    lb_algo lc\n" TAIL,
		LINES("listener L changed"));
	/* How all are checked is told once. */
	assert_changes(HEAD MEMBER("A", "10.0.0.1", "1") TAIL,
		HEAD "    # Configuration for Member A\n"
		     "    real_server 10.0.0.1 53 {\n"
		     "        weight 1\n"
		     "    }\n" TAIL,
		LINES("listener L changed"));
}

static void a_config_that_is_cut_off_is_read_to_its_end(void **state)
{
	(void)state;
	assert_changes(HEAD, HEAD "    # Configuration for Member A\n    real_server 10.0.0.1 53 {",
		LINES("member A of listener L added"));
	assert_changes(HEAD, HEAD "    # Configuration for Member A",
		LINES("member A of listener L added"));
	assert_changes(HEAD, HEAD "    # Configuration for Member A\nreal_server {\n}\n",
		LINES("member A of listener L added"));
}

static void vrrp_changes_as_a_whole(void **state)
{
	cleanup_changes struct changes changes = {NULL};

	(void)state;
	changes_add_vrrp(&changes, "", "a");
	changes_add_vrrp(&changes, "a", "b");
	changes_add_vrrp(&changes, "b", "b");
	changes_add_vrrp(&changes, "b", "");
	assert_int_equal(changes.count, 3);
	assert_string_equal(changes.lines[0], "VRRP added");
	assert_string_equal(changes.lines[1], "VRRP changed");
	assert_string_equal(changes.lines[2], "VRRP removed");
}

static void a_flood_is_counted_not_listed(void **state)
{
	cleanup_changes struct changes changes = {NULL};

	(void)state;
	for (size_t i = 0; i < CHANGES_MAX + 3; i++)
		changes_add(&changes, xstrdup("x"));
	assert_int_equal(changes.count, CHANGES_MAX);
	assert_int_equal(changes.left_out, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_comes_and_goes_as_a_whole),
		cmocka_unit_test(members_are_told_one_by_one),
		cmocka_unit_test(the_order_of_members_is_no_change),
		cmocka_unit_test(what_is_no_members_is_the_listeners),
		cmocka_unit_test(a_config_that_is_cut_off_is_read_to_its_end),
		cmocka_unit_test(vrrp_changes_as_a_whole),
		cmocka_unit_test(a_flood_is_counted_not_listed),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
