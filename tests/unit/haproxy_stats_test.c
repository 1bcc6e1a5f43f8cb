/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/alloc.h"
#include "fake_haproxy.h"
#include "haproxy/stats.h"
#include "temporary_folder.h"

static int parse(const char *text, struct haproxy_stats *ret_stats, struct err *err)
{
	return haproxy_stats_parse(xstrdup(text), ret_stats, err);
}

static void assert_refused(const char *text, const char *reason)
{
	struct haproxy_stats stats = {.row_count = 77};
	struct err err = ERR_NONE;

	assert_int_equal(parse(text, &stats, &err), -EBADMSG);
	assert_int_equal(stats.row_count, 77);
	if (!strstr(err.text, reason))
		fail_msg("'%s' does not say '%s'", err.text, reason);
}

static void rows_keep_their_order_and_kinds(void **state)
{
	struct haproxy_stats stats;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(parse(STAT_HEADER STAT_FRONTEND("L", 1, 2, 3, 4, 5) STAT_SERVER(
				       "P:L", "M", "UP", 7) STAT_BACKEND("P:L", "UP") STAT_END,
				 &stats, &err),
		0);
	assert_int_equal(stats.row_count, 3);
	assert_int_equal(stats.rows[0].kind, HAPROXY_STAT_FRONTEND);
	assert_string_equal(stats.rows[0].proxy, "L");
	assert_string_equal(stats.rows[0].status, "OPEN");
	assert_int_equal(stats.rows[0].sessions, 1);
	assert_int_equal(stats.rows[0].sessions_total, 2);
	assert_int_equal(stats.rows[0].bytes_in, 3);
	assert_int_equal(stats.rows[0].bytes_out, 4);
	assert_int_equal(stats.rows[0].errors_request, 5);
	assert_int_equal(stats.rows[1].kind, HAPROXY_STAT_SERVER);
	assert_string_equal(stats.rows[1].server, "M");
	assert_int_equal(stats.rows[1].weight, 7);
	assert_string_equal(stats.rows[1].check_status, "");
	assert_int_equal(stats.rows[2].kind, HAPROXY_STAT_BACKEND);
	haproxy_stats_deinit(&stats);
}

static void columns_are_found_by_name_wherever_they_stand(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(
		parse("# new,status,svname,addr,bout,bin,stot,scur,check_status,check_code,"
		      "check_duration,last_chk,lastchg,pxname,future,\n"
		      "x,UP,M,10.0.0.1:80,4,3,2,1,L7OK,200,12,fine,99,P:L,\"a,\nb\",\n"
		      "x,DOWN,BACKEND,,4,3,2,1,,,,,,P:L,y,\n\n",
			&stats, NULL),
		0);
	assert_int_equal(stats.row_count, 2);
	assert_int_equal(stats.rows[0].kind, HAPROXY_STAT_SERVER);
	assert_string_equal(stats.rows[0].proxy, "P:L");
	assert_string_equal(stats.rows[0].address, "10.0.0.1:80");
	assert_string_equal(stats.rows[0].check_status, "L7OK");
	assert_int_equal(stats.rows[0].check_code, 200);
	assert_int_equal(stats.rows[0].check_duration_ms, 12);
	assert_string_equal(stats.rows[0].last_check, "fine");
	assert_int_equal(stats.rows[0].last_change_s, 99);
	assert_int_equal(stats.rows[0].bytes_out, 4);
	assert_int_equal(stats.rows[0].errors_request, 0);
	assert_int_equal(stats.rows[1].kind, HAPROXY_STAT_BACKEND);
	haproxy_stats_deinit(&stats);
}

static void quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(parse("# pxname,svname,scur,stot,bin,bout,status,last_chk,\n"
			       "P,M,0,0,0,0,UP,\"said \"\"no\"\", twice\nand left\",\n"
			       "P,N,0,0,0,0,UP,\"\",\n\n",
				 &stats, NULL),
		0);
	assert_int_equal(stats.row_count, 2);
	assert_string_equal(stats.rows[0].last_check, "said \"no\", twice\nand left");
	assert_string_equal(stats.rows[1].last_check, "");
	haproxy_stats_deinit(&stats);
}

static void a_server_that_is_up_with_weight_0_is_drained(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(parse(STAT_HEADER STAT_SERVER("P:L", "a", "UP", 0) STAT_SERVER(
				       "P:L", "b", "UP 1/3", 0) STAT_SERVER("P:L", "c", "UP", 1)
					 STAT_SERVER("P:L", "d", "DOWN", 0) STAT_SERVER("P:L", "e",
						 "no check", 0) STAT_BACKEND("P:L", "UP") STAT_END,
				 &stats, NULL),
		0);
	assert_string_equal(stats.rows[0].status, "DRAIN");
	assert_string_equal(stats.rows[1].status, "DRAIN");
	assert_string_equal(stats.rows[2].status, "UP");
	assert_string_equal(stats.rows[3].status, "DOWN");
	assert_string_equal(stats.rows[4].status, "no check");
	assert_string_equal(stats.rows[5].status, "UP");
	haproxy_stats_deinit(&stats);
}

static void internal_proxies_and_single_sockets_are_left_out(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(
		parse(STAT_HEADER STAT_FRONTEND("prometheus-exporter", 1, 2, 3, 4, 5) STAT_FRONTEND(
			      "L", 1, 2, 3, 4,
			      5) "L,sock-1,0,0,0,0,,OPEN,,3,\n" STAT_BACKEND("x-prometheus-y", "UP")
				STAT_END,
			&stats, NULL),
		0);
	assert_int_equal(stats.row_count, 1);
	assert_string_equal(stats.rows[0].proxy, "L");
	haproxy_stats_deinit(&stats);
}

