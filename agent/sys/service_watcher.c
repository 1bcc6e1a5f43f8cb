/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service_watcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/service_record.h"
#include "sys/service_spec.h"

enum {
	PAUSE_FIRST_MS = 100,
	PAUSE_MAX_MS = 30000,
	LONG_RUN_MS = 10000, /* what ran so long before is started again at once */
};

struct service *service_watcher_find(struct service_watcher *watcher, const char *name)
{
	for (struct service *service = watcher->services; service; service = service->next)
		if (text_equal(service->spec.name, name))
			return service;
	return NULL;
}

struct service *service_watcher_add(struct service_watcher *watcher, const char *name)
{
	struct service *service = xcalloc(1, sizeof(*service));

	service_spec_copy(&(struct service_spec){.name = name}, &service->spec);
	service->process = SERVICE_PROCESS_NONE;
	service->next = watcher->services;
	watcher->services = service;
	return service;
}

static void service_free(struct service *service)
{
	service_process_deinit(&service->process);
	service_spec_deinit(&service->spec);
	free(service);
}

/* Forgets a service that nobody wants, waits for, or works on. */
void service_watcher_drop_unused(struct service_watcher *watcher, struct service *unused)
{
	if (unused->wanted || unused->claimed || unused->process.pidfd >= 0)
		return;
	for (struct service **at = &watcher->services; *at; at = &(*at)->next)
		if (*at == unused) {
			*at = unused->next;
			service_free(unused);
			return;
		}
}

/* At once the first time, then after growing pauses. */
static void restart_schedule(struct service *service, int64_t age_ms)
{
	if (age_ms >= LONG_RUN_MS)
		service->pause_ms = 0;
	service->due_ms = clock_now_ms() + service->pause_ms;
	if (service->pause_ms == 0)
		service->pause_ms = PAUSE_FIRST_MS;
	else if (service->pause_ms < PAUSE_MAX_MS / 2)
		service->pause_ms *= 2;
	else
		service->pause_ms = PAUSE_MAX_MS;
}

static void restart(struct service_watcher *watcher, struct service *service)
{
	struct err err = ERR_NONE;

	service->restart_count++;
	if (service_process_start(watcher->folder, &service->spec, &service->process, &err) < 0) {
		restart_schedule(service, 0);
		log_error("service %s: %s; trying again in %d ms", service->spec.name, err.text,
			clock_left_ms(service->due_ms));
		return;
	}
	log_info("service %s started again (pid %d)", service->spec.name, service->process.pid);
}

/* Its main process has ended: clears it away, which may take several rounds. */
static void end_handle(struct service_watcher *watcher, struct service *service)
{
	const char *name = service->spec.name;
	int64_t age_ms = service_process_age_ms(&service->process);
	pid_t pid = service->process.pid;
	char end[SERVICE_PROCESS_END_MAX];

	if (!service_process_clear(&service->process, end))
		return;
	pthread_cond_broadcast(&watcher->changed);
	if (service->wanted && !service->claimed) {
		restart_schedule(service, age_ms);
		log_warning("service %s (pid %d) has ended (%s); starting it again in %d ms", name,
			pid, end, clock_left_ms(service->due_ms));
		return;
	}
	log_info("service %s (pid %d) has ended (%s)", name, pid, end);
	if (!service->claimed)
		service_record_remove(watcher->folder, name, NULL);
}

static void service_look_after(struct service_watcher *watcher, struct service *service)
{
	if (service->process.pidfd >= 0 && !service_process_is_alive(&service->process))
		end_handle(watcher, service);
	if (service->process.pidfd < 0 && service->wanted && !service->claimed &&
		clock_left_ms(service->due_ms) == 0)
		restart(watcher, service);
	service_watcher_drop_unused(watcher, service);
}

