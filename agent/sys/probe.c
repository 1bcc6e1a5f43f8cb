/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/probe.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/sctp_packet.h"

/* An answer is read so far; no larger one means anything to us. */
enum { ANSWER_MAX_BYTES = 2048 };

/* A question under way. */
struct probe {
	int fd; /* connected: only the peer's packets and the ICMP errors about it arrive */
	struct address address;
	int64_t deadline_ms;
	bool has_ip_header; /* packets arrive with their IPv4 header before them */
};

static struct probe probe_begin(const struct address *address, int timeout_ms)
{
	return (struct probe){
		.fd = -1, .address = *address, .deadline_ms = clock_now_ms() + timeout_ms};
}

static void probe_end(struct probe *probe)
{
	probe->fd = close_fd(probe->fd);
}
#define cleanup_probe CLEANUP(probe_end)

/* what: for the error's text. port: 0 where the protocol has none, or the packet holds it. */
static int probe_open(struct probe *probe, int type, int protocol, uint16_t port, const char *what,
	struct err *err)
{
	struct sockaddr_storage peer;
	socklen_t size = address_to_sockaddr(&probe->address, port, &peer);
	char text[ADDRESS_TEXT_MAX];
	cleanup_close int fd =
		socket(probe->address.family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	address_format(&probe->address, text);
	if (fd < 0)
		return err_set_errno(err, -errno, "making a socket for %s", what);
	if (connect(fd, (struct sockaddr *)&peer, size) < 0)
		return err_set_errno(err, -errno, "%s to %s", what, text);
	probe->fd = take_fd(&fd);
	probe->has_ip_header = type == SOCK_RAW && probe->address.family == AF_INET;
	return 0;
}

static int probe_send(
	const struct probe *probe, const void *packet, size_t size_bytes, struct err *err)
{
	if (send(probe->fd, packet, size_bytes, MSG_NOSIGNAL) < 0)
		return err_set_errno(err, -errno, "sending");
	return 0;
}

static const uint8_t *ip_header_skip(const uint8_t *packet, size_t *size_bytes)
{
	size_t header = *size_bytes > 0 ? (size_t)(packet[0] & 0xf) * 4 : 0;

	if (header > *size_bytes)
		header = *size_bytes;
	*size_bytes -= header;
	return packet + header;
}

/*
 * The next packet of the peer, without IP header: its size, -ETIMEDOUT, or what ICMP says of the
 * peer. *ret_packet points into buffer.
 */
static ssize_t probe_receive(const struct probe *probe, uint8_t buffer[static ANSWER_MAX_BYTES],
	const uint8_t **ret_packet)
{
	struct pollfd ready = {.fd = probe->fd, .events = POLLIN};
	ssize_t received;
	size_t size;

	do {
		if (poll(&ready, 1, clock_left_ms(probe->deadline_ms)) == 0)
			return -ETIMEDOUT;
		received = recv(probe->fd, buffer, ANSWER_MAX_BYTES, 0);
	} while (received < 0 && (errno == EAGAIN || errno == EINTR));
	if (received < 0)
		return -errno;
	size = (size_t)received;
	*ret_packet = probe->has_ip_header ? ip_header_skip(buffer, &size) : buffer;
	return (ssize_t)size;
}

static enum probe_result result_of_error(ssize_t error)
{
	return error == -ETIMEDOUT ? PROBE_SILENT : PROBE_OTHER;
}

static int random_fill(void *data, size_t size_bytes, struct err *err)
{
	if (getrandom(data, size_bytes, 0) != (ssize_t)size_bytes)
		return err_set_errno(err, -errno, "getting random bytes");
	return 0;
}

static int attempt_make(uint16_t port, struct sctp_attempt *ret_attempt, struct err *err)
{
	struct sctp_attempt attempt;
	int r = random_fill(&attempt, sizeof(attempt), err);

	if (r < 0)
		return r;
	attempt.destination_port = port;
	attempt.source_port |= 0x8000; /* not one that a server here may have */
	if (attempt.tag == 0)
		attempt.tag = 1;
	*ret_attempt = attempt;
	return 0;
}

static enum probe_result sctp_await(const struct probe *probe, const struct sctp_attempt *attempt)
{
	uint8_t buffer[ANSWER_MAX_BYTES];
	uint8_t abort_packet[SCTP_ABORT_SIZE_BYTES];
	const uint8_t *packet;
	uint32_t peer_tag;

