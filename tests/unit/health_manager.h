/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A health manager: a UDP socket on the loopback that checks the HMAC and reads the message.
 */
#pragma once

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "free_port.h"
#include "sys/digest.h"

struct health_manager {
	int fd;
	char target[64];   /* "127.0.0.1:PORT" */
	size_t size_bytes; /* of the last datagram */
};

static inline void health_manager_start(struct health_manager *manager)
{
	uint16_t port;

	manager->fd = free_port_bind(SOCK_DGRAM, &port);
	snprintf(manager->target, sizeof(manager->target), "127.0.0.1:%u", port);
}

/* The same port again, after health_manager_stop(). */
static inline void health_manager_restart(struct health_manager *manager)
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	name.sin_port = htons((uint16_t)strtoul(strchr(manager->target, ':') + 1, NULL, 10));
	manager->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(manager->fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		abort();
}

static inline void health_manager_stop(struct health_manager *manager)
{
	close(manager->fd);
}

/* The message of a datagram; NULL when the HMAC or the stream is wrong. The caller's reference. */
static inline json_t *health_manager_open(const char *datagram, size_t size_bytes, const char *key)
{
	static char text[8 * 1024 * 1024];
	uLongf text_size = sizeof(text);
	char hmac[SHA256_HEX_SIZE + 1];
	size_t stream_size = size_bytes - SHA256_HEX_SIZE;

	if (size_bytes <= SHA256_HEX_SIZE)
		return NULL;
	digest_hmac_sha256_hex(key, strlen(key), datagram, stream_size, hmac);
	if (memcmp(hmac, datagram + stream_size, SHA256_HEX_SIZE) != 0)
		return NULL;
	if (uncompress((Bytef *)text, &text_size, (const Bytef *)datagram, stream_size) != Z_OK)
		return NULL;
	return json_loadb(text, text_size, JSON_REJECT_DUPLICATES, NULL);
}

/* The next message; NULL when none comes in time. */
static inline json_t *health_manager_receive(
	struct health_manager *manager, const char *key, int timeout_ms)
{
	static char datagram[65536];
	struct pollfd polled = {.fd = manager->fd, .events = POLLIN};
	ssize_t got;

	if (poll(&polled, 1, timeout_ms) <= 0)
		return NULL;
	got = recv(manager->fd, datagram, sizeof(datagram), 0);
	manager->size_bytes = got < 0 ? 0 : (size_t)got;
	return health_manager_open(datagram, manager->size_bytes, key);
}
