/* SPDX-License-Identifier: Apache-2.0 */
#include "net/masquerade.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "veth_network.h"

/* A third namespace behind the amphora's eth2: it knows no way to the peer. */
#define INSIDE_V4 "198.51.100.1"
#define MEMBER_V4 "198.51.100.2"
#define INSIDE_V6 "2001:db8:2::1"
#define MEMBER_V6 "2001:db8:2::2"

static char member[32];

static int set_up(void **state)
{
	if (veth_network_setup(state) < 0 || !amphora[0])
		return 0;
	snprintf(member, sizeof(member), "unit-member-%d", getpid());
	shell("ip netns add %s", member);
	shell("ip link add eth2 netns %s type veth peer name member1 netns %s", amphora, member);
	shell("ip -n %s link set eth2 up && ip -n %s link set member1 up", amphora, member);
	shell("ip -n %s address add " INSIDE_V4 "/24 dev eth2", amphora);
	shell("ip -n %s address add " INSIDE_V6 "/64 dev eth2 nodad", amphora);
	shell("ip -n %s address add " MEMBER_V4 "/24 dev member1", member);
	shell("ip -n %s address add " MEMBER_V6 "/64 dev member1 nodad", member);
	shell("ip netns exec %s sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
		amphora);
	shell("ip -n %s route add 198.51.100.0/24 via " AMPHORA_V4, peer);
	shell("ip -n %s route add 2001:db8:2::/64 via " AMPHORA_V6, peer);
	return 0;
}

static int tear_down(void **state)
{
	if (member[0])
		shell("ip netns del %s", member);
	return veth_network_teardown(state);
}

static int rules_removed(void **state)
{
	(void)state;
	if (amphora[0])
		shell("ip netns exec %s nft flush ruleset", amphora);
	return 0;
}

/* One that gets addresses by itself has both families. */
static struct interface_description described(const char *name, bool is_sriov)
{
	struct interface_description description = {
		.type = INTERFACE_BACKEND,
		.is_sriov = is_sriov,
		.wants_dhcp = true,
		.wants_slaac = true,
	};

	snprintf(description.name, sizeof(description.name), "%s", name);
	return description;
}

static void add(const char *name, bool is_sriov)
{
	struct interface_description description = described(name, is_sriov);
	struct err err = ERR_NONE;

	stay_in(amphora);
	if (masquerade_add(&description, &err) < 0)
		fail_msg("%s", err.text);
}

static void remove_of(const char *name)
{
	struct interface_description description = described(name, false);
	struct err err = ERR_NONE;

	stay_in(amphora);
	if (masquerade_remove(&description, &err) < 0)
		fail_msg("%s", err.text);
}

static char *rules(void)
{
	return output_of("ip netns exec %s nft list ruleset", amphora);
}

static void assert_same_text(char *a, char *b)
{
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static struct address address_of(const struct sockaddr_storage *from)
{
	if (from->ss_family == AF_INET)
		return (struct address){
			.family = AF_INET, .v4 = ((const struct sockaddr_in *)from)->sin_addr};
	return (struct address){
		.family = AF_INET6, .v6 = ((const struct sockaddr_in6 *)from)->sin6_addr};
}

/* A datagram from the peer to the member and one back; from whom the member had it. */
static void exchange(const char *to, char ret_source[static ADDRESS_TEXT_MAX])
{
	cleanup_close int client = socket_in(peer, family_of(to), SOCK_DGRAM, 0);
	cleanup_close int server = socket_in(member, family_of(to), SOCK_DGRAM, 0);
	struct sockaddr_storage at;
	struct sockaddr_storage from;
	socklen_t at_size = endpoint(to, 5353, &at);
	socklen_t from_size = sizeof(from);
	struct address source;
	char data[8];

	assert_int_equal(bind(server, (struct sockaddr *)&at, at_size), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, at_size), 0);
	assert_int_equal(send(client, "ask", 3, 0), 3);
	assert_int_equal(
		recvfrom(server, data, sizeof(data), 0, (struct sockaddr *)&from, &from_size), 3);
	assert_int_equal(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, from_size), 6);
	assert_int_equal(recv(client, data, sizeof(data), 0), 6);
	source = address_of(&from);
	address_format(&source, ret_source);
}

