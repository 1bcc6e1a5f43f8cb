/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the loopback that nobody else gets between their choice and their use, nor while they
 * are closed for a while: below the range from which the kernel takes source ports, and claimed by
 * an abstract socket until this process ends (as in tests/harness/ports.py). Behind cmocka.h.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FREE_PORT_FIRST = 10000, FREE_PORT_COUNT = 22000 };

static inline bool free_port_claim(uint16_t port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size = snprintf(
		name.sun_path + 1, sizeof(name.sun_path) - 1, "amphora-test-port-%u", port);

	if (bind(fd, (struct sockaddr *)&name,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0)
		return true; /* the descriptor is the claim */
	close(fd);
	return false;
}

/* A socket of that type, bound to a port of 127.0.0.1. */
static inline int free_port_bind(int type, uint16_t *ret_port)
{
	for (;;) {
		struct sockaddr_in name = {
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		uint16_t number;
		uint16_t port;
		int fd;

		if (getrandom(&number, sizeof(number), 0) < 0)
			abort();
		port = (uint16_t)(FREE_PORT_FIRST + number % FREE_PORT_COUNT);
		if (!free_port_claim(port))
			continue;
		name.sin_port = htons(port);
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
		if (bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0) {
			*ret_port = port;
			return fd;
		}
		close(fd); /* somebody else's, who claims nothing */
	}
}

/* A listening socket. */
static inline int listen_somewhere(uint16_t *ret_port)
{
	int fd = free_port_bind(SOCK_STREAM, ret_port);

	assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

static inline uint16_t free_port(void)
{
	uint16_t port;

	close(free_port_bind(SOCK_STREAM, &port));
	return port;
}
