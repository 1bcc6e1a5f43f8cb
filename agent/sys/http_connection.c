/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/http_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/err.h"
#include "sys/connection_table.h"
#include "sys/tls_credentials.h"

enum {
	PEER_TEXT_MAX = ADDRESS_TEXT_MAX + sizeof("[]:65535"),
	NO_MESSAGE = -1,
	LINGER_SILENCE_MS = 1000,
};

struct http_connection {
	struct MHD_Connection *mhd;
	gnutls_session_t session;
	struct tls_credentials *credentials;
	struct connection *entry;
	int fd;
	bool reply_permitted;
	bool silenced;         /* nothing more may be sent */
	int handshake_message; /* the last one that came, a gnutls_handshake_description_t */
	char *refusal;         /* why its certificate was refused; NULL: it was not */
};

static ssize_t pull(gnutls_transport_ptr_t context, void *data, size_t size_bytes)
{
	struct http_connection *connection = context;
	ssize_t got = recv(connection->fd, data, size_bytes, 0);

	if (got > 0)
		connection_heard(connection->entry);
	return got;
}

static int pull_timeout(gnutls_transport_ptr_t context, unsigned timeout_ms)
{
	struct http_connection *connection = context;

	return gnutls_system_recv_timeout(
		(gnutls_transport_ptr_t)(intptr_t)connection->fd, timeout_ms);
}

/*
 * libmicrohttpd answers some malformed requests by itself, with 413, 414, 431 or 505 among others,
 * which a controller takes for success (amphora-api.md, "the traps"), and never in JSON. A reply
 * that is not ours becomes a closed connection, for good: the record that was refused stays in the
 * session's buffer, and would leave with close_notify.
 */
static bool may_send(struct http_connection *connection)
{
	const union MHD_ConnectionInfo *reply =
		MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);

	if (reply && !connection->reply_permitted && !connection->silenced) {
		connection->silenced = true;
		connection_report(connection->entry, CONNECTION_REQUEST_REFUSED,
			"closed without an answer: a malformed or too large request (status %u to "
			"libmicrohttpd)",
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

static void peer_format(const struct sockaddr *sockaddr, char text[static PEER_TEXT_MAX])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sockaddr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sockaddr;
	char address[ADDRESS_TEXT_MAX] = "?";

	if (sockaddr->sa_family == AF_INET) {
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

struct http_connection *http_connection_new(struct MHD_Connection *mhd,
	struct connection_table *table, struct tls_credentials *credentials)
{
	struct http_connection *connection = xcalloc(1, sizeof(*connection));
	char peer[PEER_TEXT_MAX];

	peer_format(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
		peer);
	connection->mhd = mhd;
	connection->credentials = tls_credentials_ref(credentials);
	connection->handshake_message = NO_MESSAGE;
	connection->fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection->session =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
	connection->entry = connection_add(table, connection->fd, peer);
	if (session_prepare(connection) < 0)
		shutdown(connection->fd, SHUT_RDWR);
	return connection;
}

/* Why a handshake came to nothing, as far as GnuTLS lets us see through libmicrohttpd. */
static void report_failed_handshake(const struct http_connection *connection)
{
	if (connection->refusal)
		connection_report(connection->entry, CONNECTION_CERTIFICATE_REFUSED, "refused: %s",
			connection->refusal);
	else if (connection->handshake_message == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		connection_report(connection->entry, CONNECTION_CERTIFICATE_REFUSED,
			"refused: it showed no client certificate");
	else if (connection->handshake_message == NO_MESSAGE)
		connection_report(connection->entry, CONNECTION_HANDSHAKE_FAILED,
			"gone without a TLS handshake");
	else
		connection_report(connection->entry, CONNECTION_HANDSHAKE_FAILED,
			"TLS handshake failed: nothing in common with us, or it did not trust our "
			"certificate");
}

void http_connection_free(struct http_connection *connection)
{
	if (connection_is_in_handshake(connection->entry))
		report_failed_handshake(connection);
	connection_remove(connection->entry);
	tls_credentials_unref(connection->credentials);
	free(connection->refusal);
	free(connection);
}

struct connection *http_connection_entry(struct http_connection *connection)
{
	return connection->entry;
}

void http_connection_permit_reply(struct http_connection *connection, bool permitted)
{
	connection->reply_permitted = permitted;
}

void http_connection_linger(struct http_connection *connection)
{
	struct pollfd incoming = {.fd = connection->fd, .events = POLLIN};
	char dropped[4096];

	gnutls_bye(connection->session, GNUTLS_SHUT_WR);
	shutdown(connection->fd, SHUT_WR);
	while (poll(&incoming, 1, LINGER_SILENCE_MS) > 0 &&
		recv(connection->fd, dropped, sizeof(dropped), 0) > 0)
		;
}
