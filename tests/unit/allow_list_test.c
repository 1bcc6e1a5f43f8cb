/* SPDX-License-Identifier: Apache-2.0 */
#include "net/allow_list.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "captured_log.h"
#include "temporary_folder.h"
#include "veth_network.h"

/* The peer's second addresses, and the ends of a second pair, which is no VIP's. */
#define OTHER_V4   "192.0.2.3"
#define OTHER_V6   "2001:db8::3"
#define SECOND_V4  "198.51.100.1"
#define MEMBER_V4  "198.51.100.2"
#define SECOND_V6  "2001:db8:2::1"
#define MEMBER_V6  "2001:db8:2::2"
#define PROTO_VRRP 112

/* How long an answer may take where one is expected, and where none is. */
enum { ANSWER_MS = 10000, SILENCE_MS = 100 };
static int patience_ms;

#define assert_passes(what)                                                                        \
	do {                                                                                       \
		patience_ms = ANSWER_MS;                                                           \
		assert_true(what);                                                                 \
	} while (0)
#define assert_blocked(what)                                                                       \
	do {                                                                                       \
		patience_ms = SILENCE_MS;                                                          \
		assert_false(what);                                                                \
	} while (0)

static char *list_path;
static char *lock_path;
static struct net_site site;

static int set_up(void **state)
{
	if (veth_network_setup(state) < 0 || !amphora[0])
		return 0;
	shell("ip -n %s address add " OTHER_V4 "/24 dev peer1", peer);
	shell("ip -n %s address add " OTHER_V6 "/64 dev peer1 nodad", peer);
	shell("ip link add eth2 netns %s type veth peer name peer2 netns %s", amphora, peer);
	shell("ip -n %s link set eth2 up && ip -n %s link set peer2 up", amphora, peer);
	shell("ip -n %s address add " SECOND_V4 "/24 dev eth2", amphora);
	shell("ip -n %s address add " SECOND_V6 "/64 dev eth2 nodad", amphora);
	shell("ip -n %s address add " MEMBER_V4 "/24 dev peer2", peer);
	shell("ip -n %s address add " MEMBER_V6 "/64 dev peer2 nodad", peer);
	return 0;
}

static int test_set_up(void **state)
{
	temporary_folder_setup(state);
	list_path = in_temporary_folder("nftables-vip.rules");
	lock_path = in_temporary_folder("allow-list.lock");
	site = (struct net_site){.network_namespace = amphora,
		.allow_list_path = list_path,
		.allow_list_lock_path = lock_path};
	return 0;
}

static int test_tear_down(void **state)
{
	free(list_path);
	free(lock_path);
	if (amphora[0])
		shell("ip netns exec %s nft flush ruleset", amphora);
	return temporary_folder_teardown(state);
}

static void replace(const char *json)
{
	cleanup_free struct allow_rule *rules = NULL;
	struct err err = ERR_NONE;
	size_t count;

	if (allow_rules_parse(json, strlen(json), &rules, &count, &err) < 0 ||
		allow_list_replace(&site, rules, count, &err) < 0)
		fail_msg("%s", err.text);
}

static void enforce(void)
{
	struct err err = ERR_NONE;

	if (allow_list_enforce(&site, &err) < 0)
		fail_msg("%s", err.text);
}

/* What a reboot leaves of the kernel's rules. */
static void forget(void)
{
	shell("ip netns exec %s nft flush ruleset", amphora);
}

/*
 * Whether a packet passes: nobody listens, so what passes is answered with a refusal, which goes
 * out freely, and what does not is met with silence.
 */
static bool is_answered(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, patience_ms) == 1;
}

static bool tcp_passes(const char *source, const char *to, in_port_t port)
{
	cleanup_close int fd =
		socket_in(peer, family_of(to), SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	struct sockaddr_storage at;
	socklen_t size = endpoint(to, port, &at);

	bind_to(fd, source, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), -1);
	return errno == ECONNREFUSED || is_answered(fd);
}