/* When to look after it again, other than when its process ends; -1: then only. */
static int service_wait_ms(const struct service *service)
{
	if (service->process.clear_deadline_ms)
		return SERVICE_PROCESS_CLEAR_STEP_MS;
	if (service->process.pidfd < 0 && service->wanted && !service->claimed)
		return clock_left_ms(service->due_ms);
	return -1;
}

/* What to poll next, and for how long (-1: no limit); the caller frees it. */
static struct pollfd *watch_list(
	struct service_watcher *watcher, nfds_t *ret_count, int *ret_timeout_ms)
{
	struct pollfd *fds;
	size_t at = 0;

	*ret_count = 1;
	for (struct service *service = watcher->services; service; service = service->next)
		++*ret_count;
	fds = xcalloc(*ret_count, sizeof(*fds));
	fds[at++] = (struct pollfd){.fd = watcher->wake_fd, .events = POLLIN};
	*ret_timeout_ms = -1;
	for (struct service *service = watcher->services; service; service = service->next) {
		int wait_ms = service_wait_ms(service);

		/* poll() passes over a descriptor of -1; one being cleared is always readable. */
		fds[at++] = (struct pollfd){
			.fd = service->process.clear_deadline_ms ? -1 : service->process.pidfd,
			.events = POLLIN,
		};
		if (wait_ms >= 0 && (*ret_timeout_ms < 0 || wait_ms < *ret_timeout_ms))
			*ret_timeout_ms = wait_ms;
	}
	return fds;
}

static void *watcher_run(void *context)
{
	struct service_watcher *watcher = context;

	pthread_mutex_lock(&watcher->mutex);
	while (!watcher->ending) {
		cleanup_free struct pollfd *fds = NULL;
		struct service *next;
		eventfd_t wakes;
		int timeout_ms;
		nfds_t count;

		for (struct service *service = watcher->services; service; service = next) {
			next = service->next;
			service_look_after(watcher, service);
		}
		fds = watch_list(watcher, &count, &timeout_ms);
		pthread_mutex_unlock(&watcher->mutex);
		poll(fds, count, timeout_ms);
		eventfd_read(watcher->wake_fd, &wakes);
		pthread_mutex_lock(&watcher->mutex);
	}
	pthread_mutex_unlock(&watcher->mutex);
	return NULL;
}

void service_watcher_wake(struct service_watcher *watcher)
{
	eventfd_write(watcher->wake_fd, 1);
}

bool service_watcher_await_end(
	struct service_watcher *watcher, struct service *service, int timeout_ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	while (service->process.pidfd >= 0)
		if (pthread_cond_timedwait(&watcher->changed, &watcher->mutex, &deadline) != 0)
			break;
	return service->process.pidfd < 0;
}

int service_watcher_init(struct service_watcher *watcher, const char *folder, struct err *err)
{
	pthread_condattr_t attributes;

	*watcher = (struct service_watcher){.folder = folder};
	pthread_mutex_init(&watcher->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watcher->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	watcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watcher->wake_fd < 0)
		return err_set_errno(err, -errno, "making an eventfd");
	return 0;
}

int service_watcher_start(struct service_watcher *watcher, struct err *err)
{
	sigset_t all;
	sigset_t before;
	int r;

	/* Signals are for the thread that waits for them, which is not this one. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&watcher->thread, NULL, watcher_run, watcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_set_errno(err, -r, "starting the thread that watches services");
	watcher->started = true;
	return 0;
}

void service_watcher_deinit(struct service_watcher *watcher)
{
	if (watcher->started) {
		pthread_mutex_lock(&watcher->mutex);
		watcher->ending = true;
		service_watcher_wake(watcher);
		pthread_mutex_unlock(&watcher->mutex);
		pthread_join(watcher->thread, NULL);
	}
	while (watcher->services) {
		struct service *service = watcher->services;

		watcher->services = service->next;
		service_free(service);
	}
	close_fd(watcher->wake_fd);
	pthread_cond_destroy(&watcher->changed);
	pthread_mutex_destroy(&watcher->mutex);
}
