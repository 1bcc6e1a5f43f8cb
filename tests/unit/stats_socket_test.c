/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "fake_haproxy.h"
#include "sys/stats_socket.h"
#include "temporary_folder.h"

/* Of who waits for what comes. */
enum { PATIENCE_MS = 20000 };

static void a_command_is_sent_as_a_line_and_the_answer_read_to_its_end(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf answer = BUF_INIT(MIB);
	struct fake_haproxy fake;
	struct err err = ERR_NONE;

	(void)state;
	fake_haproxy_start(&fake, path, "one\ntwo\n\n");
	assert_int_equal(stats_socket_query(path, "show info", PATIENCE_MS, &answer, &err), 0);
	assert_string_equal(buf_text(&answer), "one\ntwo\n\n");
	fake_haproxy_stop(&fake);
	assert_string_equal(fake.command, "show info\n");
}

static void an_answer_of_megabytes_arrives_whole(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf sent = BUF_INIT(8 * MIB);
	cleanup_buf struct buf answer = BUF_INIT(8 * MIB);
	struct fake_haproxy fake;

	(void)state;
	for (int i = 0; sent.size_bytes < 5 * MIB; i++)
		buf_append_format(&sent, "line %d\n", i);
	fake_haproxy_start(&fake, path, buf_text(&sent));
	assert_int_equal(stats_socket_query(path, "show stat", PATIENCE_MS, &answer, NULL), 0);
	fake_haproxy_stop(&fake);
	assert_int_equal(answer.size_bytes, sent.size_bytes);
	assert_memory_equal(buf_text(&answer), buf_text(&sent), sent.size_bytes);
}

static void an_answer_may_fill_the_maximum_but_not_pass_it(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf just_enough = BUF_INIT(6);
	cleanup_buf struct buf too_small = BUF_INIT(5);
	struct fake_haproxy fake;
	struct err err = ERR_NONE;

	(void)state;
	fake_haproxy_start(&fake, path, "answer");
	assert_int_equal(stats_socket_query(path, "x", PATIENCE_MS, &just_enough, &err), 0);
	assert_string_equal(buf_text(&just_enough), "answer");
	assert_int_equal(stats_socket_query(path, "x", PATIENCE_MS, &too_small, &err), -EMSGSIZE);
	assert_non_null(strstr(err.text, path));
	fake_haproxy_stop(&fake);
}

static void a_socket_that_nobody_serves_fails_at_once(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf answer = BUF_INIT(KIB);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct err err = ERR_NONE;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(stats_socket_query(path, "x", 10000, &answer, &err), -ENOENT);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd);
	assert_int_equal(stats_socket_query(path, "x", 10000, &answer, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, path));
}

static void a_frozen_peer_costs_the_time_out_and_no_more(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf answer = BUF_INIT(KIB);
	struct fake_haproxy fake;
	int64_t start_ms = clock_now_ms();

	(void)state;
	fake_haproxy_start(&fake, path, "answer");
	fake.is_frozen = true;
	assert_int_equal(stats_socket_query(path, "x", 200, &answer, NULL), -ETIMEDOUT);
	assert_in_range(clock_now_ms() - start_ms, 200, 1500);
	fake_haproxy_stop(&fake);
}

/* A frozen HAProxy's queue is full after a few askers: then connect() itself would block. */
static void a_full_accept_queue_is_a_time_out_too(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf answer = BUF_INIT(KIB);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int first = socket(AF_UNIX, SOCK_STREAM, 0);
	int64_t start_ms = clock_now_ms();

	(void)state;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(stats_socket_query(path, "x", 200, &answer, NULL), -ETIMEDOUT);
	assert_in_range(clock_now_ms() - start_ms, 200, 1500);
	close(first);
	close(listener);
}

static void a_path_that_no_socket_can_have_is_an_error(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(KIB);
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(stats_socket_query(path, "x", 1000, &answer, NULL), -ENAMETOOLONG);
}

static void of_several_sockets_a_frozen_one_delays_no_other(void **state)
{
	cleanup_free char *frozen_path = in_temporary_folder("frozen");
	cleanup_free char *good_path = in_temporary_folder("good");
	cleanup_free char *missing_path = in_temporary_folder("missing");
	struct stats_socket_exchange exchanges[] = {
		{.path = frozen_path, .command = "a", .answer = BUF_INIT(KIB)},
		{.path = missing_path, .command = "b", .answer = BUF_INIT(KIB)},
		{.path = good_path, .command = "c", .answer = BUF_INIT(KIB)},
	};
	struct fake_haproxy frozen;
	struct fake_haproxy good;
	int64_t start_ms = clock_now_ms();

	(void)state;
	fake_haproxy_start(&frozen, frozen_path, "never");
	frozen.is_frozen = true;
	fake_haproxy_start(&good, good_path, "answer");
	stats_socket_exchange_all(exchanges, 3, 300);
	assert_in_range(clock_now_ms() - start_ms, 300, 1500);
	assert_int_equal(exchanges[0].result, -ETIMEDOUT);
	assert_int_equal(exchanges[1].result, -ENOENT);
	assert_int_equal(exchanges[2].result, 0);
	assert_string_equal(buf_text(&exchanges[2].answer), "answer");
	assert_non_null(strstr(exchanges[0].err.text, frozen_path));
	for (int i = 0; i < 3; i++)
		buf_deinit(&exchanges[i].answer);
	fake_haproxy_stop(&frozen);
	fake_haproxy_stop(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_command_is_sent_as_a_line_and_the_answer_read_to_its_end),
		with_temporary_folder(an_answer_of_megabytes_arrives_whole),
		with_temporary_folder(an_answer_may_fill_the_maximum_but_not_pass_it),
		with_temporary_folder(a_socket_that_nobody_serves_fails_at_once),
		with_temporary_folder(a_frozen_peer_costs_the_time_out_and_no_more),
		with_temporary_folder(a_full_accept_queue_is_a_time_out_too),
		cmocka_unit_test(a_path_that_no_socket_can_have_is_an_error),
		with_temporary_folder(of_several_sockets_a_frozen_one_delays_no_other),
	};

	return cmocka_run_group_tests_name("stats_socket", tests, NULL, NULL);
}