static bool udp_passes(const char *source, const char *to, in_port_t port)
{
	cleanup_close int fd = socket_in(peer, family_of(to), SOCK_DGRAM, IPPROTO_UDP);
	struct sockaddr_storage at;
	socklen_t size = endpoint(to, port, &at);

	bind_to(fd, source, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	return is_answered(fd);
}

static void raw_send(int fd, const char *to, const void *data, size_t size_bytes)
{
	struct sockaddr_storage at;
	socklen_t size = endpoint(to, 0, &at);

	assert_int_equal(sendto(fd, data, size_bytes, 0, (struct sockaddr *)&at, size), size_bytes);
}

/* Raw sockets see what the input chain let through. */
static bool raw_passes(
	const char *source, const char *to, int protocol, const void *data, size_t size_bytes)
{
	cleanup_close int receiver = socket_in(amphora, family_of(to), SOCK_RAW, protocol);
	cleanup_close int sender = socket_in(peer, family_of(to), SOCK_RAW, protocol);
	struct pollfd poll_fd = {.fd = receiver, .events = POLLIN};
	int64_t deadline_ms = clock_now_ms() + patience_ms;
	unsigned char got[256];

	bind_to(sender, source, 0);
	raw_send(sender, to, data, size_bytes);
	/* The ICMP ones see others' packets, too: ours is known by its end. */
	while (poll(&poll_fd, 1, clock_left_ms(deadline_ms)) == 1) {
		ssize_t size = recv(receiver, got, sizeof(got), 0);

		if (size >= 8 &&
			memcmp(got + size - 8, (const char *)data + size_bytes - 8, 8) == 0)
			return true;
	}
	return false;
}

static bool vrrp_passes(const char *source, const char *to)
{
	return raw_passes(source, to, PROTO_VRRP, "advertisement", 13);
}

/* CRC-32C, which the kernel wants to see right before it looks at the ports. */
static uint32_t sctp_checksum(const unsigned char *packet, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= packet[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* An INIT. */
static bool sctp_passes(const char *source, const char *to, in_port_t port)
{
	unsigned char packet[32] = {0x10, 0, (unsigned char)(port >> 8), (unsigned char)port,
		[12] = 1, [15] = 20, [19] = 1, [22] = 0x40, [25] = 1, [27] = 1, [31] = 1};
	uint32_t checksum = sctp_checksum(packet, sizeof(packet));

	for (int i = 0; i < 4; i++)
		packet[8 + i] = (unsigned char)(checksum >> 8 * i);
	return raw_passes(source, to, IPPROTO_SCTP, packet, sizeof(packet));
}

static void those_are_let_in_whom_a_rule_names(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":\"" PEER_V4 "/32\",\"port\":80},"
		"{\"protocol\":\"TCP\",\"cidr\":\"" PEER_V6 "/128\",\"port\":80},"
		"{\"protocol\":\"TCP\",\"cidr\":null,\"port\":443}]");
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_passes(tcp_passes(PEER_V6, AMPHORA_V6, 80));
	assert_blocked(tcp_passes(OTHER_V4, AMPHORA_V4, 80));
	assert_blocked(tcp_passes(OTHER_V6, AMPHORA_V6, 80));
	assert_passes(tcp_passes(OTHER_V4, AMPHORA_V4, 443));
	assert_passes(tcp_passes(OTHER_V6, AMPHORA_V6, 443));
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 81));
	assert_blocked(tcp_passes(PEER_V6, AMPHORA_V6, 81));
	assert_blocked(udp_passes(PEER_V4, AMPHORA_V4, 443));
}

static void datagrams_pass_by_their_own_rules(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"UDP\",\"cidr\":\"192.0.2.0/31\",\"port\":53},"
		"{\"protocol\":\"UDP\",\"cidr\":\"" PEER_V4 "/31\",\"port\":53},"
		"{\"protocol\":\"UDP\",\"cidr\":\"::/0\",\"port\":53},"
		"{\"protocol\":\"SCTP\",\"cidr\":null,\"port\":5060}]");
	assert_passes(udp_passes(PEER_V4, AMPHORA_V4, 53));
	assert_passes(udp_passes(OTHER_V6, AMPHORA_V6, 53));
	assert_blocked(udp_passes(PEER_V4, AMPHORA_V4, 54));
	assert_passes(sctp_passes(PEER_V4, AMPHORA_V4, 5060));
	assert_blocked(sctp_passes(PEER_V4, AMPHORA_V4, 5061));
}

