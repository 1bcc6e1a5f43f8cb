/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "sys/connection_table.h"
#include "sys/http_connection.h"
#include "sys/log_limit.h"
#include "sys/tls_credentials.h"

enum {
	/* Many: beyond it the kernel drops a SYN, which costs its sender a second or three. */
	LISTEN_BACKLOG = 4096,
	/* As many as connections may be, and some for those that are just being ended. */
	WORKERS_MAX = HTTP_HANDSHAKES_MAX + HTTP_AUTHENTICATED_MAX + 16,
	/* JSON as deep as jansson reads it (2,048 levels) takes 600 KiB, and twice that to spare.
	 */
	WORKER_STACK_BYTES = 2 * MIB,
	DRAIN_GRACE_MS = 2000,
	ACCEPT_PAUSE_MS = 100,
};

/* On its way from the acceptor to a worker. */
struct accepted {
	int fd;     /* -1: none */
	bool taken; /* by a worker that is opening it */
	struct sockaddr_storage peer;
	socklen_t peer_size;
};

struct http_server {
	struct http_service service;
	int listen_fd;
	uint16_t port;
	pthread_t acceptor;
	bool has_acceptor;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t work;  /* for workers: something was accepted, or the end is near */
	pthread_cond_t room;  /* for the acceptor: a worker is idle, or the same */
	bool stopping;
	struct tls_credentials *credentials;
	struct accepted accepted;
	pthread_t workers[WORKERS_MAX];
	unsigned worker_count, idle_worker_count;
};

DEFINE_CLEANUP(struct http_server *, http_server_free);

/*
 * The lock is held, but not while this works. The next connection may only be accepted when this
 * one is in the connection table, or an earlier one could push out a later one.
 */
static void accepted_serve(struct http_server *server)
{
	struct tls_credentials *credentials = tls_credentials_ref(server->credentials);
	struct accepted accepted = server->accepted;
	struct http_connection *connection;

	server->accepted.taken = true;
	server->idle_worker_count--;
	pthread_mutex_unlock(&server->lock);
	connection = http_connection_open(
		&server->service, credentials, accepted.fd, &accepted.peer, accepted.peer_size);
	pthread_mutex_lock(&server->lock);
	server->accepted.fd = -1;
	pthread_cond_signal(&server->room);
	pthread_mutex_unlock(&server->lock);
	if (connection)
		http_connection_serve(connection);
	tls_credentials_unref(credentials);
	pthread_mutex_lock(&server->lock);
	server->idle_worker_count++;
	pthread_cond_signal(&server->room);
}

