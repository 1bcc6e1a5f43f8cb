/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_server.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "sys/connection_table.h"
#include "sys/http_connection.h"
#include "sys/http_exchange.h"
#include "sys/tls_credentials.h"

enum {
	LISTEN_BACKLOG = 512,
	/*
	 * Also counts what is being torn down. Libmicrohttpd stops accepting there, so it stands
	 * above what our own bounds allow; every connection costs a descriptor, and select(), with
	 * which its time-outs are exact (its poll() spins through the last second), wants them all
	 * below 1024.
	 */
	CONNECTIONS_MAX = HTTP_HANDSHAKES_MAX + HTTP_AUTHENTICATED_MAX + 48,
	THREAD_STACK_BYTES = MIB,
	DRAIN_GRACE_MS = 2000,
	LOGGED_PATH_MAX = 200,
};

struct http_server {
	http_handler *handler;
	void *context;
	unsigned idle_timeout_s;
	uint16_t port;
	struct MHD_Daemon *daemon;
	struct connection_table *connections;
	atomic_size_t bodies_bytes;
	pthread_mutex_t credentials_lock;
	struct tls_credentials *credentials;
};

DEFINE_CLEANUP(struct http_server *, http_server_free);

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static struct connection *entry_of(struct MHD_Connection *mhd)
{
	return http_connection_entry(connection_of(mhd));
}

/* Libmicrohttpd's time-out is inactivity, a handler's included: it is for idle connections. */
static void set_inactivity_timeout(struct MHD_Connection *mhd, unsigned timeout_s)
{
	MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, timeout_s);
}

/* In the listening thread: before the handshake, and when the connection's thread has ended. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_connection_free(*socket_context);
		return;
	}
	pthread_mutex_lock(&server->credentials_lock);
	*socket_context = http_connection_new(mhd, server->connections, server->credentials);
	pthread_mutex_unlock(&server->credentials_lock);
}

/* The request line is there. The only place that sees the target as it was sent. */
static void *on_request_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
	struct http_server *server = context;

	connection_heard(entry_of(mhd));
	set_inactivity_timeout(mhd, 0);
	return http_exchange_new(mhd, uri, &server->bodies_bytes);
}

static void on_request_over(void *context, struct MHD_Connection *mhd, void **exchange,
	enum MHD_RequestTerminationCode code)
{
	const struct http_refusal *refusal = http_exchange_refusal(*exchange);
	struct http_server *server = context;

	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && refusal && refusal->at_once)
		http_connection_linger(connection_of(mhd));
	http_connection_permit_reply(connection_of(mhd), false);
	http_exchange_free(*exchange);
	*exchange = NULL;
	set_inactivity_timeout(mhd, server->idle_timeout_s);
	connection_rests(entry_of(mhd));
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

static enum MHD_Result answer(
	struct http_server *server, struct MHD_Connection *mhd, struct http_exchange *exchange)
{
	const struct http_refusal *refusal = http_exchange_refusal(exchange);
	const struct http_request *request = http_exchange_request(exchange);
	struct connection *entry = entry_of(mhd);
	struct http_reply reply = {0};
	bool and_close = refusal && refusal->at_once;

	connection_handles(entry);
	if (refusal) {
		connection_report(entry, CONNECTION_REQUEST_REFUSED, "%s %.*s refused: %s",
			request->method, LOGGED_PATH_MAX, request->path, refusal->why);
		refusal_reply(refusal, &reply);
	} else {
		server->handler(server->context, request, &reply);
	}
	connection_replies(entry);
	http_connection_permit_reply(connection_of(mhd), true);
	and_close = and_close || connection_table_is_draining(server->connections);
	return http_exchange_reply(exchange, &reply, and_close) ? MHD_YES : MHD_NO;
}

