/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "haproxy/changes.h"

static const char one_member[] = "# Rendered from model 1\n"
				 "global\n    maxconn 50000\n"
				 "frontend L1\n    bind 10.0.0.1:80\n    default_backend P1:L1\n"
				 "backend P1:L1\n    balance roundrobin\n"
				 "    server M1 10.0.1.1:80 weight 1\n";

static void assert_changes(
	const char *old_text, const char *new_text, const char *const *wanted, size_t wanted_count)
{
	struct haproxy_changes changes;

	haproxy_changes_find(old_text, new_text, &changes);
	assert_int_equal(changes.count, wanted_count);
	for (size_t i = 0; i < wanted_count; i++)
		assert_string_equal(changes.lines[i], wanted[i]);
	haproxy_changes_deinit(&changes);
}

static void the_same_config_has_no_changes_whatever_its_comments(void **state)
{
	cleanup_free char *other =
		xformat("# Rendered from model 2\n\n%s", strchr(one_member, 'g'));

	(void)state;
	assert_changes(one_member, other, NULL, 0);
}

static void a_new_load_balancer_is_added_part_by_part(void **state)
{
	static const char *const wanted[] = {"section global added", "listener L1 added",
		"member M1 of pool P1 on listener L1 added", "pool P1 on listener L1 added"};

	(void)state;
	assert_changes("", one_member, wanted, 4);
}

static void a_member_that_changed_is_told_with_what_it_is_now(void **state)
{
	static const char *const wanted[] = {
		"member M1 of pool P1 on listener L1 is now 10.0.1.1:80 weight 5"};
	cleanup_free char *other = xstrdup(one_member);

	(void)state;
	strstr(other, "weight 1")[7] = '5';
	assert_changes(one_member, other, wanted, 1);
}

static void members_come_and_go(void **state)
{
	static const char *const wanted[] = {"member M2 of pool P1 on listener L1 added",
		"member M1 of pool P1 on listener L1 removed"};
	cleanup_free char *other = xstrdup(one_member);

	(void)state;
	strstr(other, "M1")[1] = '2';
	assert_changes(one_member, other, wanted, 2);
}

static void a_change_of_the_pool_is_not_one_of_its_members(void **state)
{
	static const char *const wanted[] = {"pool P1 on listener L1 changed"};
	cleanup_free char *other = xstrdup(one_member);

	(void)state;
	memcpy(strstr(other, "roundrobin"), "leastconn ", 10);
	assert_changes(one_member, other, wanted, 1);
}

static void a_flood_of_changes_is_counted_not_listed(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	struct haproxy_changes changes;

	(void)state;
	buf_append_text(&text, "backend P1:L1\n");
	for (int i = 0; i < HAPROXY_CHANGES_MAX + 5; i++)
		buf_append_format(&text, "    server M%d 10.0.1.1:80\n", i);
	haproxy_changes_find("", buf_text(&text), &changes);
	assert_int_equal(changes.count, HAPROXY_CHANGES_MAX);
	assert_int_equal(changes.left_out, 6);
	haproxy_changes_deinit(&changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_config_has_no_changes_whatever_its_comments),
		cmocka_unit_test(a_new_load_balancer_is_added_part_by_part),
		cmocka_unit_test(a_member_that_changed_is_told_with_what_it_is_now),
		cmocka_unit_test(members_come_and_go),
		cmocka_unit_test(a_change_of_the_pool_is_not_one_of_its_members),
		cmocka_unit_test(a_flood_of_changes_is_counted_not_listed),
	};

	return cmocka_run_group_tests_name("haproxy_changes", tests, NULL, NULL);
}
