/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stats_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
	READ_STEP_BYTES = 32 * KIB,
	/* A full accept queue cannot be polled for: connect() is tried again after so long. */
	CONNECT_AGAIN_MS = 10,
	/* An answer longer than this comes in many pieces, which are worth a pause each. */
	GATHER_FROM_BYTES = 32 * KIB,
	GATHER_MS = 3,
};

/* One exchange under way. */
struct channel {
	struct stats_socket_exchange *exchange;
	int fd; /* -1 before the first attempt and when it is over */
	bool connected;
	bool over;
	char *request;
	size_t request_size_bytes;
	size_t sent_bytes;
};

static void channel_deinit(struct channel *channel)
{
	channel->fd = close_fd(channel->fd);
	free(take_ptr(channel->request));
}

/* Ends an exchange; result is 0 or the negative errno of what failed. */
static void channel_end(struct channel *channel, int result)
{
	struct stats_socket_exchange *exchange = channel->exchange;

	if (result == -EMSGSIZE)
		err_set(&exchange->err, result, "asking %s: the answer is larger than %zu bytes",
			exchange->path, exchange->answer.max_bytes);
	else if (result < 0)
		err_set_errno(&exchange->err, result, "asking %s", exchange->path);
	exchange->result = result;
	channel->over = true;
	channel_deinit(channel);
}

static void channel_init(struct channel *channel, struct stats_socket_exchange *exchange)
{
	*channel = (struct channel){
		.exchange = exchange,
		.fd = -1,
		.request = xformat("%s\n", exchange->command),
	};
	channel->request_size_bytes = strlen(channel->request);
	exchange->result = 0;
	exchange->err = ERR_NONE;
}

/* 0 when connected, -EAGAIN while the accept queue is full, another negative errno. */
static int channel_connect(struct channel *channel)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t size_bytes = strlen(channel->exchange->path);

	if (size_bytes >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	memcpy(name.sun_path, channel->exchange->path, size_bytes);
	if (channel->fd < 0) {
		channel->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (channel->fd < 0)
			return -errno;
	}
	if (connect(channel->fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	channel->connected = true;
	return 0;
}

/*
 * 0 when the whole request is out, -EAGAIN, another negative errno. Then we have nothing more to
 * say: without that the master CLI waits for the next command instead of ending its answer.
 */
static int channel_send(struct channel *channel)
{
	if (channel->sent_bytes == channel->request_size_bytes)
		return 0;
	while (channel->sent_bytes < channel->request_size_bytes) {
		ssize_t sent = send(channel->fd, channel->request + channel->sent_bytes,
			channel->request_size_bytes - channel->sent_bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		channel->sent_bytes += (size_t)sent;
	}
	return shutdown(channel->fd, SHUT_WR) < 0 ? -errno : 0;
}

/* One read. 1 when there may be more, 0 at the end of the answer, a negative errno. */
static int channel_receive_some(struct channel *channel)
{
	struct buf *answer = &channel->exchange->answer;
	size_t left = answer->max_bytes - answer->size_bytes;
	size_t step = left < READ_STEP_BYTES ? left : READ_STEP_BYTES;
	char beyond;
	void *room = step > 0 ? buf_reserve(answer, step) : &beyond;
	ssize_t got;

	if (!room)
		return buf_error(answer);
	got = recv(channel->fd, room, step > 0 ? step : sizeof(beyond), 0);
	if (got < 0)
		return errno == EINTR ? 1 : -errno;
	if (got == 0)
		return 0;
	if (step == 0)
		return -EMSGSIZE;
	buf_commit(answer, (size_t)got);
	return 1;
}

/* Goes as far as the socket lets it. */
static void channel_advance(struct channel *channel)
{
	int r = 0;

	if (!channel->connected)
		r = channel_connect(channel);
	if (r == 0)
		r = channel_send(channel);
	if (r == 0)
		do
			r = channel_receive_some(channel);
		while (r > 0);
	if (r != -EAGAIN)
		channel_end(channel, r);
}

/* Waits until a channel can go on, at most until the deadline. */
static void channels_wait(
	const struct channel *channels, size_t count, struct pollfd *polled, int64_t deadline_ms)
{
	int wait_ms = clock_left_ms(deadline_ms);
	bool is_coming = false;

	for (size_t i = 0; i < count; i++) {
		const struct channel *channel = &channels[i];
		bool is_request_out = channel->sent_bytes == channel->request_size_bytes;

		polled[i] = (struct pollfd){
			.fd = channel->connected && !channel->over ? channel->fd : -1,
			.events = is_request_out ? POLLIN : POLLOUT,
		};
		is_coming = is_coming || (!channel->over && channel->exchange->answer.size_bytes >
								    GATHER_FROM_BYTES);
		if (!channel->connected && !channel->over && wait_ms > CONNECT_AGAIN_MS)
			wait_ms = CONNECT_AGAIN_MS;
	}
	/*
	 * An answer comes in pieces of HAProxy's buffer size. Whoever is woken for each of them
	 * works in turns with HAProxy; a moment later several are there.
	 */
	if (is_coming && wait_ms > GATHER_MS) {
		clock_sleep_ms(GATHER_MS);
		wait_ms -= GATHER_MS;
	}
	poll(polled, count, wait_ms);
}

static size_t channels_advance(struct channel *channels, size_t count)
{
	size_t under_way = 0;

	for (size_t i = 0; i < count; i++) {
		if (!channels[i].over)
			channel_advance(&channels[i]);
		under_way += !channels[i].over;
	}
	return under_way;
}

void stats_socket_exchange_all(
	struct stats_socket_exchange *exchanges, size_t count, int timeout_ms)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	cleanup_free struct channel *channels = xcalloc(count, sizeof(*channels));
	cleanup_free struct pollfd *polled = xcalloc(count, sizeof(*polled));

	for (size_t i = 0; i < count; i++)
		channel_init(&channels[i], &exchanges[i]);
	while (channels_advance(channels, count) > 0 && clock_left_ms(deadline_ms) > 0)
		channels_wait(channels, count, polled, deadline_ms);
	for (size_t i = 0; i < count; i++)
		if (!channels[i].over)
			channel_end(&channels[i], -ETIMEDOUT);
}

int stats_socket_query(const char *path, const char *command, int timeout_ms,
	struct buf *ret_answer, struct err *err)
{
	struct stats_socket_exchange exchange = {
		.path = path,
		.command = command,
		.answer = *ret_answer,
	};

	stats_socket_exchange_all(&exchange, 1, timeout_ms);
	*ret_answer = exchange.answer;
	if (exchange.result < 0)
		return err_set(err, exchange.result, "%s", exchange.err.text);
	return 0;
}
