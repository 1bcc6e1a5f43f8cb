/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two throw-away network namespaces joined by a veth pair, for cmocka's group setup and teardown:
 * an amphora's, with `eth1`, and that of a neighbour of its, with `peer1`.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "sys/network_namespace.h"
#include "sys/process.h"

#define AMPHORA_V4 "192.0.2.1"
#define PEER_V4    "192.0.2.2"
#define AMPHORA_V6 "2001:db8::1"
#define PEER_V6    "2001:db8::2"

/* Their names; "" when we may not make any. */
static char amphora[32];
static char peer[32];

/* What the shell command writes, the caller's to free; it must succeed. */
__attribute__((format(printf, 1, 2))) static inline char *output_of(const char *format, ...)
{
	char command[2048];
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(4 * MIB);
	va_list arguments;
	int status = -1;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (process_run(&spec, 60000, &output, &status, NULL) < 0 || status != 0)
		fail_msg("%s: status %d: %s", command, status, buf_text(&output));
	return output.size_bytes ? buf_take_text(&output) : xstrdup("");
}

#define shell(...)                                                                                 \
	do {                                                                                       \
		cleanup_free char *output_ = output_of(__VA_ARGS__);                               \
	} while (0)

/*
 * Nobody waits there for duplicate addresses, without whose detection a link-local address cannot
 * ask for its neighbours, and no refusal is one too many in a second.
 */
static inline void quicken(const char *namespace)
{
	shell("ip netns exec %s sysctl -qw net.ipv6.conf.all.accept_dad=0 "
	      "net.ipv6.conf.default.accept_dad=0 net.ipv4.icmp_ratelimit=0 "
	      "net.ipv6.icmp.ratelimit=0",
		namespace);
}

static inline int veth_network_setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	snprintf(amphora, sizeof(amphora), "unit-amphora-%d", getpid());
	snprintf(peer, sizeof(peer), "unit-peer-%d", getpid());
	shell("ip netns add %s && ip netns add %s", amphora, peer);
	quicken(amphora);
	quicken(peer);
	shell("ip link add eth1 netns %s type veth peer name peer1 netns %s", amphora, peer);
	shell("ip -n %s link set lo up && ip -n %s link set eth1 up", amphora, amphora);
	shell("ip -n %s link set lo up && ip -n %s link set peer1 up", peer, peer);
	shell("ip -n %s address add " AMPHORA_V4 "/24 dev eth1", amphora);
	shell("ip -n %s address add " AMPHORA_V6 "/64 dev eth1 nodad", amphora);
	shell("ip -n %s address add " PEER_V4 "/24 dev peer1", peer);
	shell("ip -n %s address add " PEER_V6 "/64 dev peer1 nodad", peer);
	return 0;
}

static inline int veth_network_teardown(void **state)
{
	(void)state;
	if (amphora[0])
		shell("ip netns del %s; ip netns del %s", amphora, peer);
	return 0;
}

static inline void skip_without_network(void)
{
	if (!amphora[0]) {
		print_message("         (needs root)\n");
		skip();
	}
}

/* Moves the thread; it comes back with the end of the scope. */
#define stay_in(namespace)                                                                         \
	cleanup_network_namespace struct network_namespace_stay stay_ =                            \
		NETWORK_NAMESPACE_STAY_NONE;                                                       \
	assert_int_equal(network_namespace_enter(namespace, &stay_, NULL), 0)

/* A socket that belongs to the namespace from now on. */
static inline int socket_in(const char *namespace, int family, int type, int protocol)
{
	static const struct timeval patience = {.tv_sec = 20};
	int fd;

	stay_in(namespace);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

/* The socket address of text and port; returns its length. */
static inline socklen_t endpoint(
	const char *text, in_port_t port, struct sockaddr_storage *ret_sockaddr)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address_to_sockaddr(&address, port, ret_sockaddr);
}

static inline int family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static inline void bind_to(int fd, const char *text, in_port_t port)
{
	struct sockaddr_storage at;
	socklen_t size = endpoint(text, port, &at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
}

#define with_veth_network(name, tests)                                                             \
	cmocka_run_group_tests_name(name, tests, veth_network_setup, veth_network_teardown)