static void a_member_may_be_called_like_a_kind_of_row(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(
		parse(STAT_HEADER STAT_SERVER("P:L", "BACKEND", "UP", 1) STAT_END, &stats, NULL),
		0);
	assert_int_equal(stats.rows[0].kind, HAPROXY_STAT_SERVER);
	haproxy_stats_deinit(&stats);
}

static void no_proxies_are_no_rows(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(parse(STAT_HEADER STAT_END, &stats, NULL), 0);
	assert_int_equal(stats.row_count, 0);
	haproxy_stats_deinit(&stats);
}

static void an_answer_that_breaks_off_anywhere_is_refused(void **state)
{
	static const char whole[] = STAT_HEADER STAT_FRONTEND("L", 1, 2, 3, 4, 5) STAT_END;

	(void)state;
	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		struct haproxy_stats stats;
		struct err err = ERR_NONE;

		assert_int_equal(
			haproxy_stats_parse(xmemdup_text(whole, size), &stats, &err), -EBADMSG);
		assert_true(strlen(err.text) > 0);
	}
}

static void what_is_no_answer_to_show_stat_is_refused(void **state)
{
	(void)state;
	assert_refused("Unknown command: 'show stat'\n\n", "Unknown command");
	assert_refused("# pxname,svname,scur,stot,bin,bout,\n\n", "'status' is missing");
	assert_refused(STAT_HEADER "L,FRONTEND,-1,0,0,0,0,OPEN,,0,\n\n", "scur is '-1'");
	assert_refused(STAT_HEADER "L,FRONTEND,0,0,18446744073709551616,0,0,OPEN,,0,\n\n", "bin");
	assert_refused(STAT_HEADER "L,FRONTEND,0,0\n\n", "line 2 is not whole");
	assert_refused(STAT_HEADER "\"L,FRONTEND,0,0,0,0,0,OPEN,,0,\n\n", "line 2 is not whole");
}

static void what_only_people_read_need_not_be_a_number(void **state)
{
	struct haproxy_stats stats;

	(void)state;
	assert_int_equal(parse("# pxname,svname,scur,stot,bin,bout,status,lastchg,check_code,\n"
			       "P,M,0,0,0,0,UP,-1,none,\n\n",
				 &stats, NULL),
		0);
	assert_int_equal(stats.rows[0].last_change_s, 0);
	assert_int_equal(stats.rows[0].check_code, 0);
	haproxy_stats_deinit(&stats);
}

static void a_query_asks_for_show_stat_once(void **state)
{
	cleanup_free char *path = in_temporary_folder("lb.sock");
	struct haproxy_stats stats;
	struct fake_haproxy fake;

	(void)state;
	fake_haproxy_start(&fake, path, STAT_HEADER STAT_FRONTEND("L", 1, 2, 3, 4, 5) STAT_END);
	assert_int_equal(haproxy_stats_query(path, 1000, &stats, NULL), 0);
	fake_haproxy_stop(&fake);
	assert_int_equal(fake.asked, 1);
	assert_string_equal(fake.command, "show stat\n");
	assert_int_equal(stats.row_count, 1);
	haproxy_stats_deinit(&stats);
}

static void of_several_haproxys_each_has_its_own_result(void **state)
{
	cleanup_free char *good_path = in_temporary_folder("good.sock");
	cleanup_free char *odd_path = in_temporary_folder("odd.sock");
	struct haproxy_stats_inquiry inquiries[] = {
		{.socket_path = odd_path},
		{.socket_path = good_path},
		{.socket_path = "/nonexistent/x.sock"},
	};
	struct fake_haproxy good;
	struct fake_haproxy odd;

	(void)state;
	fake_haproxy_start(&odd, odd_path, "Permission denied\n\n");
	fake_haproxy_start(
		&good, good_path, STAT_HEADER STAT_FRONTEND("L", 1, 2, 3, 4, 5) STAT_END);
	haproxy_stats_query_all(inquiries, 3, 1000);
	assert_int_equal(inquiries[0].result, -EBADMSG);
	assert_non_null(strstr(inquiries[0].err.text, odd_path));
	assert_non_null(strstr(inquiries[0].err.text, "Permission denied"));
	assert_int_equal(inquiries[1].result, 0);
	assert_int_equal(inquiries[1].stats.row_count, 1);
	assert_int_equal(inquiries[2].result, -ENOENT);
	assert_int_equal(inquiries[2].stats.row_count, 0);
	haproxy_stats_deinit(&inquiries[1].stats);
	fake_haproxy_stop(&good);
	fake_haproxy_stop(&odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_keep_their_order_and_kinds),
		cmocka_unit_test(columns_are_found_by_name_wherever_they_stand),
		cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
		cmocka_unit_test(a_server_that_is_up_with_weight_0_is_drained),
		cmocka_unit_test(internal_proxies_and_single_sockets_are_left_out),
		cmocka_unit_test(a_member_may_be_called_like_a_kind_of_row),
		cmocka_unit_test(no_proxies_are_no_rows),
		cmocka_unit_test(an_answer_that_breaks_off_anywhere_is_refused),
		cmocka_unit_test(what_is_no_answer_to_show_stat_is_refused),
		cmocka_unit_test(what_only_people_read_need_not_be_a_number),
		with_temporary_folder(a_query_asks_for_show_stat_once),
		with_temporary_folder(of_several_haproxys_each_has_its_own_result),
	};

	return cmocka_run_group_tests_name("haproxy_stats", tests, NULL, NULL);
}