	for (;;) {
		ssize_t size = probe_receive(probe, buffer, &packet);

		if (size < 0)
			return result_of_error(size);
		switch (sctp_answer_parse(attempt, packet, (size_t)size, &peer_tag)) {
		case SCTP_ANSWER_INIT_ACK:
			/* Lost, the peer's own timer forgets us. */
			sctp_abort_build(attempt, peer_tag, abort_packet);
			probe_send(probe, abort_packet, sizeof(abort_packet), NULL);
			return PROBE_ANSWERED;
		case SCTP_ANSWER_ABORT:
			return PROBE_REFUSED;
		case SCTP_ANSWER_OTHER:
			return PROBE_OTHER;
		case SCTP_ANSWER_NONE:
			break;
		}
	}
}

int probe_sctp(const struct address *address, uint16_t port, int timeout_ms,
	enum probe_result *ret_result, struct err *err)
{
	cleanup_probe struct probe probe = probe_begin(address, timeout_ms);
	uint8_t init[SCTP_INIT_SIZE_BYTES];
	struct sctp_attempt attempt;
	int r = attempt_make(port, &attempt, err);

	if (r < 0)
		return r;
	r = probe_open(&probe, SOCK_RAW, IPPROTO_SCTP, 0, "SCTP", err);
	if (r < 0)
		return r;
	sctp_init_build(&attempt, init);
	r = probe_send(&probe, init, sizeof(init), err);
	if (r < 0)
		return r;
	*ret_result = sctp_await(&probe, &attempt);
	return 0;
}

int probe_udp(const struct address *address, uint16_t port, int timeout_ms,
	enum probe_result *ret_result, struct err *err)
{
	cleanup_probe struct probe probe = probe_begin(address, timeout_ms);
	uint8_t buffer[ANSWER_MAX_BYTES];
	const uint8_t *packet;
	ssize_t size;
	int r = probe_open(&probe, SOCK_DGRAM, 0, port, "UDP", err);

	if (r < 0)
		return r;
	/* The byte that `nc -uz` sends; some servers never see an empty datagram. */
	r = probe_send(&probe, "X", 1, err);
	if (r < 0)
		return r;
	size = probe_receive(&probe, buffer, &packet);
	if (size >= 0)
		*ret_result = PROBE_ANSWERED;
	else
		*ret_result = size == -ECONNREFUSED ? PROBE_REFUSED : result_of_error(size);
	return 0;
}

/* An echo request of either family: ICMP's header and as much data as ping sends. */
struct echo {
	struct icmphdr header;
	uint8_t data[56]; /* random: the echo is known by it */
};

_Static_assert(sizeof(struct icmphdr) == sizeof(struct icmp6_hdr), "the headers look the same");

static uint16_t internet_checksum(const void *data, size_t size_bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size_bytes; i += 2) {
		uint16_t word;

		memcpy(&word, (const uint8_t *)data + i, sizeof(word));
		sum += word;
	}
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

/* The kernel puts its own id into what an unprivileged socket sends, and ICMPv6's checksum. */
static int echo_make(int family, struct echo *ret_echo, struct err *err)
{
	struct echo echo = {.header = {.un.echo.sequence = htons(1)}};
	int r = random_fill(echo.data, sizeof(echo.data), err);

	if (r < 0)
		return r;
	memcpy(&echo.header.un.echo.id, echo.data, sizeof(echo.header.un.echo.id));
	echo.header.type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	if (family == AF_INET)
		echo.header.checksum = internet_checksum(&echo, sizeof(echo));
	*ret_echo = echo;
	return 0;
}

static bool is_echo_of(
	int family, const struct echo *sent, const uint8_t *packet, size_t size_bytes)
{
	uint8_t type = family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	return size_bytes == sizeof(*sent) && packet[0] == type &&
	       memcmp(packet + offsetof(struct echo, data), sent->data, sizeof(sent->data)) == 0;
}

static enum probe_result echo_await(const struct probe *probe, const struct echo *sent)
{
	uint8_t buffer[ANSWER_MAX_BYTES];
	const uint8_t *packet;

	for (;;) {
		ssize_t size = probe_receive(probe, buffer, &packet);

		if (size < 0)
			return result_of_error(size);
		if (is_echo_of(probe->address.family, sent, packet, (size_t)size))
			return PROBE_ANSWERED;
	}
}

int probe_ping(const struct address *address, int timeout_ms, enum probe_result *ret_result,
	struct err *err)
{
	cleanup_probe struct probe probe = probe_begin(address, timeout_ms);
	int protocol = address->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct echo echo;
	int r = echo_make(address->family, &echo, err);

	if (r < 0)
		return r;
	r = probe_open(&probe, SOCK_DGRAM, protocol, 0, "ping", err);
	if (r == -EACCES)
		r = probe_open(&probe, SOCK_RAW, protocol, 0, "ping", err);
	if (r < 0)
		return r;
	r = probe_send(&probe, &echo, sizeof(echo), err);
	if (r < 0)
		return r;
	*ret_result = echo_await(&probe, &echo);
	return 0;
}
