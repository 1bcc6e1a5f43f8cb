/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "captured_log.h"
#include "health_manager.h"
#include "heartbeat/target.h"
#include "heartbeat/targets.h"

static void assert_endpoint(const char *text, const char *host, unsigned port)
{
	struct endpoint endpoint;

	assert_int_equal(endpoint_parse(text, &endpoint, NULL), 0);
	assert_string_equal(endpoint.host, host);
	assert_int_equal(endpoint.port, port);
}

static void an_entry_is_split_at_its_last_colon(void **state)
{
	(void)state;
	assert_endpoint("192.0.2.1:5555", "192.0.2.1", 5555);
	assert_endpoint("manager.example:1", "manager.example", 1);
	assert_endpoint("[2001:db8::1]:65535", "2001:db8::1", 65535);
	assert_endpoint("2001:db8::1:5555", "2001:db8::1", 5555);
	assert_endpoint("fe80::1%eth0:5555", "fe80::1%eth0", 5555);
	assert_endpoint("[fe80::1%eth0]:5555", "fe80::1%eth0", 5555);
}

static void what_is_no_entry_is_refused_with_its_words(void **state)
{
	static const char *const entries[] = {"", ":", "host", "host:", ":5555", "host:0",
		"host:65536", "host:+1", "host:5555x", "host: 5555", "[::1]5555", "[::1]", "[]:1",
		"[::1:5555", "::1]:5555", "a b:1", "[a]b:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct endpoint endpoint;
		struct err err = ERR_NONE;

		if (endpoint_parse(entries[i], &endpoint, &err) != -EINVAL)
			fail_msg("'%s' was taken", entries[i]);
		assert_non_null(strstr(err.text, entries[i]));
	}
}

static void a_host_longer_than_a_name_can_be_is_refused(void **state)
{
	char text[300];
	struct endpoint endpoint;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 255, ":1", 3);
	assert_int_equal(endpoint_parse(text, &endpoint, NULL), 0);
	text[255] = 'a';
	memcpy(text + 256, ":1", 3);
	assert_int_equal(endpoint_parse(text, &endpoint, NULL), -EINVAL);
}

/* How long a datagram may be on its way over the loopback; what is waited for at most. */
enum { ON_ITS_WAY_MS = 100, PATIENCE_MS = 20000 };

/* Sends one byte; the entry that it went to, "" when it went nowhere. */
static const char *send_one(struct targets *targets)
{
	const char *target = "";

	targets_send(targets, "x", 1, PATIENCE_MS, &target);
	return target;
}

static unsigned received(struct health_manager *manager)
{
	struct pollfd polled = {.fd = manager->fd, .events = POLLIN};
	char bytes[16];
	unsigned count = 0;

	while (poll(&polled, 1, ON_ITS_WAY_MS) == 1 &&
		recv(manager->fd, bytes, sizeof(bytes), 0) >= 0)
		count++;
	return count;
}

static void targets_take_turns(void **state)
{
	struct health_manager managers[3];
	const char *entries[3];
	struct targets *targets;

	(void)state;
	for (int i = 0; i < 3; i++) {
		health_manager_start(&managers[i]);
		entries[i] = managers[i].target;
	}
	targets = targets_new(entries, 3);
	for (int i = 0; i < 7; i++)
		assert_string_equal(send_one(targets), entries[i % 3]);
	assert_int_equal(received(&managers[0]), 3);
	assert_int_equal(received(&managers[1]), 2);
	assert_int_equal(received(&managers[2]), 2);
	targets_free(targets);
	for (int i = 0; i < 3; i++)
		health_manager_stop(&managers[i]);
}

static void ipv6_is_reached_in_either_spelling(void **state)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t size_bytes = sizeof(name);
	char bare[32];
	char bracketed[32];
	const char *entries[] = {bare, bracketed};
	struct health_manager manager = {.fd = socket(AF_INET6, SOCK_DGRAM, 0)};
	struct targets *targets;

	(void)state;
	if (bind(manager.fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		close(manager.fd);
		skip();
	}
	assert_int_equal(getsockname(manager.fd, (struct sockaddr *)&name, &size_bytes), 0);
	snprintf(bare, sizeof(bare), "::1:%u", ntohs(name.sin6_port));
	snprintf(bracketed, sizeof(bracketed), "[::1]:%u", ntohs(name.sin6_port));
	targets = targets_new(entries, 2);
	assert_string_equal(send_one(targets), bare);
	assert_string_equal(send_one(targets), bracketed);
	assert_int_equal(received(&manager), 2);
	targets_free(targets);
	health_manager_stop(&manager);
}

