/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_exchange.h"

#include <assert.h>
#include <microhttpd.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"

/* A body that turns out to be too large while it comes is dropped up to here, then answered. */
static const uint64_t dropped_max_bytes = 4 * (uint64_t)HTTP_BODY_MAX_BYTES;

struct http_headers {
	struct MHD_Connection *mhd;
};

struct http_exchange {
	struct http_headers headers;
	char *target; /* cut in two at its '?' */
	struct http_request request;
	struct http_refusal refusal; /* status 0: none */
	struct buf body;
	uint64_t dropped_bytes;
	atomic_size_t *bodies_bytes;
	size_t accounted_bytes; /* our share of bodies_bytes */
};

/* What decides how a message is framed. */
struct head {
	unsigned hosts, content_lengths, transfer_encodings;
	const char *content_length, *transfer_encoding;
	bool malformed;
};

/* The statuses that a controller understands (amphora-api.md, "the traps"). */
static bool is_allowed_status(int status)
{
	static const int allowed[] = {200, 202, 400, 401, 403, 404, 405, 409, 500, 503};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (status == allowed[i])
			return true;
	return false;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	if (!request->headers)
		return NULL;
	return MHD_lookup_connection_value(request->headers->mhd, MHD_HEADER_KIND, name);
}

struct http_exchange *http_exchange_new(
	struct MHD_Connection *mhd, const char *uri, atomic_size_t *bodies_bytes)
{
	struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));
	char *query;

	exchange->headers.mhd = mhd;
	exchange->bodies_bytes = bodies_bytes;
	exchange->body = BUF_INIT(HTTP_BODY_MAX_BYTES);
	exchange->target = xstrdup(uri);
	query = strchr(exchange->target, '?');
	if (query)
		*query++ = '\0';
	exchange->request.path = exchange->target;
	exchange->request.query = query ? query : "";
	exchange->request.headers = &exchange->headers;
	return exchange;
}

static void body_release(struct http_exchange *exchange)
{
	buf_deinit(&exchange->body);
	atomic_fetch_sub(exchange->bodies_bytes, exchange->accounted_bytes);
	exchange->accounted_bytes = 0;
}

void http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	body_release(exchange);
	free(exchange->target);
	free(exchange);
}

static void refuse(struct http_exchange *exchange, int status, bool at_once, const char *why)
{
	exchange->refusal = (struct http_refusal){status, why, at_once};
	body_release(exchange);
}

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text, size_t size_bytes)
{
	static const char characters[] = "!#$%&'*+-.^_`|~0123456789"
					 "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return size_bytes > 0 && strspn(text, characters) == size_bytes;
}

static bool is_field_value(const char *text, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
			return false;
	return true;
}

