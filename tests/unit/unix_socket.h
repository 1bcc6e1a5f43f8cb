/* SPDX-License-Identifier: Apache-2.0 */
/* Stream sockets of AF_UNIX, by their path. Behind cmocka.h. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

static inline struct sockaddr_un unix_socket_name(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return name;
}

static inline int unix_socket_listen(const char *path)
{
	struct sockaddr_un name = unix_socket_name(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

/* -1: nobody listens there. */
static inline int unix_socket_connect(const char *path)
{
	struct sockaddr_un name = unix_socket_name(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The file is there a moment before somebody listens. */
static inline bool unix_socket_has_listener(const char *path)
{
	cleanup_close int fd = unix_socket_connect(path);

	return fd >= 0;
}