/* One connection after the other. Workers are kept: sys/http_connection.h tells why. */
static void *work(void *context)
{
	struct http_server *server = context;

	pthread_mutex_lock(&server->lock);
	for (;;) {
		if (server->accepted.fd >= 0 && !server->accepted.taken)
			accepted_serve(server);
		else if (server->stopping)
			break;
		else
			pthread_cond_wait(&server->work, &server->lock);
	}
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* A thread that leaves signals to the program's main one. 0 or a negative errno. */
static int thread_start(pthread_t *ret_thread, void *(*function)(void *), void *context)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret_thread, &attributes, function, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

/* The lock is held. */
static int worker_start(struct http_server *server)
{
	int r = thread_start(&server->workers[server->worker_count], work, server);

	if (r < 0)
		return r;
	server->worker_count++;
	server->idle_worker_count++;
	return 0;
}

/* Makes sure that a worker will take what is accepted next. The lock is held. False: stopping. */
static bool wait_for_worker(struct http_server *server)
{
	while (!server->stopping) {
		if (server->accepted.fd < 0 && server->idle_worker_count > 0)
			return true;
		if (server->accepted.fd < 0 && server->worker_count < WORKERS_MAX &&
			worker_start(server) == 0)
			return true;
		pthread_cond_wait(&server->room, &server->lock);
	}
	return false;
}

/* Waits for a connection; fd -1 if that fails. */
static void accept_one(int listen_fd, struct log_limit *failures, struct accepted *ret_accepted)
{
	char why[128];

	ret_accepted->taken = false;
	ret_accepted->peer_size = sizeof(ret_accepted->peer);
	ret_accepted->fd = accept4(listen_fd, (struct sockaddr *)&ret_accepted->peer,
		&ret_accepted->peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (ret_accepted->fd >= 0 ||
		(errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM))
		return;
	if (log_limit_admit(failures, clock_now_ms()))
		log_warning("accepting a connection: %s; trying again",
			strerror_r(errno, why, sizeof(why)));
	clock_sleep_ms(ACCEPT_PAUSE_MS);
}

static void *accept_connections(void *context)
{
	struct http_server *server = context;
	struct log_limit failures = {0};
	struct accepted accepted;

	pthread_mutex_lock(&server->lock);
	while (wait_for_worker(server)) {
		pthread_mutex_unlock(&server->lock);
		accept_one(server->listen_fd, &failures, &accepted);
		pthread_mutex_lock(&server->lock);
		server->accepted = accepted;
		if (accepted.fd >= 0)
			pthread_cond_signal(&server->work);
	}
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* One socket for both families where bind_address is ::; fd, or a negative errno. */
static int socket_listen(const struct address *bind_address, uint16_t port)
{
	cleanup_close int fd = socket(bind_address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
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

static int server_listen(
	struct http_server *server, const struct http_server_options *options, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];

	server->listen_fd = socket_listen(&options->bind_address, options->bind_port);
	if (server->listen_fd < 0) {
		address_format(&options->bind_address, text);
		return err_set_errno(err, server->listen_fd, "listening on %s port %u", text,
			options->bind_port);
	}
	server->port = socket_port(server->listen_fd);
	return 0;
}

static int server_start_threads(struct http_server *server, struct err *err)
{
	int r;

	pthread_mutex_lock(&server->lock);
	r = worker_start(server);
	pthread_mutex_unlock(&server->lock);
	if (r == 0)
		r = thread_start(&server->acceptor, accept_connections, server);
	if (r < 0)
		return err_set_errno(err, r, "starting the threads of the HTTP server");
	server->has_acceptor = true;
	return 0;
}

static struct http_server *server_make(
	const struct http_server_options *options, struct tls_credentials *credentials)
{
	struct http_server *server = xcalloc(1, sizeof(*server));

	server->service.handler = options->handler;
	server->service.context = options->context;
	server->service.idle_timeout_s =
		options->idle_timeout_s ? (unsigned)options->idle_timeout_s : HTTP_IDLE_TIMEOUT_S;
	server->listen_fd = -1;
	server->accepted.fd = -1;
	server->credentials = tls_credentials_ref(credentials);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->work, NULL);
	pthread_cond_init(&server->room, NULL);
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
	int r = server_listen(server, options, err);

	if (r == 0)
		r = connection_table_new(&limits, &server->service.connections, err);
	if (r == 0)
		r = server_start_threads(server, err);
	if (r < 0)
		return r;
	*ret_server = take_ptr(server);
	return 0;
}

static void server_stop_accepting(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_cond_signal(&server->room);
	pthread_mutex_unlock(&server->lock);
	if (server->has_acceptor) {
		shutdown(server->listen_fd, SHUT_RDWR); /* ends its accept() */
		pthread_join(server->acceptor, NULL);
	}
	close_fd(server->listen_fd);
}

static void server_stop_workers(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	pthread_cond_broadcast(&server->work);
	pthread_mutex_unlock(&server->lock);
	for (unsigned i = 0; i < server->worker_count; i++)
		pthread_join(server->workers[i], NULL);
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	server_stop_accepting(server);
	if (server->service.connections)
		connection_table_drain(server->service.connections, DRAIN_GRACE_MS);
	server_stop_workers(server);
	connection_table_free(server->service.connections);
	tls_credentials_unref(server->credentials);
	pthread_cond_destroy(&server->room);
	pthread_cond_destroy(&server->work);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

void http_server_set_credentials(struct http_server *server, struct tls_credentials *credentials)
{
	struct tls_credentials *before;

	pthread_mutex_lock(&server->lock);
	before = server->credentials;
	server->credentials = tls_credentials_ref(credentials);
	pthread_mutex_unlock(&server->lock);
	tls_credentials_unref(before);
}

void http_server_set_request_timeout(struct http_server *server, int request_timeout_s)
{
	connection_table_set_request_timeout(server->service.connections, request_timeout_s * 1000);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}
