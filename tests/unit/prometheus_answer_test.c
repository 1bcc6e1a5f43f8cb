/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "prometheus/answer.h"

#define HEAD "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"

/* Takes the text in pieces of that size; appends the body. Returns the last part, or an error. */
static int take(const char *text, size_t piece_bytes, struct buf *ret_body, struct err *err)
{
	CLEANUP(answer_deinit) struct answer answer = ANSWER_INIT;
	size_t size = strlen(text);

	for (size_t at = 0; at < size; at += piece_bytes) {
		const char *data = text + at;
		size_t left = size - at < piece_bytes ? size - at : piece_bytes;
		const char *body;
		size_t body_size;
		int r;

		while ((r = answer_take(&answer, &data, &left, &body, &body_size, err)) > 0)
			buf_append(ret_body, body, body_size);
		if (r < 0)
			return r;
		assert_true(left == 0 || answer.part == ANSWER_COMPLETE);
	}
	return answer.part;
}

static void assert_taken(const char *text, enum answer_part part, const char *body)
{
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		cleanup_buf struct buf got = BUF_INIT(MIB);
		struct err err = ERR_NONE;

		assert_int_equal(take(text, piece, &got, &err), part);
		assert_string_equal(buf_text(&got), body);
	}
}

static void assert_refused(const char *text, const char *why)
{
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		cleanup_buf struct buf got = BUF_INIT(MIB);
		struct err err = ERR_NONE;

		assert_int_equal(take(text, piece, &got, &err), -EBADMSG);
		if (!strstr(err.text, why))
			fail_msg("'%s' is not in '%s'", why, err.text);
	}
}

static void the_body_is_what_the_chunks_hold(void **state)
{
	(void)state;
	assert_taken(HEAD "5\r\nabc\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\n", ANSWER_COMPLETE,
		"abc\r\n0123456789");
	assert_taken(HEAD "0\r\n\r\n", ANSWER_COMPLETE, "");
}

static void lines_may_end_as_they_like_and_say_more_than_is_asked(void **state)
{
	(void)state;
	assert_taken("HTTP/1.1 200\nTRANSFER-ENCODING:Chunked \n\n3;name=value\nabc\n0\nx: y\n\n",
		ANSWER_COMPLETE, "abc");
}

static void an_answer_that_breaks_off_is_not_complete(void **state)
{
	static const char whole[] = HEAD "3\r\nabc\r\n0\r\n\r\n";

	(void)state;
	for (size_t size = 1; size < strlen(whole); size++) {
		cleanup_buf struct buf got = BUF_INIT(MIB);
		cleanup_buf struct buf part = BUF_INIT(MIB);
		struct err err = ERR_NONE;
		int r;

		buf_append(&part, whole, size);
		r = take(buf_text(&part), size, &got, &err);
		assert_true(r >= 0 && r != ANSWER_COMPLETE);
	}
}

static void what_follows_a_complete_answer_is_not_its_own(void **state)
{
	(void)state;
	assert_taken(HEAD "1\r\na\r\n0\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n",
		ANSWER_COMPLETE, "a");
}

static void any_other_status_is_refused(void **state)
{
	(void)state;
	assert_refused("HTTP/1.1 503 Service Unavailable\r\n", "503 Service Unavailable");
	assert_refused("HTTP/1.1 2000 OK\r\n", "not 200");
	assert_refused("HTTP/1.0 200 OK\r\n", "not 200");
	assert_refused("SSH-2.0-OpenSSH_9.2\r\n", "not 200");
	assert_refused("\r\n", "not 200");
}

static void an_answer_whose_end_cannot_be_known_is_refused(void **state)
{
	(void)state;
	assert_refused("HTTP/1.1 200 OK\r\n\r\n", "chunks");
	assert_refused("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "chunks");
	assert_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "chunks");
}

static void sizes_that_are_none_are_refused(void **state)
{
	static const char *const sizes[] = {"", "x", "-1", "+1", "0x1", "1x", " 1", "100000000"};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cleanup_buf struct buf text = BUF_INIT(KIB);

		buf_append_format(&text, HEAD "%s\r\n", sizes[i]);
		assert_refused(buf_text(&text), "no size");
	}
}

static void a_chunk_must_end_where_its_size_says(void **state)
{
	(void)state;
	assert_refused(HEAD "2\r\nabc\r\n", "longer than its size");
}

static void a_line_without_end_is_refused(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf got = BUF_INIT(KIB);
	struct err err = ERR_NONE;

	(void)state;
	buf_append_text(&text, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i <= ANSWER_LINE_MAX; i++)
		buf_append_char(&text, 'x');
	assert_int_equal(take(buf_text(&text), 100, &got, &err), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_is_what_the_chunks_hold),
		cmocka_unit_test(lines_may_end_as_they_like_and_say_more_than_is_asked),
		cmocka_unit_test(an_answer_that_breaks_off_is_not_complete),
		cmocka_unit_test(what_follows_a_complete_answer_is_not_its_own),
		cmocka_unit_test(any_other_status_is_refused),
		cmocka_unit_test(an_answer_whose_end_cannot_be_known_is_refused),
		cmocka_unit_test(sizes_that_are_none_are_refused),
		cmocka_unit_test(a_chunk_must_end_where_its_size_says),
		cmocka_unit_test(a_line_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
