/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sys/answer_socket.h"
#include "sys/stats_socket.h"
#include "temporary_folder.h"

/* What is waited for at most. */
enum { PATIENCE_MS = 20000 };

/* What a thread serves one connection with. */
struct server {
	int listener;
	size_t size_bytes; /* of the answer, in letters a to z */
	unsigned made;
	pthread_t thread;
};

static void letters_make(void *context, struct buf *ret_answer)
{
	struct server *server = context;

	server->made++;
	for (size_t i = 0; i < server->size_bytes; i++)
		buf_append_char(ret_answer, (char)('a' + i % 26));
}

static void serve(struct server *server)
{
	answer_socket_serve(server->listener, letters_make, server, MIB);
}

static void *serve_one(void *context)
{
	struct server *server = context;
	struct pollfd polled = {.fd = server->listener, .events = POLLIN};

	poll(&polled, 1, PATIENCE_MS);
	serve(server);
	return NULL;
}

static struct server server_open(const char *path, size_t size_bytes)
{
	struct err err = ERR_NONE;
	struct server server = {.size_bytes = size_bytes};

	server.listener = answer_socket_open(path, &err);
	if (server.listener < 0)
		fail_msg("%s", err.text);
	return server;
}

static int connected_to(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void assert_answered(const char *path, size_t size_bytes)
{
	cleanup_buf struct buf answer = BUF_INIT(MIB);
	struct server server = server_open(path, size_bytes);

	pthread_create(&server.thread, NULL, serve_one, &server);
	assert_int_equal(stats_socket_query(path, "tell", PATIENCE_MS, &answer, NULL), 0);
	pthread_join(server.thread, NULL);
	assert_int_equal(answer.size_bytes, size_bytes);
	for (size_t i = 0; i < size_bytes; i++)
		assert_int_equal(buf_text(&answer)[i], 'a' + i % 26);
	close(server.listener);
}

static void a_question_is_answered_and_the_connection_ends(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");

	(void)state;
	assert_answered(path, 5);
	assert_answered(path, 0);
}

static void an_answer_larger_than_the_sockets_buffer_arrives_whole(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");

	(void)state;
	assert_answered(path, 900 * KIB);
}

static void what_passes_the_maximum_is_no_answer(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	cleanup_buf struct buf answer = BUF_INIT(4 * MIB);
	struct server server = server_open(path, MIB + 1);

	(void)state;
	pthread_create(&server.thread, NULL, serve_one, &server);
	assert_int_equal(stats_socket_query(path, "tell", PATIENCE_MS, &answer, NULL), 0);
	pthread_join(server.thread, NULL);
	assert_int_equal(answer.size_bytes, 0);
	close(server.listener);
}

static void only_its_owner_may_connect(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	struct server server = server_open(path, 1);
	struct stat status;

	(void)state;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(server.listener);
}

static void what_a_predecessor_left_is_replaced(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");

	(void)state;
	temporary_file("socket", "no socket");
	assert_answered(path, 3);
	assert_answered(path, 3);
}

static void a_path_that_cannot_be_bound_is_an_error(void **state)
{
	cleanup_free char *nowhere = in_temporary_folder("no-folder/socket");
	char too_long[200] = "/";
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(answer_socket_open(nowhere, &err), -ENOENT);
	assert_non_null(strstr(err.text, nowhere));
	memset(too_long + 1, 'a', sizeof(too_long) - 2);
	assert_int_equal(answer_socket_open(too_long, &err), -ENAMETOOLONG);
}

static void one_that_asks_nothing_costs_a_moment_and_no_answer(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	struct server server = server_open(path, 5);
	int silent = connected_to(path);
	int half = connected_to(path);
	int gone = connected_to(path);
	int64_t started_ms = clock_now_ms();

	(void)state;
	assert_int_equal(send(half, "tell", 4, 0), 4);
	close(gone);
	for (int i = 0; i < 3; i++)
		serve(&server);
	/* Nobody is there any more. */
	serve(&server);
	assert_int_equal(server.made, 0);
	assert_true(clock_now_ms() - started_ms < 1000);
	close(silent);
	close(half);
	close(server.listener);
}

static void one_that_does_not_read_costs_a_moment(void **state)
{
	cleanup_free char *path = in_temporary_folder("socket");
	struct server server = server_open(path, MIB);
	int deaf = connected_to(path);
	int64_t started_ms = clock_now_ms();

	(void)state;
	assert_int_equal(send(deaf, "tell\n", 5, 0), 5);
	serve(&server);
	assert_int_equal(server.made, 1);
	assert_true(clock_now_ms() - started_ms < 2000);
	close(deaf);
	deaf = connected_to(path);
	assert_int_equal(send(deaf, "tell\n", 5, 0), 5);
	close(deaf);
	/* Who is gone before the answer ends nobody by a signal. */
	serve(&server);
	close(server.listener);
}

#define with_temporary_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, temporary_folder_setup, temporary_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_temporary_folder(a_question_is_answered_and_the_connection_ends),
		with_temporary_folder(an_answer_larger_than_the_sockets_buffer_arrives_whole),
		with_temporary_folder(what_passes_the_maximum_is_no_answer),
		with_temporary_folder(only_its_owner_may_connect),
		with_temporary_folder(what_a_predecessor_left_is_replaced),
		with_temporary_folder(a_path_that_cannot_be_bound_is_an_error),
		with_temporary_folder(one_that_asks_nothing_costs_a_moment_and_no_answer),
		with_temporary_folder(one_that_does_not_read_costs_a_moment),
	};

	return cmocka_run_group_tests_name("answer_socket", tests, NULL, NULL);
}