static void all_of_ipv6_is_not_all_of_ipv4(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":\"::/0\",\"port\":80}]");
	assert_passes(tcp_passes(PEER_V6, AMPHORA_V6, 80));
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
}

static void the_other_amphora_is_let_in_and_nobody_else(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"vrrp\",\"cidr\":\"" PEER_V4 "/32\",\"port\":112},"
		"{\"protocol\":\"vrrp\",\"cidr\":\"" PEER_V6 "/128\",\"port\":112}]");
	assert_passes(vrrp_passes(PEER_V4, AMPHORA_V4));
	assert_passes(vrrp_passes(PEER_V6, AMPHORA_V6));
	assert_blocked(vrrp_passes(OTHER_V4, AMPHORA_V4));
	assert_blocked(vrrp_passes(OTHER_V6, AMPHORA_V6));
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 1025));
	assert_passes(tcp_passes(PEER_V6, AMPHORA_V6, 1025));
	assert_blocked(tcp_passes(OTHER_V4, AMPHORA_V4, 1025));
	assert_blocked(tcp_passes(OTHER_V6, AMPHORA_V6, 1025));
	/* The port in a VRRP rule is no port. */
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 112));
}

static void an_empty_list_closes_everything(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80},"
		"{\"protocol\":\"vrrp\",\"cidr\":\"" PEER_V4 "\",\"port\":112}]");
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	replace("[]");
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_blocked(tcp_passes(PEER_V6, AMPHORA_V6, 80));
	assert_blocked(vrrp_passes(PEER_V4, AMPHORA_V4));
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 1025));
}

static void path_mtu_discovery_passes_and_pings_do_not(void **state)
{
	/* About packets that nobody sent: the kernel knows no connection they belong to. */
	static const unsigned char too_big_v4[36] = {3, 4, 0, 0, 0, 0, 5, 0x14, 0x45, [35] = 'a'};
	static const unsigned char ping_v4[] = {
		8, 0, 0xe5, 0xca, 0, 0, 0, 0, 'p', 'i', 'n', 'g', 's', ' ', 'v', '4'};
	static const unsigned char too_big_v6[56] = {2, 0, 0, 0, 0, 0, 5, 0, 0x60, [55] = 'b'};
	static const unsigned char ping_v6[] = {
		128, 0, 0, 0, 0, 0, 0, 0, 'p', 'i', 'n', 'g', 's', ' ', 'v', '6'};

	(void)state;
	skip_without_network();
	replace("[]");
	assert_passes(raw_passes(PEER_V4, AMPHORA_V4, IPPROTO_ICMP, too_big_v4, 36));
	assert_passes(raw_passes(PEER_V6, AMPHORA_V6, IPPROTO_ICMPV6, too_big_v6, 56));
	assert_blocked(raw_passes(PEER_V4, AMPHORA_V4, IPPROTO_ICMP, ping_v4, sizeof(ping_v4)));
	assert_blocked(raw_passes(PEER_V6, AMPHORA_V6, IPPROTO_ICMPV6, ping_v6, sizeof(ping_v6)));
}

static void neighbours_are_found_in_both_directions(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80}]");
	shell("ip -n %s neigh flush all; ip -n %s neigh flush all", amphora, peer);
	assert_passes(tcp_passes(PEER_V6, AMPHORA_V6, 80));
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
}

