/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/request.h"

#include <errno.h>
#include <string.h>

static bool is_text(const char *data, size_t size_bytes, const char *text)
{
	return size_bytes == strlen(text) && memcmp(data, text, size_bytes) == 0;
}

/* Whether an empty line has arrived; lines may end in LF alone (RFC 9112, 2.2). */
static bool is_whole(const char *data, size_t size_bytes)
{
	return memmem(data, size_bytes, "\n\r\n", 3) || memmem(data, size_bytes, "\n\n", 2);
}

/* "METHOD TARGET HTTP/1.x", without the end of the line. */
static int line_parse(const char *line, size_t size_bytes, struct request *ret_request)
{
	const char *end = line + size_bytes;
	const char *target = memchr(line, ' ', size_bytes);
	const char *version = memrchr(line, ' ', size_bytes);
	size_t method_size = target ? (size_t)(target - line) : 0;
	struct request request = {.method = REQUEST_OTHER};

	if (method_size == 0 || version - target < 2 || end - version != strlen(" HTTP/1.1") ||
		memcmp(version, " HTTP/1.", strlen(" HTTP/1.")) != 0)
		return -EBADMSG;
	if (end[-1] < '0' || end[-1] > '9')
		return -EBADMSG;
	request.takes_chunks = end[-1] != '0';
	if (is_text(line, method_size, "GET"))
		request.method = REQUEST_GET;
	else if (is_text(line, method_size, "HEAD"))
		request.method = REQUEST_HEAD;
	*ret_request = request;
	return 0;
}

int request_parse(const char *data, size_t size_bytes, struct request *ret_request)
{
	const char *line_end = memchr(data, '\n', size_bytes);
	struct request request;
	int r;

	if (!line_end)
		return 0;
	if (line_end > data && line_end[-1] == '\r')
		line_end--;
	r = line_parse(data, (size_t)(line_end - data), &request);
	if (r < 0)
		return r;
	if (!is_whole(data, size_bytes))
		return 0;
	*ret_request = request;
	return 1;
}
