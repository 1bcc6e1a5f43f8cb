/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that keeps the services of the manager "direct" running: it sees main processes end
 * (by pidfd: ours and adopted ones are the same to it), clears them away and starts them again.
 *
 * Every field of a service and the list of them belong to whoever holds the mutex. It is held while
 * a process is started, never while one is waited for. A process is taken from a service by the
 * watcher only; others wait for that with service_watcher_await_end().
 * Used by sys/service_direct.c only.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/service.h"
#include "sys/service_process.h"

struct service {
	struct service *next;
	struct service_spec spec; /* argv is NULL while only an earlier agent's record is known */
	bool wanted;
	bool claimed; /* a call is at work on it: the watcher does not start it, nor drop it */

	struct service_process process;
	int64_t due_ms;   /* when to start it again */
	int64_t pause_ms; /* from its next end to the start after that */
	unsigned restart_count;
};

struct service_watcher {
	const char *folder; /* of the records; the manager's */
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a process has ended; free for other news as well */
	struct service *services;
	int wake_fd; /* eventfd */
	bool ending;
	bool started;
	pthread_t thread;
};

int service_watcher_init(struct service_watcher *watcher, const char *folder, struct err *err);
int service_watcher_start(struct service_watcher *watcher, struct err *err);
/* Ends the thread and forgets the services; what runs goes on running. */
void service_watcher_deinit(struct service_watcher *watcher);

/* All below with the mutex held. */

struct service *service_watcher_find(struct service_watcher *watcher, const char *name);
/* A new one, not wanted yet. */
struct service *service_watcher_add(struct service_watcher *watcher, const char *name);
/* Forgets it if it is neither wanted, nor claimed, nor running. */
void service_watcher_drop_unused(struct service_watcher *watcher, struct service *service);
/* To be called after every change. */
void service_watcher_wake(struct service_watcher *watcher);
/* Gives up the mutex meanwhile. False when the service still has a process after timeout_ms. */
bool service_watcher_await_end(
	struct service_watcher *watcher, struct service *service, int timeout_ms);
