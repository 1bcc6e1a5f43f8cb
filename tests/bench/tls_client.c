/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's client: HTTP requests over mutual TLS, timed one by one, so that no interpreter's
 * cost is measured as the agent's. Prints one JSON object on standard output.
 *
 *	tls_client [-n COUNT] [-N] [-m METHOD] [-b FILE] ADDRESS PORT CA CLIENT_PEM PATH
 *	tls_client -u ADDRESS PORT CA CLIENT_PEM PATH
 *
 *	-n COUNT   requests, one after the other over keep-alive; the first connection is made
 *before the clock starts. A peer that closes is connected to anew, inside the timed request. -N a
 *new connection for each request, which its time includes -m, -b     the method (GET), the file
 *with the body -H COUNT   opens COUNT connections, asks once on each, prints, and holds them until
 *its standard input ends -u         tries until the first answer, then prints CLOCK_MONOTONIC at
 *that instant
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"

enum {
	REPLY_MAX_BYTES = 64 * MIB,
	READ_STEP_BYTES = 16 * KIB,
	COUNT_MAX = 10 * 1000 * 1000,
	ANSWER_WAIT_MS = 30 * 1000,
	ANSWER_PAUSE_NS = 200 * 1000,
};

/* Whom to ask, with which identity. */
struct peer {
	struct sockaddr_storage socket_address;
	socklen_t socket_address_size;
	gnutls_certificate_credentials_t credentials;
};

struct connection {
	int fd;
	gnutls_session_t session; /* NULL: not open */
};

struct reply {
	unsigned status;
	bool closes; /* the peer will take no other request on this connection */
	size_t size_bytes;
};