static void loopback_is_free(void **state)
{
	struct sockaddr_storage at;
	socklen_t size = endpoint("127.0.0.1", 80, &at);
	cleanup_close int fd = -1;

	(void)state;
	skip_without_network();
	replace("[]");
	fd = socket_in(amphora, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

/* A connection from the amphora to a server at the peer, and a byte back. */
static void assert_reaches(const char *to)
{
	static const int on = 1;
	cleanup_close int server = socket_in(peer, family_of(to), SOCK_STREAM, 0);
	cleanup_close int client = socket_in(amphora, family_of(to), SOCK_STREAM, 0);
	cleanup_close int accepted = -1;
	struct sockaddr_storage at;
	socklen_t size = endpoint(to, 8080, &at);
	char byte;

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bind_to(server, to, 8080);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, size), 0);
	accepted = accept(server, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(send(accepted, "x", 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
}

static void members_answer_on_every_interface(void **state)
{
	(void)state;
	skip_without_network();
	replace("[]");
	/* On the VIP's own, and on another SR-IOV one. */
	assert_reaches(PEER_V4);
	assert_reaches(PEER_V6);
	assert_reaches(MEMBER_V4);
	assert_reaches(MEMBER_V6);
	/* On one whose TCP is not tracked (net/masquerade.h). */
	shell("ip netns exec %s nft 'table inet t { chain p { type filter hook prerouting priority "
	      "raw; iifname eth2 meta l4proto tcp notrack; }; chain o { type filter hook output "
	      "priority raw; oifname eth2 meta l4proto tcp notrack; }; }'",
		amphora);
	assert_reaches(MEMBER_V4);
	assert_reaches(MEMBER_V6);
}

static void an_sriov_member_interface_lets_nobody_in(void **state)
{
	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80}]");
	assert_blocked(tcp_passes(MEMBER_V4, SECOND_V4, 80));
	assert_blocked(udp_passes(MEMBER_V4, SECOND_V4, 80));
}

static void connections_outlive_a_new_list(void **state)
{
	static const int on = 1;
	cleanup_close int server = -1;
	cleanup_close int client = -1;
	cleanup_close int accepted = -1;
	struct sockaddr_storage at;
	socklen_t size = endpoint(AMPHORA_V4, 80, &at);
	char byte;

	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80}]");
	server = socket_in(amphora, AF_INET, SOCK_STREAM, 0);
	client = socket_in(peer, AF_INET, SOCK_STREAM, 0);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bind_to(server, AMPHORA_V4, 80);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, size), 0);
	accepted = accept(server, NULL, NULL);
	assert_true(accepted >= 0);
	replace("[]");
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(recv(accepted, &byte, 1, 0), 1);
}

/* Replaces the list again and again until told to end. */
struct replacer {
	atomic_bool is_over;
	atomic_uint replaced;
	unsigned failed;
};

static void *replacer_run(void *context)
{
	const struct allow_rule first[] = {
		{.protocol = ALLOW_VRRP, .port = 112},
		{.protocol = ALLOW_TCP, .port = 80},
	};
	const struct allow_rule second[] = {{.protocol = ALLOW_VRRP, .port = 112}};
	struct replacer *replacer = context;

	while (!replacer->is_over) {
		if (allow_list_replace(&site, first, 2, NULL) < 0 ||
			allow_list_replace(&site, second, 1, NULL) < 0)
			replacer->failed++;
		replacer->replaced++;
	}
	return NULL;
}

/*
 * Packets of a protocol that both lists allow, each waited for, and as many of one that neither
 * does: nobody answers either, so each packet is judged by the rules.
 */
