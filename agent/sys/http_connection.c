/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>

#include "base/alloc.h"
#include "sys/connection_table.h"
#include "sys/http_exchange.h"
#include "sys/tls_credentials.h"

enum {
	PEER_TEXT_MAX = ADDRESS_TEXT_MAX + sizeof("[]:65535"),
	LOGGED_PATH_MAX = 200,
	NO_MESSAGE = -1,
	LINGER_SILENCE_MS = 1000,
};

struct http_connection {
	struct http_service *service;
	struct tls_credentials *credentials;
	struct MHD_Daemon *daemon;
	int fd;
	char peer[PEER_TEXT_MAX];
	/* From here on: while libmicrohttpd has the descriptor open. */
	struct connection *entry;
	struct MHD_Connection *mhd;
	gnutls_session_t session;
	struct http_exchange *exchange; /* the request under way; NULL: none */
	bool heard;                     /* something has come */
	bool reply_is_ours;
	bool silenced; /* nothing more may be sent */
	bool over;
	int handshake_message; /* the last one that came, a gnutls_handshake_description_t */
	char *refusal;         /* why its certificate was refused; NULL: it was not */
};

/* TLS: called by GnuTLS */

static ssize_t pull(gnutls_transport_ptr_t context, void *data, size_t size_bytes)
{
	struct http_connection *connection = context;
	ssize_t got;
	char byte;

	/* The table hears of the first bytes while they can still be seen in the socket. */
	if (!connection->heard && recv(connection->fd, &byte, sizeof(byte), MSG_PEEK) > 0) {
		connection->heard = true;
		connection_heard(connection->entry);
	}
	got = recv(connection->fd, data, size_bytes, 0);
	if (got > 0)
		connection_heard(connection->entry);
	return got;
}

/* GnuTLS wants one beside a pull function; it has no use for it on a non-blocking session. */
static int pull_timeout(gnutls_transport_ptr_t context, unsigned timeout_ms)
{
	const struct http_connection *connection = context;
	struct pollfd incoming = {.fd = connection->fd, .events = POLLIN};

	return poll(&incoming, 1, (int)timeout_ms);
}

/*
 * Libmicrohttpd answers some malformed requests by itself, with 413, 414, 431 or 505 among others,
 * which a controller takes for success (amphora-api.md, "the traps"), and never in JSON. A reply
 * that is not ours becomes a closed connection, for good: the record that was refused stays in the
 * session's buffer, and would leave with close_notify.
 */
static bool may_send(struct http_connection *connection)
{
	const union MHD_ConnectionInfo *reply =
		MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);

	if (reply && !connection->reply_is_ours && !connection->silenced) {
		connection->silenced = true;
		connection_table_report(connection->service->connections,
			CONNECTION_REQUEST_REFUSED, connection->peer,
			"closed without an answer: a malformed or too large request (to "
			"libmicrohttpd status %u)",
			reply->http_status);
	}
	return !connection->silenced;
}

static ssize_t push(gnutls_transport_ptr_t context, const giovec_t *vector, int count)
{
	struct http_connection *connection = context;
	const struct msghdr message = {
		.msg_iov = (struct iovec *)vector,
		.msg_iovlen = (size_t)count,
	};

	if (!may_send(connection)) {
		errno = EPIPE;
		return -1;
	}
	return sendmsg(connection->fd, &message, MSG_NOSIGNAL);
}