struct options {
	uint64_t count;
	bool new_connections, until_answered;
	const char *method, *body_path;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int peer_init(struct peer *peer, char **words, struct err *err)
{
	struct address address;
	uint64_t port;
	int r;

	if (address_parse(words[0], &address) < 0 ||
		text_parse_u64(words[1], 1, UINT16_MAX, &port) < 0)
		return err_set(
			err, -EINVAL, "%s %s: not an address and a port", words[0], words[1]);
	peer->socket_address_size =
		address_to_sockaddr(&address, (in_port_t)port, &peer->socket_address);
	gnutls_certificate_allocate_credentials(&peer->credentials);
	r = gnutls_certificate_set_x509_trust_file(
		peer->credentials, words[2], GNUTLS_X509_FMT_PEM);
	if (r <= 0)
		return err_set(err, -EINVAL, "%s: no CA certificate in it", words[2]);
	r = gnutls_certificate_set_x509_key_file(
		peer->credentials, words[3], words[3], GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(err, -EINVAL, "%s: %s", words[3], gnutls_strerror(r));
	return 0;
}

static void connection_close(struct connection *connection)
{
	if (!connection->session)
		return;
	gnutls_bye(connection->session, GNUTLS_SHUT_WR);
	gnutls_deinit(connection->session);
	connection->session = NULL;
	connection->fd = close_fd(connection->fd);
}

static int tcp_connect(const struct peer *peer, struct err *err)
{
	cleanup_close int fd =
		socket(peer->socket_address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = {.tv_sec = ANSWER_WAIT_MS / 1000};
	const int on = 1;

	if (fd < 0)
		return err_set_errno(err, -errno, "making a socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&peer->socket_address, peer->socket_address_size) <
		0)
		return err_set_errno(err, -errno, "connecting");
	return take_fd(&fd);
}

static int connection_open(struct connection *connection, const struct peer *peer, struct err *err)
{
	int r = tcp_connect(peer, err);

	if (r < 0)
		return r;
	connection->fd = r;
	gnutls_init(&connection->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(connection->session);
	gnutls_credentials_set(connection->session, GNUTLS_CRD_CERTIFICATE, peer->credentials);
	gnutls_session_set_verify_cert(connection->session, NULL, 0);
	gnutls_transport_set_int(connection->session, connection->fd);
	do {
		r = gnutls_handshake(connection->session);
	} while (r < 0 && !gnutls_error_is_fatal(r));
	if (r < 0) {
		connection_close(connection);
		return err_set(err, -EPROTO, "TLS handshake: %s", gnutls_strerror(r));
	}
	return 0;
}

static int connection_send(
	struct connection *connection, const struct buf *request, struct err *err)
{
	for (size_t sent = 0; sent < request->size_bytes;) {
		ssize_t n = gnutls_record_send(
			connection->session, buf_text(request) + sent, request->size_bytes - sent);

		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n < 0)
			return err_set(err, -EPIPE, "sending: %s", gnutls_strerror((int)n));
		sent += (size_t)n;
	}
	return 0;
}

/* Reads more of the answer into text; -EPIPE when the peer ended the connection. */
static int connection_receive(struct connection *connection, struct buf *text, struct err *err)
{
	void *room = buf_reserve(text, READ_STEP_BYTES);
	ssize_t n;

	if (!room)
		return err_set(err, -EMSGSIZE, "the answer is too large");
	do {
		n = gnutls_record_recv(connection->session, room, READ_STEP_BYTES);
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n == 0)
		return err_set(err, -EPIPE, "receiving: the peer closed");
	if (n < 0)
		return err_set(err, -EPIPE, "receiving: %s", gnutls_strerror((int)n));
	buf_commit(text, (size_t)n);
	return 0;
}

/* The head's value of a header, up to the end of its line; NULL if it has none. */
static const char *head_value(const char *head, const char *end, const char *name)
{
	const char *found = strcasestr(head, name);

	return found && found < end ? found + strlen(name) : NULL;
}

static int head_parse(const char *head, const char *end, struct reply *reply, struct err *err)
{
	const char *length = head_value(head, end, "\r\nContent-Length: ");
	const char *connection = head_value(head, end, "\r\nConnection: ");
	uint64_t status, body_size;

	if (!text_starts_with(head, "HTTP/1.1 ") ||
		text_parse_u64_span(head + strlen("HTTP/1.1 "), 3, 100, 599, &status) < 0)
		return err_set(err, -EPROTO, "no HTTP/1.1 answer: %.60s", head);
	if (!length || text_parse_u64_span(length, strspn(length, "0123456789"), 0, REPLY_MAX_BYTES,
			       &body_size) < 0)
		return err_set(err, -EPROTO, "an answer without a usable Content-Length");
	reply->status = (unsigned)status;
	reply->closes = connection && strncasecmp(connection, "close", strlen("close")) == 0;
	reply->size_bytes = (size_t)(end - head) + body_size;
	return 0;
}

static int connection_exchange(struct connection *connection, const struct buf *request,
	struct buf *text, struct reply *ret_reply, struct err *err)
{
	struct reply reply = {0};
	int r = connection_send(connection, request, err);

	buf_clear(text);
	while (r == 0 && (reply.status == 0 || text->size_bytes < reply.size_bytes)) {
		const char *end;

		r = connection_receive(connection, text, err);
		if (r < 0 || reply.status != 0)
			continue;
		end = strstr(buf_text(text), "\r\n\r\n");
		if (end)
			r = head_parse(buf_text(text), end + strlen("\r\n\r\n"), &reply, err);
	}
	if (r == 0)
		*ret_reply = reply;
	return r;
}

static int request_build(
	const struct options *options, const char *path, struct buf *request, struct err *err)
{
	cleanup_buf struct buf body = BUF_INIT(REPLY_MAX_BYTES);
	int r = options->body_path ? file_read(options->body_path, &body, err) : 0;

	if (r < 0)
		return r;
	buf_append_format(request, "%s %s HTTP/1.1\r\nHost: amphora\r\nContent-Length: %zu\r\n\r\n",
		options->method, path, body.size_bytes);
	buf_append(request, buf_text(&body), body.size_bytes);
	return buf_error(request);
}

static int compare_i64(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

struct tally {
	int64_t *durations_ns;
	uint64_t count, failed, connections;
	unsigned last_status;
	int64_t total_ns;
};

static double percentile_ms(const struct tally *tally, unsigned percent)
{
	uint64_t rank = (tally->count * percent + 99) / 100;

	return (double)tally->durations_ns[rank > 0 ? rank - 1 : 0] / 1e6;
}

static void tally_print(struct tally *tally)
{
	qsort(tally->durations_ns, tally->count, sizeof(*tally->durations_ns), compare_i64);
	printf("{\"requests\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"connections\": %" PRIu64
	       ", \"status\": %u, "
	       "\"seconds\": %.6f, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
		tally->count, tally->failed, tally->connections, tally->last_status,
		(double)tally->total_ns / 1e9, percentile_ms(tally, 50), percentile_ms(tally, 99),
		percentile_ms(tally, 100));
}

/* One request, on the open connection if there is one. The caller times it. */
static int ask(const struct peer *peer, struct connection *connection, const struct buf *request,
	struct buf *text, struct tally *tally, struct err *err)
{
	struct reply reply = {0};
	int r = 0;

	if (!connection->session) {
		r = connection_open(connection, peer, err);
		tally->connections++;
	}
	if (r == 0)
		r = connection_exchange(connection, request, text, &reply, err);
	if (r < 0) {
		connection_close(connection);
		return r;
	}
	tally->last_status = reply.status;
	if (reply.closes)
		connection_close(connection);
	return 0;
}

static int measure(const struct peer *peer, const struct options *options,
	const struct buf *request, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(REPLY_MAX_BYTES);
	cleanup_free int64_t *durations_ns = xcalloc(options->count, sizeof(*durations_ns));
	struct tally tally = {.durations_ns = durations_ns, .count = options->count};
	struct connection connection = {.fd = -1};
	int64_t start_ns;
	int r = 0;

	if (!options->new_connections) {
		r = connection_open(&connection, peer, err);
		tally.connections++;
	}
	if (r < 0)
		return r;
	start_ns = now_ns();
	for (uint64_t i = 0; i < options->count; i++) {
		int64_t before_ns = now_ns();

		r = ask(peer, &connection, request, &text, &tally, err);
		durations_ns[i] = now_ns() - before_ns;
		if (r < 0 || tally.last_status >= 300)
			tally.failed++;
		if (options->new_connections)
			connection_close(&connection);
	}
	tally.total_ns = now_ns() - start_ns;
	connection_close(&connection);
	tally_print(&tally);
	return 0;
}

static int wait_for_answer(const struct peer *peer, const struct buf *request, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(REPLY_MAX_BYTES);
	const struct timespec pause = {.tv_nsec = ANSWER_PAUSE_NS};
	struct connection connection = {.fd = -1};
	int64_t deadline_ms = clock_now_ms() + ANSWER_WAIT_MS;
	struct tally tally = {0};

	while (clock_left_ms(deadline_ms) > 0) {
		if (ask(peer, &connection, request, &text, &tally, err) == 0) {
			printf("{\"answered_at_ns\": %" PRId64 "}\n", now_ns());
			connection_close(&connection);
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static int options_parse(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){.count = 1, .method = "GET"};
	while ((option = getopt(argc, argv, "n:Num:b:")) != -1) {
		if (option == 'n' && text_parse_u64(optarg, 1, COUNT_MAX, &options->count) == 0)
			continue;
		if (option == 'N')
			options->new_connections = true;
		else if (option == 'u')
			options->until_answered = true;
		else if (option == 'm')
			options->method = optarg;
		else if (option == 'b')
			options->body_path = optarg;
		else
			return -EINVAL;
	}
	return argc - optind == 5 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	cleanup_buf struct buf request = BUF_INIT(REPLY_MAX_BYTES);
	struct options options;
	struct peer peer = {0};
	struct err err = ERR_NONE;
	int r;

	if (options_parse(argc, argv, &options) < 0) {
		fprintf(stderr, "usage: see the head of tests/bench/tls_client.c\n");
		return 2;
	}
	r = peer_init(&peer, argv + optind, &err);
	if (r == 0)
		r = request_build(&options, argv[optind + 4], &request, &err);
	if (r == 0 && options.until_answered)
		r = wait_for_answer(&peer, &request, &err);
	else if (r == 0)
		r = measure(&peer, &options, &request, &err);
	if (peer.credentials)
		gnutls_certificate_free_credentials(peer.credentials);
	if (r < 0)
		fprintf(stderr, "tls_client: %s\n", err.text);
	return r < 0 ? 1 : 0;
}
