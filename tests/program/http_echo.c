/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/http_server.h on its own, for tests/program/http_server_test.py: answers every request with
 * what it saw.
 *
 *	http_echo [-h HANDSHAKE_MS] [-i IDLE_S] [-r REQUEST_S] [-f COUNT] [-3] SERVER_PEM CA_PEM
 *
 * Prints "PORT N", then obeys lines on its standard input, answering each with "OK" or "ERROR …":
 *	credentials SERVER_PEM CA_PEM
 *	request-timeout SECONDS
 * and ends with it, by http_server_free().
 *
 * -f: with so many descriptors open already; -3: no TLS below 1.3.
 *
 * GET /sleep?MS answers after MS milliseconds, GET /until?PATH once there is such a file, GET
 * /bytes?N with N bytes of text, PATCH with 405.
 * Each request that reaches the handler is logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/http_server.h"
#include "sys/tls_credentials.h"

enum { PEM_MAX_BYTES = MIB, LINE_MAX_BYTES = 4096, NUMBER_MAX = 100 * 1000 * 1000, LOOK_MS = 20 };

static enum tls_version min_version = TLS_VERSION_1_2;

static unsigned long body_sum(const struct http_request *request)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < request->body_size_bytes; i++)
		sum += (unsigned char)request->body[i];
	return sum;
}

static void reply_with(struct http_reply *ret_reply, char *body, size_t size_bytes)
{
	*ret_reply = (struct http_reply){
		.status = 200,
		.content_type = "text/plain",
		.body = body,
		.body_size_bytes = size_bytes,
		.etag = xstrdup("0123456789abcdef"),
	};
}

static void reply_with_text(struct http_reply *ret_reply, char *text)
{
	reply_with(ret_reply, text, strlen(text));
}

static void handle(void *context, const struct http_request *request, struct http_reply *ret_reply)
{
	const char *header = http_request_header(request, "x-test");
	uint64_t number = 0;

	(void)context;
	log_info("handled %s %.100s", request->method, request->path);
	text_parse_u64(request->query, 0, NUMBER_MAX, &number);
	if (text_equal(request->method, "PATCH")) {
		reply_with_text(
			ret_reply, xstrdup("{\"error\": \"not here\", \"http_code\": 405}"));
		ret_reply->status = 405;
		ret_reply->content_type = "application/json";
		ret_reply->allow = xstrdup("GET, PUT");
	} else if (text_equal(request->path, "/bytes")) {
		char *body = xcalloc(number + 1, 1);

		memset(body, 'x', number);
		reply_with(ret_reply, body, number);
	} else {
		if (text_equal(request->path, "/sleep"))
			clock_sleep_ms((int64_t)number);
		while (text_equal(request->path, "/until") && !file_exists(request->query))
			clock_sleep_ms(LOOK_MS);
		reply_with_text(
			ret_reply, xformat("%s\n%s\n%s\n%zu\n%lu\n%s\n", request->method,
					   request->path, request->query, request->body_size_bytes,
					   body_sum(request), header ? header : "-"));
	}
}

static int credentials_read(const char *server_path, const char *ca_path,
	struct tls_credentials **ret_credentials, struct err *err)
{
	cleanup_buf struct buf server = BUF_INIT(PEM_MAX_BYTES);
	cleanup_buf struct buf ca = BUF_INIT(PEM_MAX_BYTES);
	int r = file_read(server_path, &server, err);

	if (r == 0)
		r = file_read(ca_path, &ca, err);
	if (r < 0)
		return r;
	return tls_credentials_new(buf_text(&server), server.size_bytes, buf_text(&ca),
		ca.size_bytes, min_version, ret_credentials, err);
}

static int obey(struct http_server *server, char *line, struct err *err)
{
	char *saved = NULL;
	const char *verb = strtok_r(line, " \n", &saved);
	const char *first = strtok_r(NULL, " \n", &saved);
	const char *second = strtok_r(NULL, " \n", &saved);
	struct tls_credentials *credentials;
	uint64_t seconds;
	int r;

	if (verb && text_equal(verb, "credentials") && second) {
		r = credentials_read(first, second, &credentials, err);
		if (r < 0)
			return r;
		http_server_set_credentials(server, credentials);
		tls_credentials_unref(credentials);
		return 0;
	}
	if (verb && text_equal(verb, "request-timeout") && first &&
		text_parse_u64(first, 1, NUMBER_MAX, &seconds) == 0) {
		http_server_set_request_timeout(server, (int)seconds);
		return 0;
	}
	return err_set(err, -EINVAL, "unknown command");
}

static void descriptors_open(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			exit(2);
}

static int serve(const struct http_server_options *options, char **paths)
{
	struct tls_credentials *credentials = NULL;
	struct http_server *server = NULL;
	char line[LINE_MAX_BYTES];
	struct err err = ERR_NONE;

	if (credentials_read(paths[0], paths[1], &credentials, &err) < 0 ||
		http_server_new(options, credentials, &server, &err) < 0) {
		fprintf(stderr, "http_echo: %s\n", err.text);
		return 1;
	}
	tls_credentials_unref(credentials);
	printf("PORT %u\n", http_server_port(server));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (obey(server, line, &err) < 0)
			printf("ERROR %s\n", err.text);
		else
			printf("OK\n");
		fflush(stdout);
	}
	http_server_free(server);
	return 0;
}

int main(int argc, char **argv)
{
	struct http_server_options options = {.request_timeout_s = 180, .handler = handle};
	uint64_t number = 0;
	int option;

	mallopt(M_ARENA_MAX, 2); /* as bin/amphora-agent.c */
	address_parse("::", &options.bind_address);
	while ((option = getopt(argc, argv, "3f:h:i:r:")) != -1) {
		if (option == '3')
			min_version = TLS_VERSION_1_3;
		else if (option == '?' || text_parse_u64(optarg, 1, NUMBER_MAX, &number) < 0)
			return 2;
		else if (option == 'f')
			descriptors_open(number);
		else if (option == 'h')
			options.handshake_timeout_ms = (int)number;
		else if (option == 'i')
			options.idle_timeout_s = (int)number;
		else
			options.request_timeout_s = (int)number;
	}
	return argc - optind == 2 ? serve(&options, argv + optind) : 2;
}