static int verify(gnutls_session_t session)
{
	struct http_connection *connection = gnutls_session_get_ptr(session);
	struct err err = ERR_NONE;

	if (tls_credentials_verify_peer(session, &err) == 0)
		return 0;
	free(connection->refusal);
	connection->refusal = xstrdup(err.text);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

/*
 * The client's Finished is the last message of a handshake that it can fail at: whoever sends it
 * has shown a certificate that verify() accepted and proved to have its key.
 */
static int watch_handshake(gnutls_session_t session, unsigned type, unsigned when,
	unsigned incoming, const gnutls_datum_t *message)
{
	struct http_connection *connection = gnutls_session_get_ptr(session);

	(void)message;
	if (!incoming)
		return 0;
	connection->handshake_message = (int)type;
	if (type == GNUTLS_HANDSHAKE_FINISHED && when == GNUTLS_HOOK_POST &&
		!connection_authenticated(connection->entry))
		return GNUTLS_E_USER_ERROR;
	return 0;
}

static int session_prepare(struct http_connection *connection)
{
	gnutls_session_t session = connection->session;

	gnutls_session_set_ptr(session, connection);
	gnutls_transport_set_ptr(session, connection);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	gnutls_transport_set_vec_push_function(session, push);
	gnutls_session_set_verify_function(session, verify);
	gnutls_handshake_set_hook_function(
		session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, watch_handshake);
	return tls_credentials_apply(connection->credentials, session);
}

/* Why a handshake came to nothing, as far as GnuTLS lets us see through libmicrohttpd. */
static void report_failed_handshake(const struct http_connection *connection)
{
	enum connection_event event = CONNECTION_CERTIFICATE_REFUSED;
	const char *why;

	if (connection->refusal) {
		why = connection->refusal;
	} else if (connection->handshake_message == GNUTLS_HANDSHAKE_CERTIFICATE_PKT) {
		why = "it showed no client certificate";
	} else {
		event = CONNECTION_HANDSHAKE_FAILED;
		why = connection->handshake_message == NO_MESSAGE
			      ? "gone without a TLS handshake"
			      : "nothing in common with us, or it did not trust our certificate";
	}
	connection_table_report(connection->service->connections, event, connection->peer,
		"no TLS connection: %s", why);
}

/* HTTP: called by libmicrohttpd */

/* At the beginning, and at the end, right before the descriptor is closed. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **unused,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_connection *connection = context;

	(void)unused;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection_is_in_handshake(connection->entry))
			report_failed_handshake(connection);
		connection_remove(connection->entry);
		connection->over = true;
		return;
	}
	connection->entry =
		connection_add(connection->service->connections, connection->fd, connection->peer);
	connection->mhd = mhd;
	connection->session =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
	if (session_prepare(connection) < 0)
		shutdown(connection->fd, SHUT_RDWR);
}

/* Libmicrohttpd's time-out is inactivity, a handler's included: it is for idle connections. */
static void set_inactivity_timeout(struct http_connection *connection, unsigned timeout_s)
{
	MHD_set_connection_option(connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT, timeout_s);
}

/* The request line is there. The only place that sees the target as it was sent. */
static void *on_request_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
	struct http_connection *connection = context;

	connection_heard(connection->entry);
	set_inactivity_timeout(connection, 0);
	connection->exchange = http_exchange_new(mhd, uri, &connection->service->bodies_bytes);
	return NULL;
}

/*
 * Before a connection closes whose request was answered before it was there whole: reads and drops
 * what still comes, until the peer closes, is silent for a second or the table ends it. Else the
 * kernel would answer it with a reset, on which the peer may lose the reply.
 */
static void linger(struct http_connection *connection)
{
	struct pollfd incoming = {.fd = connection->fd, .events = POLLIN};
	char dropped[4096];

	gnutls_bye(connection->session, GNUTLS_SHUT_WR);
	shutdown(connection->fd, SHUT_WR);
	while (poll(&incoming, 1, LINGER_SILENCE_MS) > 0 &&
		recv(connection->fd, dropped, sizeof(dropped), 0) > 0)
		;
}

static void on_request_over(void *context, struct MHD_Connection *mhd, void **unused,
	enum MHD_RequestTerminationCode code)
{
	struct http_connection *connection = context;
	const struct http_refusal *refusal = http_exchange_refusal(connection->exchange);

	(void)mhd, (void)unused;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && refusal && refusal->at_once)
		linger(connection);
	connection->reply_is_ours = false;
	http_exchange_free(connection->exchange);
	connection->exchange = NULL;
	set_inactivity_timeout(connection, connection->service->idle_timeout_s);
	connection_rests(connection->entry);
}

static void refusal_reply(const struct http_refusal *refusal, struct http_reply *ret_reply)
{
	const char *reason = refusal->status == 503 ? "503 Service Unavailable" : "400 Bad Request";
	char *body = xformat("{\"error\": \"%s: %s.\", \"http_code\": %d}", reason, refusal->why,
		refusal->status);

	*ret_reply = (struct http_reply){
		.status = refusal->status,
		.content_type = "application/json",
		.body = body,
		.body_size_bytes = strlen(body),
	};
}

static enum MHD_Result answer(struct http_connection *connection)
{
	const struct http_refusal *refusal = http_exchange_refusal(connection->exchange);
	const struct http_request *request = http_exchange_request(connection->exchange);
	struct http_service *service = connection->service;
	bool and_close = refusal && refusal->at_once;
	struct http_reply reply = {0};

	connection_handles(connection->entry);
	if (refusal) {
		connection_table_report(service->connections, CONNECTION_REQUEST_REFUSED,
			connection->peer, "%s %.*s refused: %s", request->method, LOGGED_PATH_MAX,
			request->path, refusal->why);
		refusal_reply(refusal, &reply);
	} else {
		service->handler(service->context, request, &reply);
	}
	connection_replies(connection->entry);
	connection->reply_is_ours = true;
	and_close = and_close || connection_table_is_draining(service->connections);
	return http_exchange_reply(connection->exchange, &reply, and_close) ? MHD_YES : MHD_NO;
}

