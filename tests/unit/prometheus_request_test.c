/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "prometheus/request.h"

static void assert_request(const char *text, enum request_method method, bool takes_chunks)
{
	struct request request;

	for (size_t size = 0; size < strlen(text); size++)
		assert_int_equal(request_parse(text, size, &request), 0);
	assert_int_equal(request_parse(text, strlen(text), &request), 1);
	assert_int_equal(request.method, method);
	assert_int_equal(request.takes_chunks, takes_chunks);
}

static void a_request_is_whole_with_its_empty_line(void **state)
{
	(void)state;
	assert_request("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", REQUEST_GET, true);
	assert_request("GET / HTTP/1.1\n\n", REQUEST_GET, true);
	assert_request("HEAD /a/b?c=d HTTP/1.1\r\n\r\n", REQUEST_HEAD, true);
	assert_request("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", REQUEST_OTHER, true);
	assert_request("get / HTTP/1.1\r\n\r\n", REQUEST_OTHER, true);
}

static void http_1_0_knows_no_chunks(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.0\r\n\r\n", REQUEST_GET, false);
}

static void what_is_no_request_is_told_by_its_first_line(void **state)
{
	static const char *const lines[] = {"\r\n", "GET\r\n", "GET /\r\n", "GET / HTTP/1.1 \r\n",
		" / HTTP/1.1\r\n", "GET HTTP/1.1\r\n", "GET / HTTP/1.x\r\n", "GET / HTTP/1.10\r\n",
		"PRI * HTTP/2.0\r\n", "\x16\x03\x01\x02\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct request request = {.method = REQUEST_HEAD};

		if (request_parse(lines[i], strlen(lines[i]), &request) != -EBADMSG)
			fail_msg("'%s' is taken for a request", lines[i]);
		assert_int_equal(request.method, REQUEST_HEAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_whole_with_its_empty_line),
		cmocka_unit_test(http_1_0_knows_no_chunks),
		cmocka_unit_test(what_is_no_request_is_told_by_its_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
