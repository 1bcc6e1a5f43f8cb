/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/answer_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { BACKLOG = 8, QUESTION_TIMEOUT_MS = 100, ANSWER_TIMEOUT_MS = 400, QUESTION_MAX_BYTES = 64 };

int answer_socket_open(const char *path, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	cleanup_close int fd = -1;

	if (strlen(path) >= sizeof(name.sun_path))
		return err_set_errno(err, -ENAMETOOLONG, "listening on %s", path);
	memcpy(name.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode first: a socket file is born with it. */
	if (fd < 0 || fchmod(fd, 0600) < 0 || (unlink(path) < 0 && errno != ENOENT) ||
		bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
		listen(fd, BACKLOG) < 0)
		return err_set_errno(err, -errno, "listening on %s", path);
	return take_fd(&fd);
}

static bool wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd polled = {.fd = fd, .events = events};

	return poll(&polled, 1, clock_left_ms(deadline_ms)) > 0;
}

/* Takes in a line: what was not read would reset the connection under our answer. */
static bool question_read(int fd)
{
	int64_t deadline_ms = clock_now_ms() + QUESTION_TIMEOUT_MS;
	char text[QUESTION_MAX_BYTES];
	ssize_t size;

	do {
		if (!wait_for(fd, POLLIN, deadline_ms))
			return false;
		size = recv(fd, text, sizeof(text), 0);
		if (size <= 0)
			return false;
	} while (!memchr(text, '\n', (size_t)size));
	return true;
}

static void answer_send(int fd, const char *text, size_t size_bytes)
{
	int64_t deadline_ms = clock_now_ms() + ANSWER_TIMEOUT_MS;

	while (size_bytes > 0 && wait_for(fd, POLLOUT, deadline_ms)) {
		ssize_t sent = send(fd, text, size_bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (sent < 0)
			continue;
		text += sent;
		size_bytes -= (size_t)sent;
	}
}

void answer_socket_serve(int listener, void (*make_answer)(void *context, struct buf *ret_answer),
	void *context, size_t answer_max_bytes)
{
	cleanup_close int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	cleanup_buf struct buf answer = BUF_INIT(answer_max_bytes);

	if (fd < 0 || !question_read(fd))
		return;
	make_answer(context, &answer);
	if (buf_error(&answer) == 0)
		answer_send(fd, buf_text(&answer), answer.size_bytes);
}
