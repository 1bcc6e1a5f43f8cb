/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/exporter.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static int start_connecting(int fd, in_port_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
		errno != EINPROGRESS)
		return -errno;
	return 0;
}

int exporter_connect(struct exporter *exporter, int *ret_fd, struct err *err)
{
	cleanup_close int fd = -1;
	int r;

	if (exporter->scrape_count >= EXPORTER_SCRAPES_MAX) {
		condition_raise(&exporter->crowded, -EBUSY,
			"%d scrapes are under way, further ones are answered 503: let fewer "
			"scrapers "
			"ask, or less often",
			EXPORTER_SCRAPES_MAX);
		return err_set(err, -EBUSY, "%d scrapes are under way", EXPORTER_SCRAPES_MAX);
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, -errno, "opening a socket");
	r = start_connecting(fd, exporter->port);
	if (r < 0)
		return err_set_errno(err, r, "connecting");
	exporter->scrape_count++;
	*ret_fd = take_fd(&fd);
	return 0;
}

int exporter_request(const struct exporter *exporter, int fd, struct err *err)
{
	char text[128];
	int size = snprintf(text, sizeof(text),
		"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
		exporter->port);
	int failure = 0;
	socklen_t failure_size = sizeof(failure);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &failure_size) < 0)
		failure = errno;
	if (failure)
		return err_set_errno(err, -failure, "connecting");
	/* A fresh connection has room for so little. */
	if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
		return err_set_errno(err, -EIO, "asking");
	return 0;
}

int exporter_close(struct exporter *exporter, int fd)
{
	if (fd < 0)
		return -1;
	exporter->scrape_count--;
	if (exporter->scrape_count == 0)
		condition_clear(&exporter->crowded, "all scrapes are served again");
	return close_fd(fd);
}

void exporter_has_failed(struct exporter *exporter, const struct err *err)
{
	condition_raise(&exporter->failing, err->code,
		"HAProxy's exporter at 127.0.0.1:%u: %s; scrapes fail until it answers: does "
		"HAProxy "
		"run, with a listener of protocol PROMETHEUS?",
		exporter->port, err->text);
}

void exporter_has_answered(struct exporter *exporter)
{
	condition_clear(
		&exporter->failing, "HAProxy's exporter at 127.0.0.1:%u answers", exporter->port);
}

void exporter_deinit(struct exporter *exporter)
{
	condition_deinit(&exporter->failing);
	condition_deinit(&exporter->crowded);
	buf_deinit(&exporter->translated);
}
