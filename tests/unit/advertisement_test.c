/* SPDX-License-Identifier: Apache-2.0 */
#include "net/advertisement.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "captured_log.h"
#include "eventually.h"
#include "veth_network.h"

#define AMPHORA_MAC   "02:00:00:00:00:a1"
#define AMPHORA_BYTES 0x02, 0x00, 0x00, 0x00, 0x00, 0xa1
#define OTHER_MAC     "02:00:00:00:00:b2"

enum { FRAME_MAX = 256, QUIET_MS = 300 };

static int set_up(void **state)
{
	if (veth_network_setup(state) == 0 && amphora[0])
		shell("ip -n %s link set eth1 address " AMPHORA_MAC, amphora);
	return 0;
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

/* Sees every frame that comes to the peer from now on. */
static int listener(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket_in(peer, AF_PACKET, SOCK_RAW, 0);

	{
		stay_in(peer);
		at.sll_ifindex = (int)if_nametoindex("peer1");
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static bool is_advertisement(const unsigned char *frame, size_t size)
{
	static const unsigned char arp[] = {0x08, 0x06};
	static const unsigned char ipv6[] = {0x86, 0xdd};

	if (size > 14 && memcmp(frame + 12, arp, sizeof(arp)) == 0)
		return true;
	return size > 54 && memcmp(frame + 12, ipv6, sizeof(ipv6)) == 0 && frame[20] == 58 &&
	       frame[54] == 136;
}

/* The next frame of ARP or neighbour advertisement that the amphora sends; 0: none comes. */
static size_t next_advertisement(int fd, unsigned char frame[static FRAME_MAX])
{
	static const unsigned char amphora_mac[] = {AMPHORA_BYTES};
	static const struct timeval patience = {.tv_usec = QUIET_MS * 1000};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	for (;;) {
		ssize_t size = recv(fd, frame, FRAME_MAX, 0);

		if (size <= 0)
			return 0;
		if (memcmp(frame + 6, amphora_mac, sizeof(amphora_mac)) == 0 &&
			is_advertisement(frame, (size_t)size))
			return (size_t)size;
	}
}

static void advertise(const char *text)
{
	struct address address = address_of(text);
	struct err err = ERR_NONE;

	stay_in(amphora);
	if (advertisement_send("eth1", &address, &err) < 0)
		fail_msg("%s", err.text);
}

static void an_ipv4_address_is_told_byte_for_byte(void **state)
{
	static const unsigned char expected[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, AMPHORA_BYTES, 0x08, 0x06, /* Ethernet */
		0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,                      /* request */
		AMPHORA_BYTES, 192, 0, 2, 1,                                   /* sender */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 192, 0, 2, 1,              /* target */
	};
	unsigned char frame[FRAME_MAX];
	cleanup_close int fd = -1;

	(void)state;
	skip_without_network();
	fd = listener();
	advertise(AMPHORA_V4);
	assert_int_equal(next_advertisement(fd, frame), sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_int_equal(next_advertisement(fd, frame), 0);
}

/* The Internet checksum over the pseudo-header and the message: 0 when it is right. */
static unsigned icmpv6_checksum(const unsigned char *packet, size_t size)
{
	unsigned sum = 58 + (unsigned)size - 40;

	for (size_t i = 8; i < size; i += 2)
		sum += (unsigned)packet[i] << 8 | packet[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void an_ipv6_address_is_told_byte_for_byte(void **state)
{
	static const unsigned char expected[] = {
		0x33, 0x33, 0x00, 0x00, 0x00, 0x01, AMPHORA_BYTES, 0x86, 0xdd, /* Ethernet */
		0x60, 0, 0, 0, 0, 32, 58, 255,                                 /* IPv6 */
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,    /* source */
		0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,          /* ff02::1 */
		136, 0, 0, 0, 0xa0, 0, 0, 0,                                /* router, override */
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, /* target */
		2, 1, AMPHORA_BYTES,                                        /* its link address */
	};
	unsigned char frame[FRAME_MAX];
	cleanup_close int fd = -1;

	(void)state;
	skip_without_network();
	fd = listener();
	advertise(AMPHORA_V6);
	assert_int_equal(next_advertisement(fd, frame), sizeof(expected));
	assert_int_equal(icmpv6_checksum(frame + 14, sizeof(expected) - 14), 0);
	/* The flow label is the kernel's to choose, the checksum was looked at. */
	frame[15] &= 0xf0;
	memset(frame + 16, 0, 2);
	memset(frame + 56, 0, 2);
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_int_equal(next_advertisement(fd, frame), 0);
}

/* Whether the peer takes the MAC for the address's. */
static bool neighbour_is(const char *address, const char *mac)
{
	cleanup_free char *entry = output_of("ip -n %s neigh show to %s", peer, address);

	return strstr(entry, mac) != NULL;
}

static void assert_neighbour_learns(const char *address)
{
	shell("ip -n %s neigh replace %s lladdr " OTHER_MAC " dev peer1 nud reachable", peer,
		address);
	assert_true(neighbour_is(address, OTHER_MAC));
	advertise(address);
	assert_soon(neighbour_is(address, AMPHORA_MAC));
}

static void a_neighbour_learns_who_has_the_address_now(void **state)
{
	(void)state;
	skip_without_network();
	assert_neighbour_learns(AMPHORA_V4);
	assert_neighbour_learns(AMPHORA_V6);
}

static void a_link_that_is_none_or_no_ethernet_is_an_error(void **state)
{
	struct address v4 = address_of("127.0.0.1");
	struct address v6 = address_of("::1");
	struct err err = ERR_NONE;

	(void)state;
	skip_without_network();
	{
		stay_in(amphora);
		assert_int_equal(advertisement_send("lo", &v4, &err), -EOPNOTSUPP);
		assert_int_equal(advertisement_send("lo", &v6, &err), -EOPNOTSUPP);
		assert_int_equal(advertisement_send("eth9", &v4, &err), -ENODEV);
		assert_int_equal(advertisement_send("eth9", &v6, &err), -ENODEV);
	}
	assert_non_null(strstr(err.text, "::1"));
	assert_non_null(strstr(err.text, "eth9"));
}

static void an_ipv6_address_that_the_link_does_not_have_is_an_error(void **state)
{
	struct address address = address_of("2001:db8::77");

	(void)state;
	skip_without_network();
	stay_in(amphora);
	assert_int_equal(advertisement_send("eth1", &address, NULL), -EADDRNOTAVAIL);
}

static void of_many_those_are_told_that_are_here(void **state)
{
	const struct address addresses[] = {
		address_of("192.0.2.77"), /* nobody's */
		address_of("127.0.0.1"),  /* of no Ethernet link */
		address_of("::1"),
		address_of(AMPHORA_V6),
		address_of("2001:db8::77"),
		address_of(AMPHORA_V4),
	};
	struct net_site site = {.network_namespace = amphora};
	unsigned char frame[FRAME_MAX];
	struct captured_log log;
	cleanup_close int fd = -1;

	(void)state;
	skip_without_network();
	fd = listener();
	captured_log_start(&log);
	advertise_all(&site, addresses, sizeof(addresses) / sizeof(addresses[0]));
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_int_equal(next_advertisement(fd, frame), 86);
	assert_int_equal(next_advertisement(fd, frame), 42);
	assert_int_equal(next_advertisement(fd, frame), 0);
	assert_string_equal(log.text, "");
}

static void one_that_fails_is_logged_and_the_others_go_out(void **state)
{
	const struct address addresses[] = {address_of("2001:db8::5"), address_of(AMPHORA_V4)};
	struct net_site site = {.network_namespace = amphora};
	unsigned char frame[FRAME_MAX];
	struct captured_log log;
	cleanup_close int fd = -1;

	(void)state;
	skip_without_network();
	/* Tentative as long as its duplicate may answer: the kernel lets nothing be sent from it.
	 */
	shell("ip netns exec %s sysctl -qw net.ipv6.conf.eth1.accept_dad=1 "
	      "net.ipv6.conf.eth1.dad_transmits=60",
		amphora);
	shell("ip -n %s address add 2001:db8::5/64 dev eth1", amphora);
	fd = listener();
	captured_log_start(&log);
	advertise_all(&site, addresses, 2);
	captured_log_text(&log);
	captured_log_stop(&log);
	shell("ip -n %s address del 2001:db8::5/64 dev eth1", amphora);
	assert_int_equal(next_advertisement(fd, frame), 42);
	assert_non_null(strstr(log.text, "2001:db8::5"));
}

static void without_the_namespace_the_log_says_so(void **state)
{
	const struct address address = address_of(AMPHORA_V4);
	struct net_site site = {.network_namespace = "unit-test-nowhere"};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	advertise_all(&site, &address, 1);
	advertise_all(&site, NULL, 0);
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_non_null(strstr(log.text, "unit-test-nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_address_is_told_byte_for_byte),
		cmocka_unit_test(an_ipv6_address_is_told_byte_for_byte),
		cmocka_unit_test(a_neighbour_learns_who_has_the_address_now),
		cmocka_unit_test(a_link_that_is_none_or_no_ethernet_is_an_error),
		cmocka_unit_test(an_ipv6_address_that_the_link_does_not_have_is_an_error),
		cmocka_unit_test(of_many_those_are_told_that_are_here),
		cmocka_unit_test(one_that_fails_is_logged_and_the_others_go_out),
		cmocka_unit_test(without_the_namespace_the_log_says_so),
	};

	return cmocka_run_group_tests_name("advertisement", tests, set_up, veth_network_teardown);
}
