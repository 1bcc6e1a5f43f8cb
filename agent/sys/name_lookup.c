/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/name_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

/* What getaddrinfo() needs for its answers, with room to spare; glibc's default is 8 MiB. */
enum { STACK_BYTES = 512 * 1024, PORT_TEXT_MAX = 6 };

struct name_lookup {
	pthread_mutex_t lock;
	pthread_cond_t finished;
	unsigned holders; /* the caller and the thread; the last one frees */
	bool is_finished;
	char *host;
	uint16_t port;
	int gai_error; /* EAI_…, 0: address is valid */
	int system_error;
	struct socket_address address;
};

static int lookup(const char *host, uint16_t port, int flags, struct socket_address *ret_address)
{
	char port_text[PORT_TEXT_MAX];
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *found;
	int r;

	snprintf(port_text, sizeof(port_text), "%u", port);
	r = getaddrinfo(host, port_text, &hints, &found);
	if (r != 0)
		return r;
	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
	ret_address->size_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int name_lookup_numeric(const char *host, uint16_t port, struct socket_address *ret_address)
{
	return lookup(host, port, AI_NUMERICHOST, ret_address) == 0 ? 0 : -EINVAL;
}

static void *lookup_thread(void *argument)
{
	struct name_lookup *self = argument;
	struct socket_address address = {.size_bytes = 0};
	int r = lookup(self->host, self->port, 0, &address);
	int system_error = errno;

	pthread_mutex_lock(&self->lock);
	self->address = address;
	self->gai_error = r;
	self->system_error = system_error;
	self->is_finished = true;
	pthread_cond_signal(&self->finished);
	pthread_mutex_unlock(&self->lock);
	name_lookup_release(self);
	return NULL;
}

static struct name_lookup *lookup_new(const char *host, uint16_t port)
{
	struct name_lookup *self = xcalloc(1, sizeof(*self));
	pthread_condattr_t attributes;

	self->holders = 2;
	self->host = xstrdup(host);
	self->port = port;
	pthread_mutex_init(&self->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&self->finished, &attributes);
	pthread_condattr_destroy(&attributes);
	return self;
}

int name_lookup_start(
	const char *host, uint16_t port, struct name_lookup **ret_lookup, struct err *err)
{
	struct name_lookup *self = lookup_new(host, port);
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	r = pthread_create(&thread, &attributes, lookup_thread, self);
	pthread_attr_destroy(&attributes);
	if (r != 0) {
		self->holders = 1;
		name_lookup_release(self);
		return err_set_errno(err, -r, "starting a thread to look up %s", host);
	}
	*ret_lookup = self;
	return 0;
}

/* Waits for the thread; called with the lock held. */
static bool lookup_wait(struct name_lookup *self, int timeout_ms)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	struct timespec deadline = {
		.tv_sec = deadline_ms / 1000,
		.tv_nsec = deadline_ms % 1000 * 1000000,
	};
	int r = 0;

	while (!self->is_finished && timeout_ms > 0 && r == 0)
		r = pthread_cond_timedwait(&self->finished, &self->lock, &deadline);
	return self->is_finished;
}

int name_lookup_result(struct name_lookup *self, int timeout_ms, struct socket_address *ret_address,
	struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&self->lock);
	if (!lookup_wait(self, timeout_ms))
		r = err_set(err, -EAGAIN, "%s is still being looked up", self->host);
	else if (self->gai_error == EAI_SYSTEM)
		r = err_set(err, -EADDRNOTAVAIL, "looking up %s: %s", self->host,
			strerrordesc_np(self->system_error));
	else if (self->gai_error != 0)
		r = err_set(err, -EADDRNOTAVAIL, "looking up %s: %s", self->host,
			gai_strerror(self->gai_error));
	else
		*ret_address = self->address;
	pthread_mutex_unlock(&self->lock);
	return r;
}

void name_lookup_release(struct name_lookup *self)
{
	bool is_last;

	if (!self)
		return;
	pthread_mutex_lock(&self->lock);
	is_last = --self->holders == 0;
	pthread_mutex_unlock(&self->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&self->lock);
	pthread_cond_destroy(&self->finished);
	free(self->host);
	free(self);
}
