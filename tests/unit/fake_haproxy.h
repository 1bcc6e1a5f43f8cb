/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stats socket served by a thread: answers every command with one text, or hangs like a HAProxy
 * that was stopped with SIGSTOP (the kernel takes the connection, nobody reads).
 */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

/* The first line of an answer with these columns, and its rows. */
#define STAT_HEADER "# pxname,svname,scur,stot,bin,bout,ereq,status,weight,type,\n"
#define STAT_FRONTEND(name, scur, stot, bin, bout, ereq)                                           \
	name ",FRONTEND," #scur "," #stot "," #bin "," #bout "," #ereq ",OPEN,,0,\n"
#define STAT_SERVER(proxy, name, status, weight)                                                   \
	proxy "," name ",0,0,0,0,," status "," #weight ",2,\n"
#define STAT_BACKEND(proxy, status) proxy ",BACKEND,0,0,0,0,," status ",1,1,\n"
#define STAT_END                    "\n"

struct fake_haproxy {
	struct sockaddr_un name;
	int listener;
	int stop; /* eventfd */
	pthread_t thread;
	pthread_mutex_t lock;
	char *answer;
	char command[128]; /* the last one received */
	atomic_bool is_frozen;
	atomic_uint asked;
};

static inline void fake_haproxy_answer(struct fake_haproxy *fake, const char *answer)
{
	pthread_mutex_lock(&fake->lock);
	free(fake->answer);
	fake->answer = xstrdup(answer);
	pthread_mutex_unlock(&fake->lock);
}

static inline void fake_haproxy_serve_one(struct fake_haproxy *fake)
{
	int fd = accept(fake->listener, NULL, NULL);
	ssize_t got = read(fd, fake->command, sizeof(fake->command) - 1);
	size_t sent = 0;

	if (got <= 0) { /* gone before it asked */
		close(fd);
		return;
	}
	fake->command[got] = '\0';
	fake->asked++; /* who has the answer may look at it */
	pthread_mutex_lock(&fake->lock);
	while (sent < strlen(fake->answer)) {
		ssize_t r =
			send(fd, fake->answer + sent, strlen(fake->answer) - sent, MSG_NOSIGNAL);

		if (r <= 0)
			break; /* the other side has given up */
		sent += (size_t)r;
	}
	pthread_mutex_unlock(&fake->lock);
	close(fd);
}

static inline void *fake_haproxy_thread(void *argument)
{
	struct fake_haproxy *fake = argument;

	for (;;) {
		struct pollfd polled[] = {
			{.fd = fake->stop, .events = POLLIN},
			{.fd = fake->is_frozen ? -1 : fake->listener, .events = POLLIN},
		};

		poll(polled, 2, 10);
		if (polled[0].revents)
			return NULL;
		if (polled[1].revents && !fake->is_frozen)
			fake_haproxy_serve_one(fake);
	}
}

static inline void fake_haproxy_start(
	struct fake_haproxy *fake, const char *path, const char *answer)
{
	*fake = (struct fake_haproxy){.name = {.sun_family = AF_UNIX}};
	pthread_mutex_init(&fake->lock, NULL);
	snprintf(fake->name.sun_path, sizeof(fake->name.sun_path), "%s", path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&fake->name, sizeof(fake->name)) < 0 ||
		listen(fake->listener, 8) < 0)
		abort();
	fake->stop = eventfd(0, EFD_CLOEXEC);
	fake_haproxy_answer(fake, answer);
	pthread_create(&fake->thread, NULL, fake_haproxy_thread, fake);
}

/* The socket goes too, as when HAProxy ends. */
static inline void fake_haproxy_stop(struct fake_haproxy *fake)
{
	eventfd_write(fake->stop, 1);
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	close(fake->stop);
	unlink(fake->name.sun_path);
	pthread_mutex_destroy(&fake->lock);
	free(fake->answer);
}
