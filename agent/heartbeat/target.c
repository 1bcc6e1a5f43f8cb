/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/target.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/condition.h"
#include "base/text.h"
#include "sys/name_lookup.h"

enum {
	/* A port that nobody listens on is refused within the round trip of a data centre. */
	REFUSAL_WAIT_MS = 50,
	LOOKUP_EVERY_MS = 5 * 60 * 1000,
	LOOKUP_AGAIN_MS = 5 * 1000, /* after a failure */
};

struct target {
	char *text;
	struct endpoint endpoint;
	bool is_name;
	struct name_lookup *lookup; /* under way, or NULL */
	int64_t lookup_started_ms;
	struct err lookup_failure;     /* of the last lookup that ended */
	struct socket_address address; /* size 0: not known yet */
	int fd;                        /* connected, or -1 */
	bool is_unproven; /* something was sent, and nothing was heard against it so far */
	struct condition failing;
};

int endpoint_parse(const char *text, struct endpoint *ret_endpoint, struct err *err)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t host_size = colon ? (size_t)(colon - text) : 0;
	bool is_bracketed = host_size >= 2 && text[0] == '[' && colon[-1] == ']';
	uint64_t port;

	if (is_bracketed) {
		host++;
		host_size -= 2;
	}
	if (host_size == 0 || host_size > TARGET_HOST_MAX || strcspn(host, "[] \t") < host_size ||
		text_parse_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return err_set(err, -EINVAL,
			"'%.300s' is no target: HOST:PORT or [IPV6]:PORT is expected, with a port "
			"from 1 to 65535",
			text);
	*ret_endpoint = (struct endpoint){.port = (in_port_t)port};
	memcpy(ret_endpoint->host, host, host_size);
	return 0;
}

static void lookup_start(struct target *target)
{
	target->lookup_started_ms = clock_now_ms();
	name_lookup_start(target->endpoint.host, target->endpoint.port, &target->lookup,
		&target->lookup_failure);
}

struct target *target_new(const char *text, const struct endpoint *endpoint)
{
	struct target *target = xcalloc(1, sizeof(*target));

	target->text = xstrdup(text);
	target->endpoint = *endpoint;
	target->fd = -1;
	target->is_name = name_lookup_numeric(endpoint->host, endpoint->port, &target->address) < 0;
	if (target->is_name)
		lookup_start(target);
	return target;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	name_lookup_release(target->lookup);
	close_fd(target->fd);
	condition_deinit(&target->failing);
	free(target->text);
	free(target);
}

static bool is_same_address(const struct socket_address *a, const struct socket_address *b)
{
	return a->size_bytes == b->size_bytes &&
	       memcmp(&a->storage, &b->storage, a->size_bytes) == 0;
}

/* Takes over a lookup that has ended; the old address stays where the new lookup failed. */
static void lookup_finish(struct target *target, int timeout_ms)
{
	struct socket_address address;
	struct err err = ERR_NONE;

	if (!target->lookup ||
		name_lookup_result(target->lookup, timeout_ms, &address, &err) == -EAGAIN)
		return;
	name_lookup_release(take_ptr(target->lookup));
	target->lookup_failure = err;
	if (err.code < 0)
		return;
	if (!is_same_address(&address, &target->address))
		target->fd = close_fd(target->fd);
	target->address = address;
}

static void lookup_start_if_older(struct target *target, int64_t age_ms)
{
	if (target->is_name && !target->lookup &&
		clock_now_ms() - target->lookup_started_ms >= age_ms)
		lookup_start(target);
}

/* 0 when there is an address to send to, an old one at worst. */
static int address_ensure(struct target *target, struct err *err)
{
	lookup_finish(target, 0);
	lookup_start_if_older(target, LOOKUP_EVERY_MS);
	if (target->address.size_bytes > 0)
		return 0;
	if (target->lookup_failure.code < 0)
		return err_set(err, target->lookup_failure.code, "%s", target->lookup_failure.text);
	return err_set(err, -EAGAIN, "%s is still being looked up", target->endpoint.host);
}

static int socket_ensure(struct target *target, struct err *err)
{
	cleanup_close int fd = -1;

	if (target->fd >= 0)
		return 0;
	fd = socket(
		target->address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(err, -errno, "making a UDP socket");
	if (connect(fd, (const struct sockaddr *)&target->address.storage,
		    target->address.size_bytes) < 0)
		return err_set_errno(err, -errno, "connecting a UDP socket");
	target->fd = take_fd(&fd);
	return 0;
}

/* What ICMP said since the last call about datagrams that had left. */
static int refusal_take(struct target *target, struct err *err)
{
	int error = 0;
	socklen_t size_bytes = sizeof(error);

	if (getsockopt(target->fd, SOL_SOCKET, SO_ERROR, &error, &size_bytes) < 0)
		error = errno;
	if (error != 0)
		return err_set_errno(err, -error, "a datagram did not arrive");
	return 0;
}

static int datagram_send(
	struct target *target, const void *datagram, size_t size_bytes, struct err *err)
{
	struct pollfd refusal = {.fd = target->fd};

	if (send(target->fd, datagram, size_bytes, MSG_NOSIGNAL) < 0)
		return err_set_errno(err, -errno, "sending %zu bytes", size_bytes);
	if (poll(&refusal, 1, REFUSAL_WAIT_MS) > 0)
		return refusal_take(target, err);
	return 0;
}

static int try_send(struct target *target, const void *datagram, size_t size_bytes, struct err *err)
{
	int r = address_ensure(target, err);

	if (r == 0)
		r = socket_ensure(target, err);
	if (r < 0)
		return r;
	r = refusal_take(target, err);
	if (r < 0)
		return r;
	if (target->is_unproven)
		condition_clear(&target->failing, "heartbeats to %s leave again", target->text);
	r = datagram_send(target, datagram, size_bytes, err);
	/* A socket keeps the source address it was connected with: a failure may come of that. */
	if (r < 0)
		target->fd = close_fd(target->fd);
	return r;
}

int target_send(struct target *target, const void *datagram, size_t size_bytes)
{
	struct err why = ERR_NONE;
	int r = try_send(target, datagram, size_bytes, &why);

	target->is_unproven = r == 0;
	if (r == 0)
		return 0;
	lookup_start_if_older(target, LOOKUP_AGAIN_MS);
	condition_raise(&target->failing, r, "no heartbeat to %s: %s", target->text, why.text);
	return r;
}

void target_wait(struct target *target, int timeout_ms)
{
	lookup_finish(target, timeout_ms);
}

const char *target_text(const struct target *target)
{
	return target->text;
}

void target_describe(const struct target *target, struct buf *ret_problems)
{
	condition_describe(&target->failing, ret_problems);
}