static void a_refused_datagram_goes_to_the_next_target_at_once(void **state)
{
	struct health_manager dead;
	struct health_manager alive;
	const char *entries[] = {dead.target, alive.target};
	struct captured_log log;
	struct targets *targets;

	(void)state;
	health_manager_start(&dead);
	health_manager_start(&alive);
	health_manager_stop(&dead);
	captured_log_start(&log);
	targets = targets_new(entries, 2);
	for (int i = 0; i < 3; i++)
		assert_string_equal(send_one(targets), alive.target);
	assert_int_equal(captured_log_count(&log, dead.target), 1);
	captured_log_stop(&log);
	assert_int_equal(received(&alive), 3);
	targets_free(targets);
	health_manager_stop(&alive);
}

static void a_target_that_comes_back_is_used_again_and_said_to_be(void **state)
{
	struct health_manager manager;
	const char *entries[] = {manager.target};
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct captured_log log;
	struct targets *targets;

	(void)state;
	health_manager_start(&manager);
	captured_log_start(&log);
	targets = targets_new(entries, 1);
	assert_string_equal(send_one(targets), manager.target);
	assert_int_equal(received(&manager), 1);
	health_manager_stop(&manager);
	assert_string_equal(send_one(targets), "");
	assert_string_equal(send_one(targets), "");
	targets_describe(targets, &problems);
	assert_non_null(strstr(buf_text(&problems), manager.target));
	health_manager_restart(&manager);
	/* The first beat after its return must arrive: an old refusal does not cost it. */
	assert_string_equal(send_one(targets), manager.target);
	assert_int_equal(received(&manager), 1);
	assert_string_equal(send_one(targets), manager.target);
	assert_int_equal(captured_log_count(&log, "no heartbeat to"), 1);
	assert_int_equal(captured_log_count(&log, "leave again"), 1);
	captured_log_stop(&log);
	buf_clear(&problems);
	targets_describe(targets, &problems);
	assert_string_equal(buf_text(&problems), "");
	targets_free(targets);
	health_manager_stop(&manager);
}

/* What a router far away would send about the datagram from source to target. */
static void send_port_unreachable(in_port_t source, in_port_t target)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct udphdr udp;
	} __attribute__((packed)) refusal = {
		.icmp = {.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH},
		.ip = {.version = 4, .ihl = 5, .ttl = 1, .protocol = IPPROTO_UDP},
		.udp = {.source = source, .dest = target, .len = htons(9)},
	};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const unsigned char *bytes = (const unsigned char *)&refusal;
	unsigned sum = 0;
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	refusal.ip.saddr = to.sin_addr.s_addr;
	refusal.ip.daddr = to.sin_addr.s_addr;
	refusal.ip.tot_len = htons(29);
	for (size_t i = 0; i < sizeof(refusal); i += 2)
		sum += (unsigned)(bytes[i] << 8 | bytes[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	refusal.icmp.checksum = htons((uint16_t) ~(sum + (sum >> 16)));
	assert_int_equal(
		sendto(fd, &refusal, sizeof(refusal), 0, (struct sockaddr *)&to, sizeof(to)),
		sizeof(refusal));
	close(fd);
}

/* Refusals that arrive long after target_send() returned are an error of the next call. */
static void a_late_refusal_sends_the_next_datagram_elsewhere(void **state)
{
	struct health_manager far;
	struct health_manager near;
	const char *entries[] = {far.target, near.target};
	struct sockaddr_in source;
	socklen_t size_bytes = sizeof(source);
	struct captured_log log;
	struct targets *targets;
	char byte;

	(void)state;
	if (geteuid() != 0)
		skip();
	health_manager_start(&far);
	health_manager_start(&near);
	captured_log_start(&log);
	targets = targets_new(entries, 2);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(send_one(targets), i == 0 ? far.target : near.target);
		if (i == 0)
			recvfrom(far.fd, &byte, 1, 0, (struct sockaddr *)&source, &size_bytes);
		send_port_unreachable(source.sin_port,
			htons((uint16_t)strtoul(strchr(far.target, ':') + 1, NULL, 10)));
	}
	assert_int_equal(captured_log_count(&log, far.target), 1);
	captured_log_stop(&log);
	assert_int_equal(received(&far), 0);
	assert_int_equal(received(&near), 2);
	targets_free(targets);
	health_manager_stop(&far);
	health_manager_stop(&near);
}