static void datagrams_leave_with_the_interface_s_own_address(void **state)
{
	char source[ADDRESS_TEXT_MAX];

	(void)state;
	skip_without_network();
	add("eth2", false);
	exchange(MEMBER_V4, source);
	assert_string_equal(source, INSIDE_V4);
	exchange(MEMBER_V6, source);
	assert_string_equal(source, INSIDE_V6);
}

/* What the kernel tracks of a TCP connection from the peer to the amphora; the caller's to free. */
static char *tracked(const char *to)
{
	cleanup_close int server = socket_in(amphora, family_of(to), SOCK_STREAM, 0);
	cleanup_close int client = socket_in(peer, family_of(to), SOCK_STREAM, 0);
	cleanup_close int accepted = -1;
	struct sockaddr_storage at;
	socklen_t at_size = endpoint(to, 8080, &at);
	static const int on = 1;

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(server, (struct sockaddr *)&at, at_size), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, at_size), 0);
	accepted = accept(server, NULL, NULL);
	assert_true(accepted >= 0);
	return output_of(
		"ip netns exec %s grep -c dport=8080 /proc/net/nf_conntrack || true", amphora);
}

static void tcp_is_not_tracked(void **state)
{
	(void)state;
	skip_without_network();
	add("eth1", false);
	assert_same_text(tracked(AMPHORA_V4), xstrdup("0\n"));
	assert_same_text(tracked(AMPHORA_V6), xstrdup("0\n"));
}

static void tcp_of_an_sriov_interface_is_tracked(void **state)
{
	(void)state;
	skip_without_network();
	/* Whatever it was before. */
	add("eth1", false);
	add("eth1", true);
	assert_same_text(tracked(AMPHORA_V4), xstrdup("1\n"));
	assert_same_text(tracked(AMPHORA_V6), xstrdup("2\n"));
}

static void a_second_time_changes_nothing(void **state)
{
	char *once;

	(void)state;
	skip_without_network();
	add("eth1", false);
	add("eth2", true);
	once = rules();
	assert_non_null(strstr(once, "chain ip-udp-masq"));
	assert_non_null(strstr(once, "chain ip6-sctp-masq"));
	add("eth1", false);
	add("eth2", true);
	assert_same_text(once, rules());
}

static void removing_one_leaves_the_others(void **state)
{
	char *without;

	(void)state;
	skip_without_network();
	add("eth1", false);
	without = rules();
	add("eth2", false);
	remove_of("eth2");
	assert_same_text(without, rules());
	remove_of("eth2");
	remove_of("eth9");
	add("eth1", false);
	remove_of("eth1");
	without = rules();
	assert_null(strstr(without, "eth"));
	free(without);
}

static void removing_where_nothing_is_is_fine(void **state)
{
	(void)state;
	skip_without_network();
	remove_of("eth1");
}

static void a_family_without_addresses_gets_no_table(void **state)
{
	struct interface_description description = described("eth1", false);
	cleanup_free char *listed = NULL;

	(void)state;
	skip_without_network();
	description.wants_slaac = false;
	{
		stay_in(amphora);
		assert_int_equal(masquerade_add(&description, NULL), 0);
	}
	listed = rules();
	assert_non_null(strstr(listed, "table ip octavia-ipv4"));
	assert_null(strstr(listed, "octavia-ipv6"));
}

static void a_name_that_nft_would_read_as_more_is_refused(void **state)
{
	static const char *const names[] = {"e\"};flush", "eth*", "a$b", "a;b", "a b"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct interface_description description = described(names[i], false);
		struct err err = ERR_NONE;

		assert_int_equal(masquerade_add(&description, &err), -EINVAL);
		assert_non_null(strstr(err.text, names[i]));
		assert_int_equal(masquerade_remove(&description, NULL), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			datagrams_leave_with_the_interface_s_own_address, rules_removed),
		cmocka_unit_test_teardown(tcp_is_not_tracked, rules_removed),
		cmocka_unit_test_teardown(tcp_of_an_sriov_interface_is_tracked, rules_removed),
		cmocka_unit_test_teardown(a_second_time_changes_nothing, rules_removed),
		cmocka_unit_test_teardown(removing_one_leaves_the_others, rules_removed),
		cmocka_unit_test_teardown(removing_where_nothing_is_is_fine, rules_removed),
		cmocka_unit_test_teardown(a_family_without_addresses_gets_no_table, rules_removed),
		cmocka_unit_test(a_name_that_nft_would_read_as_more_is_refused),
	};

	return cmocka_run_group_tests_name("masquerade", tests, set_up, tear_down);
}