/* Called with the head, then with each part of the body, then with nothing. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size_bytes,
	void **exchange)
{
	struct http_server *server = context;
	const struct http_refusal *refusal;
	bool received;

	(void)url;
	if (!http_exchange_has_begun(*exchange)) {
		http_exchange_begin(*exchange, method, version);
		refusal = http_exchange_refusal(*exchange);
		return refusal && refusal->at_once ? answer(server, mhd, *exchange) : MHD_YES;
	}
	if (*size_bytes == 0)
		return answer(server, mhd, *exchange);
	received = http_exchange_receive(*exchange, data, *size_bytes);
	*size_bytes = 0;
	return received ? MHD_YES : MHD_NO;
}

/* One socket for both families where bind_address is ::; fd, or a negative errno. */
static int socket_listen(const struct address *bind_address, uint16_t port)
{
	cleanup_close int fd =
		socket(bind_address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage sockaddr;
	socklen_t size = address_to_sockaddr(bind_address, port, &sockaddr);
	int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(bind_address->family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
		bind(fd, (struct sockaddr *)&sockaddr, size) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return -errno;
	return take_fd(&fd);
}

static uint16_t socket_port(int fd)
{
	struct sockaddr_storage sockaddr = {0};
	socklen_t size = sizeof(sockaddr);

	if (getsockname(fd, (struct sockaddr *)&sockaddr, &size) < 0)
		return 0;
	/* Both families have it at the same place. */
	return ntohs(((struct sockaddr_in *)&sockaddr)->sin_port);
}

static int listen_open(const struct http_server_options *options, int *ret_fd, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];
	int fd = socket_listen(&options->bind_address, options->bind_port);

	address_format(&options->bind_address, text);
	if (fd < 0)
		return err_set_errno(err, fd, "listening on %s port %u", text, options->bind_port);
	*ret_fd = fd;
	return 0;
}

/* Libmicrohttpd wants a certificate or this; every session gets credentials of our own instead. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *ca_names, int ca_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
	gnutls_pcert_st **certificates, unsigned *certificate_count, gnutls_privkey_t *key)
{
	(void)session, (void)ca_names, (void)ca_count, (void)algorithms, (void)algorithm_count;
	(void)certificates, (void)certificate_count, (void)key;
	return -1;
}

static struct MHD_Daemon *daemon_start(struct http_server *server, int listen_fd)
{
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_TLS | MHD_USE_ITC;
	sigset_t all, before;
	struct MHD_Daemon *daemon;

	/* Signals are for the program's main thread: those made here inherit the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_HTTPS_CERT_CALLBACK, no_certificate,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_URI_LOG_CALLBACK,
		on_request_line, server, MHD_OPTION_NOTIFY_COMPLETED, on_request_over, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, server->idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX_BYTES,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

static struct http_server *server_make(
	const struct http_server_options *options, struct tls_credentials *credentials)
{
	struct http_server *server = xcalloc(1, sizeof(*server));

	server->handler = options->handler;
	server->context = options->context;
	server->idle_timeout_s =
		options->idle_timeout_s ? (unsigned)options->idle_timeout_s : HTTP_IDLE_TIMEOUT_S;
	server->credentials = tls_credentials_ref(credentials);
	pthread_mutex_init(&server->credentials_lock, NULL);
	return server;
}

int http_server_new(const struct http_server_options *options, struct tls_credentials *credentials,
	struct http_server **ret_server, struct err *err)
{
	const struct connection_limits limits = {
		.handshakes_max = HTTP_HANDSHAKES_MAX,
		.authenticated_max = HTTP_AUTHENTICATED_MAX,
		.handshake_timeout_ms = options->handshake_timeout_ms
						? options->handshake_timeout_ms
						: HTTP_HANDSHAKE_TIMEOUT_MS,
		.request_timeout_ms = options->request_timeout_s * 1000,
	};
	CLEANUP(cleanup_http_server_free)
	struct http_server *server = server_make(options, credentials);
	cleanup_close int fd = -1;
	int r = listen_open(options, &fd, err);

	if (r == 0)
		r = connection_table_new(&limits, &server->connections, err);
	if (r < 0)
		return r;
	server->port = socket_port(fd);
	server->daemon = daemon_start(server, fd);
	if (!server->daemon)
		return err_set_errno(err, -errno, "starting libmicrohttpd");
	take_fd(&fd); /* The daemon's now, until it is quiesced. */
	*ret_server = take_ptr(server);
	return 0;
}

void http_server_free(struct http_server *server)
{
	cleanup_close int listen_fd = -1;

	if (!server)
		return;
	if (server->daemon) {
		listen_fd = MHD_quiesce_daemon(server->daemon);
		connection_table_drain(server->connections, DRAIN_GRACE_MS);
		MHD_stop_daemon(server->daemon);
	}
	connection_table_free(server->connections);
	tls_credentials_unref(server->credentials);
	pthread_mutex_destroy(&server->credentials_lock);
	free(server);
}

void http_server_set_credentials(struct http_server *server, struct tls_credentials *credentials)
{
	struct tls_credentials *before;

	pthread_mutex_lock(&server->credentials_lock);
	before = server->credentials;
	server->credentials = tls_credentials_ref(credentials);
	pthread_mutex_unlock(&server->credentials_lock);
	tls_credentials_unref(before);
}

void http_server_set_request_timeout(struct http_server *server, int request_timeout_s)
{
	connection_table_set_request_timeout(server->connections, request_timeout_s * 1000);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}