/* With nobody else to turn to, the target that refused is tried all the same. */
static void a_late_refusal_does_not_silence_the_only_target(void **state)
{
	struct health_manager manager;
	const char *entries[] = {manager.target};
	struct sockaddr_in source;
	socklen_t size_bytes = sizeof(source);
	struct captured_log log;
	struct targets *targets;
	char byte;

	(void)state;
	if (geteuid() != 0)
		skip();
	health_manager_start(&manager);
	captured_log_start(&log);
	targets = targets_new(entries, 1);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(send_one(targets), manager.target);
		assert_int_equal(
			recvfrom(manager.fd, &byte, 1, 0, (struct sockaddr *)&source, &size_bytes),
			1);
		send_port_unreachable(source.sin_port,
			htons((uint16_t)strtoul(strchr(manager.target, ':') + 1, NULL, 10)));
	}
	assert_int_equal(captured_log_count(&log, "no heartbeat to"), 1);
	assert_int_equal(captured_log_count(&log, "leave again"), 0);
	captured_log_stop(&log);
	targets_free(targets);
	health_manager_stop(&manager);
}

static void a_name_is_looked_up_before_the_first_datagram(void **state)
{
	/* Of both families: localhost may be either. */
	struct sockaddr_in6 name = {.sin6_family = AF_INET6};
	socklen_t size_bytes = sizeof(name);
	struct health_manager manager = {.fd = socket(AF_INET6, SOCK_DGRAM, 0)};
	char entry[64];
	const char *entries[] = {entry};
	struct targets *targets;

	(void)state;
	if (bind(manager.fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		close(manager.fd);
		skip();
	}
	assert_int_equal(getsockname(manager.fd, (struct sockaddr *)&name, &size_bytes), 0);
	snprintf(entry, sizeof(entry), "localhost:%u", ntohs(name.sin6_port));
	targets = targets_new(entries, 1);
	targets_wait(targets, PATIENCE_MS);
	assert_string_equal(send_one(targets), entry);
	assert_int_equal(received(&manager), 1);
	targets_free(targets);
	health_manager_stop(&manager);
}

static void a_name_that_does_not_resolve_stalls_nobody(void **state)
{
	struct health_manager manager;
	const char *entries[] = {"no..such:5555", manager.target};
	int64_t start_ms = clock_now_ms();
	struct captured_log log;
	struct targets *targets;

	(void)state;
	health_manager_start(&manager);
	captured_log_start(&log);
	targets = targets_new(entries, 2);
	for (int i = 0; i < 4; i++)
		assert_string_equal(send_one(targets), manager.target);
	assert_in_range(clock_now_ms() - start_ms, 0, 1500);
	assert_in_range(captured_log_count(&log, "no..such"), 1, 2);
	captured_log_stop(&log);
	assert_int_equal(received(&manager), 4);
	targets_free(targets);
	health_manager_stop(&manager);
}

static void a_bad_entry_costs_only_itself(void **state)
{
	struct health_manager manager;
	const char *entries[] = {"nonsense", manager.target};
	struct captured_log log;
	struct targets *targets;

	(void)state;
	health_manager_start(&manager);
	captured_log_start(&log);
	targets = targets_new(entries, 2);
	assert_string_equal(send_one(targets), manager.target);
	assert_string_equal(send_one(targets), manager.target);
	assert_int_equal(captured_log_count(&log, "nonsense"), 1);
	captured_log_stop(&log);
	targets_free(targets);
	health_manager_stop(&manager);
}

static void no_target_at_all_is_said_once(void **state)
{
	cleanup_buf struct buf problems = BUF_INIT(KIB);
	struct captured_log log;
	struct targets *targets;
	const char *target;

	(void)state;
	captured_log_start(&log);
	targets = targets_new(NULL, 0);
	assert_int_equal(targets_send(targets, "x", 1, 1000, &target), -EDESTADDRREQ);
	assert_int_equal(targets_send(targets, "x", 1, 1000, &target), -EDESTADDRREQ);
	assert_int_equal(captured_log_count(&log, "controller_ip_port_list"), 1);
	captured_log_stop(&log);
	targets_describe(targets, &problems);
	assert_non_null(strstr(buf_text(&problems), "controller_ip_port_list"));
	targets_free(targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_split_at_its_last_colon),
		cmocka_unit_test(what_is_no_entry_is_refused_with_its_words),
		cmocka_unit_test(a_host_longer_than_a_name_can_be_is_refused),
		cmocka_unit_test(targets_take_turns),
		cmocka_unit_test(ipv6_is_reached_in_either_spelling),
		cmocka_unit_test(a_refused_datagram_goes_to_the_next_target_at_once),
		cmocka_unit_test(a_target_that_comes_back_is_used_again_and_said_to_be),
		cmocka_unit_test(a_late_refusal_sends_the_next_datagram_elsewhere),
		cmocka_unit_test(a_late_refusal_does_not_silence_the_only_target),
		cmocka_unit_test(a_name_is_looked_up_before_the_first_datagram),
		cmocka_unit_test(a_name_that_does_not_resolve_stalls_nobody),
		cmocka_unit_test(a_bad_entry_costs_only_itself),
		cmocka_unit_test(no_target_at_all_is_said_once),
	};

	return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