static void a_list_is_replaced_without_an_instant_of_another(void **state)
{
	enum { OTHER_PROTOCOL = 200, REPLACED_MIN = 100 };
	struct replacer replacer = {.replaced = 0};
	cleanup_close int sender = -1;
	cleanup_close int forbidden_sender = -1;
	cleanup_close int receiver = -1;
	cleanup_close int forbidden_receiver = -1;
	pthread_t thread;
	char got[64];
	unsigned lost = 0;

	(void)state;
	skip_without_network();
	replace("[{\"protocol\":\"vrrp\",\"cidr\":null,\"port\":112}]");
	receiver = socket_in(amphora, AF_INET, SOCK_RAW, PROTO_VRRP);
	forbidden_receiver = socket_in(amphora, AF_INET, SOCK_RAW, OTHER_PROTOCOL);
	sender = socket_in(peer, AF_INET, SOCK_RAW, PROTO_VRRP);
	forbidden_sender = socket_in(peer, AF_INET, SOCK_RAW, OTHER_PROTOCOL);
	assert_int_equal(pthread_create(&thread, NULL, replacer_run, &replacer), 0);
	while (replacer.replaced < REPLACED_MIN && lost == 0) {
		raw_send(forbidden_sender, AMPHORA_V4, "forbidden", 9);
		raw_send(sender, AMPHORA_V4, "allowed", 7);
		if (recv(receiver, got, sizeof(got), 0) < 0)
			lost++;
	}
	replacer.is_over = true;
	pthread_join(thread, NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(replacer.failed, 0);
	assert_int_equal(recv(forbidden_receiver, got, sizeof(got), MSG_DONTWAIT), -1);
}

static void the_longest_list_is_in_force_in_a_few_seconds(void **state)
{
	cleanup_free struct allow_rule *rules = xcalloc(ALLOW_RULES_MAX, sizeof(*rules));
	struct err err = ERR_NONE;
	clock_t started;

	(void)state;
	skip_without_network();
	for (unsigned i = 0; i < ALLOW_RULES_MAX; i++)
		rules[i] = (struct allow_rule){
			.protocol = ALLOW_TCP,
			.has_source = true,
			.source = {.address = {.family = AF_INET,
					   .v4.s_addr = htonl(0x0a000000 + (i << 8))},
				.prefix_length = 24},
			.port = (uint16_t)(1000 + i % 500),
		};
	started = clock(); /* of the processor: others may have it meanwhile */
	if (allow_list_replace(&site, rules, ALLOW_RULES_MAX, &err) < 0)
		fail_msg("%s", err.text);
	assert_true((clock() - started) / CLOCKS_PER_SEC < 5);
}

static void what_is_stored_comes_back_after_a_boot(void **state)
{
	struct stat status;

	(void)state;
	skip_without_network();
	assert_false(allow_list_exists(&site));
	replace("[{\"protocol\":\"TCP\",\"cidr\":\"" PEER_V4 "/32\",\"port\":80}]");
	assert_true(allow_list_exists(&site));
	assert_int_equal(stat(list_path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	forget();
	assert_passes(tcp_passes(OTHER_V4, AMPHORA_V4, 80));
	enforce();
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_blocked(tcp_passes(OTHER_V4, AMPHORA_V4, 80));
	/* Again, where it is in force. */
	enforce();
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
}

static void before_the_first_rules_nobody_is_let_in(void **state)
{
	(void)state;
	skip_without_network();
	enforce();
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_true(allow_list_exists(&site));
}

/* In the form of the reference agent: the table made, deleted, and made with its chains. */
static const char reference_list[] =
	"table inet amphora_table {}\n"
	"delete table inet amphora_table\n"
	"table inet amphora_table {\n"
	"  chain amphora_chain {\n"
	"    type filter hook input priority filter; policy drop;\n"
	"      ct state vmap { established : accept, related : accept, invalid : drop }\n"
	"      iif lo accept\n"
	"      iifname eth1 goto amphora_vip_chain\n"
	"  }\n"
	"  chain amphora_vip_chain {\n"
	"      ip saddr " PEER_V4 "/32 tcp dport 80 accept\n"
	"      %s\n"
	"  }\n"
	"}\n";

static void reference_list_store(const char *last_rule)
{
	cleanup_buf struct buf text = BUF_INIT(4 * KIB);
	const char *at = strstr(reference_list, "%s");

	buf_append(&text, reference_list, (size_t)(at - reference_list));
	buf_append_text(&text, last_rule);
	buf_append_text(&text, at + 2);
	temporary_file("nftables-vip.rules", buf_text(&text));
}

static void a_list_of_the_reference_agent_is_taken_over(void **state)
{
	(void)state;
	skip_without_network();
	reference_list_store("ip saddr " PEER_V4 "/32 ip protocol 112 accept");
	enforce();
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_passes(vrrp_passes(PEER_V4, AMPHORA_V4));
	assert_blocked(tcp_passes(OTHER_V4, AMPHORA_V4, 80));
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":443}]");
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_passes(tcp_passes(PEER_V4, AMPHORA_V4, 443));
}

/* A list of the file that cannot be in force closes everything, and the log says so. */
static void assert_closed_with_a_word(void)
{
	struct captured_log log;

	captured_log_start(&log);
	enforce();
	captured_log_text(&log);
	captured_log_stop(&log);
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
	assert_non_null(strstr(log.text, "nothing is let in"));
}

static void a_stored_list_that_nft_refuses_leaves_everything_closed(void **state)
{
	(void)state;
	skip_without_network();
	/* What the reference agent writes for an IPv6 peer. */
	reference_list_store("ip6 saddr " PEER_V6 "/128 ip protocol 112 accept");
	assert_closed_with_a_word();
	forget();
	temporary_file("nftables-vip.rules", "table inet amphora_table {\n chain amphora_ch");
	assert_closed_with_a_word();
}

static void a_stored_list_that_says_nothing_leaves_everything_closed(void **state)
{
	(void)state;
	skip_without_network();
	temporary_file("nftables-vip.rules", "");
	enforce();
	assert_blocked(tcp_passes(PEER_V4, AMPHORA_V4, 80));
}

static void on_a_refusal_the_list_of_before_stays(void **state)
{
	const struct allow_rule rule = {.protocol = ALLOW_TCP, .port = 443};
	cleanup_buf struct buf before = BUF_INIT(64 * KIB);
	cleanup_buf struct buf after = BUF_INIT(64 * KIB);
	struct err err = ERR_NONE;

	(void)state;
	skip_without_network();
	/* The kernel does not let a chain change its hook. */
	shell("ip netns exec %s nft 'table inet amphora_table { chain amphora_chain { type filter "
	      "hook output priority filter; }; }'",
		amphora);
	assert_int_equal(allow_list_replace(&site, &rule, 1, &err), -EIO);
	assert_non_null(strstr(err.text, "nftables refuses"));
	assert_false(allow_list_exists(&site));
	forget();
	replace("[{\"protocol\":\"TCP\",\"cidr\":null,\"port\":80}]");
	assert_int_equal(file_read(list_path, &before, NULL), 0);
	forget();
	shell("ip netns exec %s nft 'table inet amphora_table { chain amphora_chain { type filter "
	      "hook output priority filter; }; }'",
		amphora);
	assert_int_equal(allow_list_replace(&site, &rule, 1, &err), -EIO);
	assert_int_equal(file_read(list_path, &after, NULL), 0);
	assert_string_equal(buf_text(&after), buf_text(&before));
}

static void without_a_namespace_nothing_is_closed(void **state)
{
	cleanup_free char *rules = NULL;
	struct err err = ERR_NONE;

	(void)state;
	skip_without_network();
	{
		static char none[] = "";
		stay_in(peer);

		site.network_namespace = none;
		assert_int_equal(allow_list_replace(&site, NULL, 0, &err), -EOPNOTSUPP);
		assert_non_null(strstr(err.text, "network_namespace"));
		assert_int_equal(allow_list_enforce(&site, &err), -EOPNOTSUPP);
	}
	rules = output_of("ip netns exec %s nft list ruleset", peer);
	assert_string_equal(rules, "");
	assert_false(allow_list_exists(&site));
}

static void a_namespace_that_is_not_there_is_an_error(void **state)
{
	static char nowhere[] = "unit-test-nowhere";
	struct err err = ERR_NONE;

	(void)state;
	site.network_namespace = nowhere;
	assert_int_equal(allow_list_replace(&site, NULL, 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, nowhere));
	assert_false(allow_list_exists(&site));
}

#define list_test(test) cmocka_unit_test_setup_teardown(test, test_set_up, test_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		list_test(those_are_let_in_whom_a_rule_names),
		list_test(datagrams_pass_by_their_own_rules),
		list_test(all_of_ipv6_is_not_all_of_ipv4),
		list_test(the_other_amphora_is_let_in_and_nobody_else),
		list_test(an_empty_list_closes_everything),
		list_test(path_mtu_discovery_passes_and_pings_do_not),
		list_test(neighbours_are_found_in_both_directions),
		list_test(loopback_is_free),
		list_test(members_answer_on_every_interface),
		list_test(an_sriov_member_interface_lets_nobody_in),
		list_test(connections_outlive_a_new_list),
		list_test(a_list_is_replaced_without_an_instant_of_another),
		list_test(the_longest_list_is_in_force_in_a_few_seconds),
		list_test(what_is_stored_comes_back_after_a_boot),
		list_test(before_the_first_rules_nobody_is_let_in),
		list_test(a_list_of_the_reference_agent_is_taken_over),
		list_test(a_stored_list_that_nft_refuses_leaves_everything_closed),
		list_test(a_stored_list_that_says_nothing_leaves_everything_closed),
		list_test(on_a_refusal_the_list_of_before_stays),
		list_test(without_a_namespace_nothing_is_closed),
		list_test(a_namespace_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests_name("allow_list", tests, set_up, veth_network_teardown);
}
