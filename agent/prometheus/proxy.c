/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/proxy.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	/*
	 * In the kernel, for each scraper: else it lets up to 4 MiB pile up for one that does not
	 * read. The kernel doubles this, and calls a socket writable that has a third free: room
	 * for any piece.
	 */
	SEND_ROOM_BYTES = 128 * KIB,
	BIND_AGAIN_MS = 1000,
	ACCEPT_AGAIN_MS = 100, /* when there are no descriptors, say */
};

struct proxy {
	const struct proxy_options *options;
	struct exporter exporter;
	struct lvs_exporter lvs_exporter;
	int listener;
	int64_t accept_from_ms;
	struct condition not_accepting;
	struct scrape *scrapes[PROXY_CONNECTIONS_MAX];
	size_t scrape_count;
};

static int listener_open(in_port_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	int room = SEND_ROOM_BYTES;

	/* Connections that ended a moment ago must not keep a new proxy from its port. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0 ||
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, SOMAXCONN) < 0)
		return -errno;
	return take_fd(&fd);
}

/* 1: *ret_fd listens; 0: stop_fd is readable. */
static int listener_wait(in_port_t port, int stop_fd, int *ret_fd, struct err *err)
{
	CLEANUP(condition_deinit) struct condition waiting = {0};
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	for (;;) {
		struct err failure = ERR_NONE;
		int fd = listener_open(port);

		if (fd >= 0) {
			condition_clear(&waiting, "listening on 127.0.0.1:%u at last", port);
			*ret_fd = fd;
			return 1;
		}
		err_set_errno(&failure, fd, "listening on 127.0.0.1:%u", port);
		condition_raise(&waiting, fd, "%s; trying again every second", failure.text);
		if (poll(&stop, 1, BIND_AGAIN_MS) < 0 && errno != EINTR)
			return err_set_errno(err, -errno, "waiting for 127.0.0.1:%u", port);
		if (stop.revents)
			return 0;
	}
}

static void scrapes_accept(struct proxy *proxy, int64_t now_ms)
{
	while (proxy->scrape_count < PROXY_CONNECTIONS_MAX) {
		int fd = accept4(proxy->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0 && errno != EAGAIN) {
			condition_raise(&proxy->not_accepting, -errno, "accepting scrapers: %m");
			proxy->accept_from_ms = now_ms + ACCEPT_AGAIN_MS;
		}
		if (fd < 0)
			return;
		condition_clear(&proxy->not_accepting, "accepting scrapers again");
		proxy->scrapes[proxy->scrape_count++] = scrape_new(fd, &proxy->exporter,
			&proxy->lvs_exporter, &proxy->options->timeouts, now_ms);
	}
}

/* polled: what each scrape waited for, in their order. */
static void scrapes_continue(struct proxy *proxy, const struct pollfd *polled, int64_t now_ms)
{
	/* Backwards, for the last to take the place of one that is over. */
	for (size_t i = proxy->scrape_count; i-- > 0;) {
		struct scrape *scrape = proxy->scrapes[i];
		bool goes_on = true;

		if (now_ms >= scrape_deadline_ms(scrape))
			goes_on = scrape_expire(scrape, now_ms);
		else if (polled[i].revents)
			goes_on = scrape_continue(scrape, now_ms);
		if (goes_on)
			continue;
		scrape_free(scrape);
		proxy->scrapes[i] = proxy->scrapes[--proxy->scrape_count];
	}
}

/* Fills polled[0..]: the listener, stop_fd, the scrapes. Returns how long to wait. */
static int wait_prepare(const struct proxy *proxy, int stop_fd, struct pollfd *polled)
{
	int64_t now_ms = clock_now_ms();
	int64_t deadline_ms = INT64_MAX;
	bool accepts = proxy->scrape_count < PROXY_CONNECTIONS_MAX;

	if (accepts && now_ms < proxy->accept_from_ms) {
		accepts = false;
		deadline_ms = proxy->accept_from_ms;
	}
	polled[0] = (struct pollfd){.fd = accepts ? proxy->listener : -1, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
	for (size_t i = 0; i < proxy->scrape_count; i++) {
		int64_t its_deadline_ms = scrape_deadline_ms(proxy->scrapes[i]);

		polled[2 + i] = scrape_awaits(proxy->scrapes[i]);
		if (its_deadline_ms < deadline_ms)
			deadline_ms = its_deadline_ms;
	}
	return deadline_ms == INT64_MAX ? -1 : clock_left_ms(deadline_ms);
}

static int serve(struct proxy *proxy, int stop_fd, struct err *err)
{
	struct pollfd polled[2 + PROXY_CONNECTIONS_MAX];

	for (;;) {
		int timeout_ms = wait_prepare(proxy, stop_fd, polled);
		int64_t now_ms;

		if (poll(polled, 2 + proxy->scrape_count, timeout_ms) < 0) {
			if (errno == EINTR)
				continue;
			return err_set_errno(err, -errno, "waiting for scrapers");
		}
		if (polled[1].revents)
			return 0;
		now_ms = clock_now_ms();
		scrapes_continue(proxy, polled + 2, now_ms);
		if (polled[0].revents)
			scrapes_accept(proxy, now_ms);
	}
}

static void proxy_deinit(struct proxy *proxy)
{
	while (proxy->scrape_count > 0)
		scrape_free(proxy->scrapes[--proxy->scrape_count]);
	exporter_deinit(&proxy->exporter);
	lvs_exporter_deinit(&proxy->lvs_exporter);
	condition_deinit(&proxy->not_accepting);
	proxy->listener = close_fd(proxy->listener);
}

int proxy_run(const struct proxy_options *options, int stop_fd, struct err *err)
{
	CLEANUP(proxy_deinit)
	struct proxy proxy = {
		.options = options,
		.exporter = EXPORTER_INIT(options->exporter_port),
		.lvs_exporter = LVS_EXPORTER_INIT(options->base_path),
		.listener = -1,
	};
	int r = listener_wait(options->port, stop_fd, &proxy.listener, err);

	if (r <= 0)
		return r;
	log_info("serving metrics on 127.0.0.1:%u, from HAProxy's exporter on port %u",
		options->port, options->exporter_port);
	return serve(&proxy, stop_fd, err);
}
