/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/outlet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

/* How much the socket took; 0 when it takes nothing now. */
static ssize_t send_some(int fd, const struct iovec *parts, size_t part_count)
{
	const struct msghdr message = {
		.msg_iov = (struct iovec *)parts,
		.msg_iovlen = part_count,
	};
	ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return sent < 0 ? 0 : sent;
}

/* What comes behind the first sent_bytes. */
static void rest_keep(
	struct outlet *outlet, const struct iovec *parts, size_t part_count, size_t sent_bytes)
{
	size_t size = 0;

	for (size_t i = 0; i < part_count; i++)
		size += parts[i].iov_len;
	outlet->unsent_size_bytes = size - sent_bytes;
	outlet->sent_bytes = 0;
	outlet->unsent = xcalloc(outlet->unsent_size_bytes, 1);
	size = 0;
	for (size_t i = 0; i < part_count; i++) {
		size_t skipped = sent_bytes < parts[i].iov_len ? sent_bytes : parts[i].iov_len;

		memcpy(outlet->unsent + size, (const char *)parts[i].iov_base + skipped,
			parts[i].iov_len - skipped);
		size += parts[i].iov_len - skipped;
		sent_bytes -= skipped;
	}
}

int outlet_send(struct outlet *outlet, const struct iovec *parts, size_t part_count)
{
	size_t size = 0;
	ssize_t sent;

	assert(!outlet->unsent && part_count <= OUTLET_PARTS_MAX);
	for (size_t i = 0; i < part_count; i++)
		size += parts[i].iov_len;
	sent = send_some(outlet->fd, parts, part_count);
	if (sent < 0)
		return (int)sent;
	if ((size_t)sent == size)
		return 1;
	rest_keep(outlet, parts, part_count, (size_t)sent);
	return 0;
}

int outlet_flush(struct outlet *outlet)
{
	const struct iovec rest = {
		.iov_base = outlet->unsent + outlet->sent_bytes,
		.iov_len = outlet->unsent_size_bytes - outlet->sent_bytes,
	};
	ssize_t sent = send_some(outlet->fd, &rest, 1);

	if (sent < 0)
		return (int)sent;
	outlet->sent_bytes += (size_t)sent;
	if (outlet->sent_bytes < outlet->unsent_size_bytes)
		return 0;
	free(take_ptr(outlet->unsent));
	return 1;
}

void outlet_finish(struct outlet *outlet)
{
	shutdown(outlet->fd, SHUT_WR);
}

bool outlet_is_closed(struct outlet *outlet)
{
	char thrown_away[KIB];
	ssize_t got = recv(outlet->fd, thrown_away, sizeof(thrown_away), 0);

	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void outlet_break(struct outlet *outlet)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	setsockopt(outlet->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void outlet_deinit(struct outlet *outlet)
{
	free(take_ptr(outlet->unsent));
	outlet->fd = close_fd(outlet->fd);
}