/* Called with the head, then with each part of the body, then with nothing. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size_bytes,
	void **unused)
{
	struct http_connection *connection = context;
	struct http_exchange *exchange = connection->exchange;
	const struct http_refusal *refusal;
	bool received;

	(void)mhd, (void)url, (void)unused;
	if (!http_exchange_has_begun(exchange)) {
		http_exchange_begin(exchange, method, version);
		refusal = http_exchange_refusal(exchange);
		return refusal && refusal->at_once ? answer(connection) : MHD_YES;
	}
	if (*size_bytes == 0)
		return answer(connection);
	received = http_exchange_receive(exchange, data, *size_bytes);
	*size_bytes = 0;
	return received ? MHD_YES : MHD_NO;
}

/* Libmicrohttpd wants a certificate or this; the session gets credentials of our own instead. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *ca_names, int ca_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
	gnutls_pcert_st **certificates, unsigned *certificate_count, gnutls_privkey_t *key)
{
	(void)session, (void)ca_names, (void)ca_count, (void)algorithms, (void)algorithm_count;
	(void)certificates, (void)certificate_count, (void)key;
	return -1;
}

/*
 * With select(): its poll() needs threads of its own, and its epoll mode spins while a handshake
 * waits for its peer (0.9.75). So it takes no descriptor above 1023.
 */
static struct MHD_Daemon *daemon_start(struct http_connection *connection)
{
	return MHD_start_daemon(MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request,
		connection, MHD_OPTION_HTTPS_CERT_CALLBACK, no_certificate,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, connection,
		MHD_OPTION_URI_LOG_CALLBACK, on_request_line, connection,
		MHD_OPTION_NOTIFY_COMPLETED, on_request_over, connection,
		MHD_OPTION_CONNECTION_TIMEOUT, connection->service->idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX_BYTES, MHD_OPTION_END);
}

static void peer_format(const struct sockaddr_storage *sockaddr, char text[static PEER_TEXT_MAX])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sockaddr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sockaddr;
	char address[ADDRESS_TEXT_MAX] = "?";

	if (sockaddr->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
		snprintf(text, PEER_TEXT_MAX, "%s:%u", address, ntohs(v4->sin_port));
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], address, sizeof(address));
		snprintf(text, PEER_TEXT_MAX, "%s:%u", address, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
		snprintf(text, PEER_TEXT_MAX, "[%s]:%u", address, ntohs(v6->sin6_port));
	}
}

static void connection_free(struct http_connection *connection)
{
	/*
	 * Libmicrohttpd does not tell the end of every request whose begin it told (0.9.75: of one
	 * with more arguments than its memory holds).
	 */
	http_exchange_free(connection->exchange);
	free(connection->refusal);
	free(connection);
}

struct http_connection *http_connection_open(struct http_service *service,
	struct tls_credentials *credentials, int fd, const struct sockaddr_storage *peer,
	socklen_t peer_size)
{
	struct http_connection *connection = xcalloc(1, sizeof(*connection));
	bool added = false;

	connection->service = service;
	connection->credentials = credentials;
	connection->fd = fd;
	connection->handshake_message = NO_MESSAGE;
	peer_format(peer, connection->peer);
	connection->daemon = daemon_start(connection);
	if (connection->daemon) /* From here on the descriptor is its own, also on failure. */
		added = MHD_add_connection(connection->daemon, fd, (const struct sockaddr *)peer,
				peer_size) == MHD_YES;
	else
		close(fd);
	if (added)
		return connection;
	connection_table_report(service->connections, CONNECTION_NOT_SERVED, connection->peer,
		"not served: memory, or descriptors below 1024, have run out");
	if (connection->daemon)
		MHD_stop_daemon(connection->daemon);
	connection_free(connection);
	return NULL;
}

/*
 * The pass that does not wait is for a connection that the other one has closed and not put away:
 * select() would wait for it for ever, no descriptor being in its sets (0.9.75: an error while it
 * answers with an error).
 */
void http_connection_serve(struct http_connection *connection)
{
	while (!connection->over && MHD_run_wait(connection->daemon, -1) == MHD_YES)
		if (!connection->over && MHD_run_wait(connection->daemon, 0) != MHD_YES)
			break;
	MHD_stop_daemon(connection->daemon);
	connection_free(connection);
}
