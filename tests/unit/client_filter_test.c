/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client_filter.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "veth_network.h"

/* The peer's second address. */
#define OTHER_V4 "192.0.2.3"

/* How long an answer may take where one is expected, and where none is. */
enum { ANSWER_MS = 10000, SILENCE_MS = 100 };

enum { PORT = 53, OTHER_PORT = 54 };

static int set_up(void **state)
{
	if (veth_network_setup(state) < 0 || !amphora[0])
		return 0;
	shell("ip -n %s address add " OTHER_V4 "/24 dev peer1", peer);
	return 0;
}

/* Nobody listens: what passes is answered with a refusal, what does not is met with silence. */
static bool passes_within(int ms, int type, const char *source, const char *to, in_port_t port)
{
	cleanup_close int fd = socket_in(peer, family_of(to), type | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct sockaddr_storage at;
	socklen_t size = endpoint(to, port, &at);

	bind_to(fd, source, 0);
	if (connect(fd, (struct sockaddr *)&at, size) < 0)
		return errno == ECONNREFUSED || poll(&poll_fd, 1, ms) == 1;
	assert_int_equal(send(fd, "x", 1, 0), 1);
	return poll(&poll_fd, 1, ms) == 1;
}

#define assert_passes(...)  assert_true(passes_within(ANSWER_MS, __VA_ARGS__))
#define assert_blocked(...) assert_false(passes_within(SILENCE_MS, __VA_ARGS__))

/* Filters for both addresses of the amphora; clients "": none. */
static void filter(int protocol, const char *first_client, const char *second_client)
{
	struct client_filter filters[2] = {{.protocol = protocol, .port = PORT}};
	struct cidr clients[2];
	struct err err = ERR_NONE;
	size_t count = 0;

	if (first_client[0])
		assert_int_equal(cidr_parse(first_client, &clients[count++]), 0);
	if (second_client[0])
		assert_int_equal(cidr_parse(second_client, &clients[count++]), 0);
	filters[0].clients = clients;
	filters[0].client_count = count;
	filters[1] = filters[0];
	assert_int_equal(address_parse(AMPHORA_V4, &filters[0].address), 0);
	assert_int_equal(address_parse(AMPHORA_V6, &filters[1].address), 0);
	if (client_filter_replace(amphora, filters, 2, &err) < 0)
		fail_msg("%s", err.text);
}

static void clear(void)
{
	assert_int_equal(client_filter_replace(amphora, NULL, 0, NULL), 0);
}

static void only_allowed_clients_reach_the_port_and_all_reach_others(void **state)
{
	(void)state;
	skip_without_network();
	filter(IPPROTO_UDP, PEER_V4 "/32", "");
	assert_passes(SOCK_DGRAM, PEER_V4, AMPHORA_V4, PORT);
	assert_blocked(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, PORT);
	assert_passes(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, OTHER_PORT);
	assert_passes(SOCK_STREAM, OTHER_V4, AMPHORA_V4, PORT);
	clear();
}

static void an_address_whose_family_no_client_has_is_closed(void **state)
{
	(void)state;
	skip_without_network();
	filter(IPPROTO_UDP, PEER_V4 "/32", "");
	assert_blocked(SOCK_DGRAM, PEER_V6, AMPHORA_V6, PORT);
	filter(IPPROTO_UDP, PEER_V4 "/32", "2001:db8::/32");
	assert_passes(SOCK_DGRAM, PEER_V6, AMPHORA_V6, PORT);
	assert_passes(SOCK_DGRAM, PEER_V4, AMPHORA_V4, PORT);
	clear();
}

static void networks_may_overlap_and_hold_everybody(void **state)
{
	(void)state;
	skip_without_network();
	filter(IPPROTO_UDP, "192.0.2.0/24", PEER_V4 "/32");
	assert_passes(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, PORT);
	filter(IPPROTO_UDP, "0.0.0.0/0", "::/0");
	assert_passes(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, PORT);
	assert_passes(SOCK_DGRAM, PEER_V6, AMPHORA_V6, PORT);
	clear();
}

static void a_new_list_replaces_the_old_one_and_none_opens_the_port(void **state)
{
	(void)state;
	skip_without_network();
	filter(IPPROTO_UDP, PEER_V4 "/32", "");
	filter(IPPROTO_UDP, OTHER_V4 "/32", "");
	assert_blocked(SOCK_DGRAM, PEER_V4, AMPHORA_V4, PORT);
	assert_passes(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, PORT);
	clear();
	assert_passes(SOCK_DGRAM, PEER_V4, AMPHORA_V4, PORT);
	clear();
}

static void sctp_is_told_from_udp(void **state)
{
	cleanup_free char *rules = NULL;

	(void)state;
	skip_without_network();
	filter(IPPROTO_SCTP, PEER_V4 "/32", "");
	assert_passes(SOCK_DGRAM, OTHER_V4, AMPHORA_V4, PORT);
	rules = output_of("ip netns exec %s nft list table inet amphora-clients", amphora);
	assert_non_null(
		strstr(rules, "ip daddr " AMPHORA_V4 " sctp dport 53 ip saddr != " PEER_V4));
	clear();
}

static void other_tables_are_left_alone(void **state)
{
	cleanup_free char *tables = NULL;

	(void)state;
	skip_without_network();
	shell("ip netns exec %s nft add table inet amphora_table", amphora);
	filter(IPPROTO_UDP, PEER_V4 "/32", "");
	clear();
	tables = output_of("ip netns exec %s nft list tables", amphora);
	assert_string_equal(tables, "table inet amphora_table\n");
}

static void a_namespace_that_is_not_there_is_told(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(client_filter_replace("no-such-namespace", NULL, 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "allowed_cidrs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_allowed_clients_reach_the_port_and_all_reach_others),
		cmocka_unit_test(an_address_whose_family_no_client_has_is_closed),
		cmocka_unit_test(networks_may_overlap_and_hold_everybody),
		cmocka_unit_test(a_new_list_replaces_the_old_one_and_none_opens_the_port),
		cmocka_unit_test(sctp_is_told_from_udp),
		cmocka_unit_test(other_tables_are_left_alone),
		cmocka_unit_test(a_namespace_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests_name("client_filter", tests, set_up, veth_network_teardown);
}