/* An absolute path of visible ASCII characters. */
static bool is_target(const char *text)
{
	if (text[0] != '/')
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

static enum MHD_Result head_take(void *context, enum MHD_ValueKind kind, const char *name,
	size_t name_size_bytes, const char *value, size_t value_size_bytes)
{
	struct head *head = context;

	(void)kind;
	if (!is_token(name, name_size_bytes) || !value || !is_field_value(value, value_size_bytes))
		head->malformed = true;
	else if (text_equal_nocase(name, "Host"))
		head->hosts++;
	else if (text_equal_nocase(name, "Content-Length")) {
		head->content_lengths++;
		head->content_length = value;
	} else if (text_equal_nocase(name, "Transfer-Encoding")) {
		head->transfer_encodings++;
		head->transfer_encoding = value;
	}
	return MHD_YES;
}

/*
 * Where two readers could see the message end at different places (RFC 9112, 6.3), or NULL.
 * libmicrohttpd takes the first of two lengths, and Transfer-Encoding over Content-Length.
 */
static const char *head_framing_fault(const struct head *head, bool is_1_1)
{
	if (head->content_lengths > 1)
		return "more than one Content-Length header";
	if (head->transfer_encodings > 1)
		return "more than one Transfer-Encoding header";
	if (head->content_lengths && head->transfer_encodings)
		return "both Content-Length and Transfer-Encoding";
	if (head->transfer_encodings && !is_1_1)
		return "Transfer-Encoding needs HTTP/1.1";
	if (head->transfer_encodings && !text_equal_nocase(head->transfer_encoding, "chunked"))
		return "a Transfer-Encoding other than chunked";
	return NULL;
}

static const char *head_fault(
	const struct http_exchange *exchange, const struct head *head, bool is_1_1)
{
	if (!is_target(exchange->target) ||
		!is_token(exchange->request.method, strlen(exchange->request.method)))
		return "the request line is malformed";
	if (head->malformed)
		return "a header is malformed";
	if (head->hosts > 1 || (is_1_1 && head->hosts == 0))
		return "one Host header is needed";
	return head_framing_fault(head, is_1_1);
}

static const char body_too_large[] = "the body is larger than 16 MiB";
_Static_assert(HTTP_BODY_MAX_BYTES == 16 * MIB, "body_too_large says so");

void http_exchange_begin(struct http_exchange *exchange, const char *method, const char *version)
{
	bool is_1_1 = !text_equal(version, "HTTP/1.0");
	struct head head = {0};
	uint64_t announced_bytes;
	const char *fault;

	exchange->request.method = method;
	MHD_get_connection_values_n(exchange->headers.mhd, MHD_HEADER_KIND, head_take, &head);
	fault = head_fault(exchange, &head, is_1_1);
	if (!fault && head.content_lengths &&
		text_parse_u64(head.content_length, 0, HTTP_BODY_MAX_BYTES, &announced_bytes) < 0)
		fault = body_too_large; /* that it is a number, libmicrohttpd has made sure of */
	if (fault)
		refuse(exchange, 400, true, fault);
}

bool http_exchange_has_begun(const struct http_exchange *exchange)
{
	return exchange->request.method;
}

/* Takes room for size_bytes more out of what all bodies may hold together. */
static bool account(struct http_exchange *exchange, size_t size_bytes)
{
	size_t before = atomic_fetch_add(exchange->bodies_bytes, size_bytes);

	exchange->accounted_bytes += size_bytes;
	return before + size_bytes <= HTTP_BODIES_MAX_BYTES;
}

bool http_exchange_receive(struct http_exchange *exchange, const char *data, size_t size_bytes)
{
	if (!exchange->refusal.status) {
		buf_append(&exchange->body, data, size_bytes);
		if (buf_error(&exchange->body))
			refuse(exchange, 400, false, body_too_large);
		else if (!account(exchange, size_bytes))
			refuse(exchange, 503, false,
				"the bodies of all present requests fill the agent's memory");
		if (!exchange->refusal.status)
			return true;
	}
	exchange->dropped_bytes += size_bytes;
	return exchange->dropped_bytes <= dropped_max_bytes;
}

const struct http_refusal *http_exchange_refusal(const struct http_exchange *exchange)
{
	return exchange->refusal.status ? &exchange->refusal : NULL;
}

const struct http_request *http_exchange_request(struct http_exchange *exchange)
{
	exchange->request.body = buf_text(&exchange->body);
	exchange->request.body_size_bytes = exchange->body.size_bytes;
	return &exchange->request;
}

/* The reply of libmicrohttpd; NULL when memory is out. */
static struct MHD_Response *response_make(const struct http_reply *reply, bool and_close)
{
	const struct {
		const char *name, *value;
	} headers[] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type},
		{MHD_HTTP_HEADER_ETAG, reply->etag},
		{MHD_HTTP_HEADER_ALLOW, reply->allow},
		{MHD_HTTP_HEADER_CONNECTION, and_close ? "close" : NULL},
	};
	struct MHD_Response *response = MHD_create_response_from_buffer(
		reply->body_size_bytes, reply->body, MHD_RESPMEM_MUST_FREE);

	for (size_t i = 0; response && i < sizeof(headers) / sizeof(headers[0]); i++)
		if (headers[i].value)
			MHD_add_response_header(response, headers[i].name, headers[i].value);
	return response;
}

bool http_exchange_reply(struct http_exchange *exchange, struct http_reply *reply, bool and_close)
{
	unsigned status = (unsigned)reply->status;
	struct MHD_Response *response;
	bool queued;

	assert(is_allowed_status(reply->status));
	response = response_make(reply, and_close);
	if (!response)
		free(reply->body);
	free(reply->etag);
	free(reply->allow);
	*reply = (struct http_reply){0};
	body_release(exchange);
	if (!response)
		return false;
	queued = MHD_queue_response(exchange->headers.mhd, status, response) == MHD_YES;
	MHD_destroy_response(response);
	return queued;
}
