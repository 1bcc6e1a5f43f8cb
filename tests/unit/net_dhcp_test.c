/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP and SLAAC, with dhclient and a real server (dnsmasq) in a namespace of its own. */
#include "net/dhcp.h"
#include "net/interface.h"
#include "net/slaac.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "captured_log.h"
#include "eventually.h"
#include "throw_away_network.h"

#define SERVER_SIDE "server-side"
#define PID_PATH    "/run/dhclient-eth1.pid"

static pid_t server; /* 0: none */
static bool is_ready;

/* What dhclient writes lies on file systems of our own, and so do the names of namespaces. */
static bool folders_shield(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0 &&
	       mount("tmpfs", "/var/lib", "tmpfs", 0, NULL) == 0;
}

/*
 * The script lies beside the program that starts dhclient. Here that is this test, and its folder
 * is for tests alone: so, once the folders are shielded, the script is put into one over it.
 */
static bool script_put_beside_us(void)
{
	char here[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", here, sizeof(here) - 1);
	cleanup_free char *script = NULL;
	cleanup_free char *target = NULL;

	if (size <= 0)
		return false;
	here[size] = '\0';
	*strrchr(here, '/') = '\0';
	script = xformat("%s/amphora-dhcp-script", here);
	target = xformat("%s/../amphora-dhcp-script", here);
	return mount("tmpfs", here, "tmpfs", 0, NULL) == 0 && symlink(target, script) == 0 &&
	       access(script, X_OK) == 0;
}

static bool is_installed(const char *path)
{
	return access(path, X_OK) == 0;
}

static int group_setup(void **state)
{
	(void)state;
	is_ready = is_installed("/sbin/dhclient") && is_installed("/usr/sbin/dnsmasq") &&
		   folders_shield() && script_put_beside_us();
	return 0;
}

static void skip_unless_ready(void)
{
	if (!is_ready) {
		print_message("         (needs root, no chroot, dhclient, dnsmasq, and all "
			      "programs built)\n");
		skip();
	}
}

static pid_t client_pid(void)
{
	cleanup_buf struct buf text = BUF_INIT(64);
	uint64_t pid = 0;
	const char *digits;
	size_t size;

	if (file_read(PID_PATH, &text, NULL) < 0)
		return 0;
	digits = text_trim(buf_text(&text), text.size_bytes, &size);
	text_parse_u64_span(digits, size, 1, INT_MAX, &pid);
	return (pid_t)pid;
}

static void client_kill(pid_t client)
{
	if (client > 1 && client != getpid()) {
		kill(client, SIGKILL);
		assert_soon(process_is_over(client));
	}
}

static int tear_down(void **state)
{
	int status;

	(void)state;
	if (!is_ready)
		return 0;
	client_kill(client_pid());
	unlink(PID_PATH);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		server = 0;
	}
	free(command_output("ip netns del " SERVER_SIDE, &status));
	return 0;
}

/* eth1 here, far with 10.0.0.1 and 2001:db8::1 on the other side. */
static void network_make(void)
{
	skip_unless_ready();
	skip_without_namespaces();
	ip("link set lo up");
	ip("netns add " SERVER_SIDE);
	ip("link add eth1 type veth peer name far netns " SERVER_SIDE);
	ip("-n " SERVER_SIDE " addr add 10.0.0.1/24 dev far");
	ip("-n " SERVER_SIDE " addr add 2001:db8::1/64 dev far nodad");
	ip("-n " SERVER_SIDE " link set far up");
}

static void server_start(const char *range)
{
	const char *const argv[] = {"/usr/sbin/dnsmasq", "--no-daemon", "--conf-file=/dev/null",
		"--port=0", "--interface=far", "--bind-interfaces", "--no-ping", "--user=root",
		"--dhcp-leasefile=/run/leases", "--dhcp-authoritative", "--pid-file",
		"--dhcp-option=option:router,10.0.0.1", "--dhcp-option=option:mtu,1442",
		"--dhcp-option=option:dns-server,10.0.0.66", "--enable-ra", "--ra-param=far,4,600",
		range, NULL};
	const struct process_spec spec = {
		.argv = argv, .network_namespace = SERVER_SIDE, .output_path = "/run/dnsmasq.log"};
	struct err err = ERR_NONE;

	unlink("/run/leases");
	if (process_spawn(&spec, &server, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct interface_description on_dhcp = {
	.name = "eth1", .type = INTERFACE_BACKEND, .wants_dhcp = true};
static const struct interface_description on_both = {
	.name = "eth1", .type = INTERFACE_BACKEND, .wants_dhcp = true, .wants_slaac = true};
static const struct interface_description on_slaac = {
	.name = "eth1", .type = INTERFACE_BACKEND, .wants_slaac = true};
static const struct interface_description on_nothing = {.name = "eth1", .type = INTERFACE_BACKEND};

static bool up(const struct interface_description *description)
{
	struct err err = ERR_NONE;
	bool changed;

	if (interface_up(description, &changed, &err) < 0)
		fail_msg("%s", err.text);
	return changed;
}

static char *resolv_conf(void)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);

	file_read("/etc/resolv.conf", &text, NULL);
	buf_append_text(&text, "");
	return buf_take_text(&text);
}

static void a_lease_is_taken_kept_and_given_back(void **state)
{
	cleanup_free char *before = resolv_conf();
	cleanup_free char *after = NULL;
	pid_t client;

	(void)state;
	network_make();
	server_start("--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,120");
	assert_true(up(&on_dhcp));
	assert_true(ip_shows("addr show dev eth1", "inet 10.0.0."));
	assert_true(ip_shows("addr show dev eth1", "scope global dynamic eth1"));
	assert_true(ip_shows("link show dev eth1", "mtu 1442"));
	/* The script sets the address first. */
	assert_soon(ip_shows("route show", "default via 10.0.0.1 dev eth1 proto dhcp"));
	client = client_pid();
	assert_false(up(&on_dhcp));
	assert_int_equal(client_pid(), client);
	assert_false(process_is_over(client));
	assert_int_equal(interface_down(&on_dhcp, NULL), 0);
	assert_soon(process_is_over(client));
	assert_false(ip_shows("addr show dev eth1", "inet 10.0.0."));
	assert_false(ip_shows("route show", "default"));
	after = resolv_conf();
	assert_string_equal(after, before);
}

static void a_client_that_died_is_started_again(void **state)
{
	pid_t client;

	(void)state;
	network_make();
	server_start("--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,120");
	up(&on_dhcp);
	client = client_pid();
	client_kill(client);
	assert_true(up(&on_dhcp));
	assert_int_not_equal(client_pid(), client);
	assert_false(process_is_over(client_pid()));
	assert_false(up(&on_dhcp));
}

/* Its daemon is still in the group of the program that we started when that one ends. */
static void a_client_that_is_slow_to_become_a_daemon_runs(void **state)
{
	static const char slow[] =
		"#!/bin/sh\n"
		"(sleep 0.2; sh -c 'echo $PPID' >" PID_PATH "; while sleep 0.1; do :; done) &\n";
	bool started = false;
	int r;

	(void)state;
	network_make();
	assert_int_equal(file_replace_nosync("/run/slow", slow, strlen(slow), 0755, NULL), 0);
	assert_int_equal(mount("/run/slow", "/sbin/dhclient", NULL, MS_BIND, NULL), 0);
	r = dhcp_start("eth1", &started, NULL);
	assert_int_equal(umount("/sbin/dhclient"), 0);
	assert_int_equal(r, 0);
	assert_true(started);
}

static void a_pid_file_that_names_another_process_is_not_believed(void **state)
{
	cleanup_free char *own = xformat("%d\n", getpid());

	(void)state;
	network_make();
	server_start("--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,120");
	assert_int_equal(file_replace_nosync(PID_PATH, own, strlen(own), 0644, NULL), 0);
	assert_true(up(&on_dhcp));
	assert_true(ip_shows("addr show dev eth1", "inet 10.0.0."));
	assert_int_not_equal(client_pid(), getpid());
}

static void a_client_in_another_namespace_is_not_ours(void **state)
{
	bool started = false;
	pid_t elsewhere;

	network_make();
	assert_int_equal(dhcp_start("eth1", &started, NULL), 0);
	assert_true(started);
	elsewhere = client_pid();
	throw_away_network_setup(state);
	ip("link add eth1 type veth peer name near");
	assert_int_equal(dhcp_start("eth1", &started, NULL), 0);
	assert_true(started);
	assert_int_not_equal(client_pid(), elsewhere);
	client_kill(elsewhere);
}

static void dhcp_that_is_no_longer_described_ends(void **state)
{
	pid_t client;

	(void)state;
	network_make();
	server_start("--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,120");
	up(&on_dhcp);
	client = client_pid();
	assert_true(up(&on_nothing));
	assert_soon(process_is_over(client));
	assert_false(ip_shows("addr show dev eth1", "inet 10.0.0."));
	assert_false(up(&on_nothing));
}

static void an_address_that_was_leased_is_described(void **state)
{
	struct described_address leased = {.prefix_length = 24, .is_ours = true};
	const struct interface_description fixed = {.name = "eth1",
		.type = INTERFACE_BACKEND,
		.addresses = &leased,
		.address_count = 1};

	(void)state;
	network_make();
	server_start("--dhcp-range=10.0.0.50,10.0.0.50,255.255.255.0,120");
	up(&on_dhcp);
	assert_int_equal(address_parse("10.0.0.50", &leased.address), 0);
	assert_true(up(&fixed));
	assert_true(ip_shows("addr show dev eth1", "inet 10.0.0.50/24"));
	assert_false(ip_shows("addr show dev eth1", "dynamic"));
	assert_false(up(&fixed));
}

/* Forwarding is on in an amphora, and a kernel that forwards does not listen to routers by default.
 */
static void a_router_gives_an_address_where_forwarding_is_on(void **state)
{
	int status;

	(void)state;
	network_make();
	free(command_output("/sbin/sysctl -w net.ipv6.conf.all.forwarding=1", &status));
	assert_int_equal(status, 0);
	server_start("--dhcp-range=2001:db8::,ra-only,64,600");
	assert_true(up(&on_slaac));
	assert_soon(ip_shows("-6 addr show dev eth1 -tentative", "inet6 2001:db8::"));
	assert_true(ip_shows("-6 route show", "default via fe80::"));
	assert_false(up(&on_slaac));
	assert_true(ip_shows("-6 addr show dev eth1", "inet6 2001:db8::"));
}

static void slaac_is_turned_on_and_off(void **state)
{
	static const char *const keys[] = {"accept_ra", "autoconf"};
	bool changed = false;

	(void)state;
	network_make();
	assert_int_equal(slaac_start("eth1", &changed, NULL), 0);
	assert_true(changed);
	for (int on = 1; on >= 0; on--) {
		for (size_t i = 0; i < 2; i++) {
			cleanup_free char *path =
				xformat("/proc/sys/net/ipv6/conf/eth1/%s", keys[i]);
			cleanup_buf struct buf text = BUF_INIT(64);

			assert_int_equal(file_read(path, &text, NULL), 0);
			assert_string_equal(buf_text(&text), !on ? "0\n" : i ? "1\n" : "2\n");
		}
		changed = false;
		assert_int_equal(slaac_start("eth1", &changed, NULL), 0);
		assert_int_equal(changed, !on);
		assert_int_equal(slaac_stop("eth1", &changed, NULL), 0);
		assert_true(changed);
	}
	assert_int_equal(slaac_start("eth9", &changed, NULL), -ENOENT);
}

/* A subnet may have IPv6 alone: then nobody answers the DHCP client. */
static void an_address_from_a_router_ends_the_wait_for_dhcp(void **state)
{
	int64_t start_ms = clock_now_ms();

	(void)state;
	network_make();
	server_start("--dhcp-range=2001:db8::,ra-only,64,600");
	assert_true(up(&on_both));
	assert_true(ip_shows("-6 addr show dev eth1 -tentative", "inet6 2001:db8::"));
	assert_true(clock_now_ms() - start_ms < 20000);
	assert_false(process_is_over(client_pid()));
}

static void without_dhclient_the_error_says_what_to_install(void **state)
{
	struct err err = ERR_NONE;
	int r;

	(void)state;
	network_make();
	assert_int_equal(mount("tmpfs", "/usr/sbin", "tmpfs", 0, NULL), 0);
	r = interface_up(&on_dhcp, NULL, &err);
	assert_int_equal(umount("/usr/sbin"), 0);
	assert_int_equal(r, -ENOENT);
	assert_non_null(strstr(err.text, "eth1"));
	assert_non_null(strstr(err.text, "install isc-dhcp-client"));
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, throw_away_network_setup, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(a_lease_is_taken_kept_and_given_back),
		with_server(a_client_that_died_is_started_again),
		with_server(a_client_that_is_slow_to_become_a_daemon_runs),
		with_server(a_pid_file_that_names_another_process_is_not_believed),
		with_server(a_client_in_another_namespace_is_not_ours),
		with_server(dhcp_that_is_no_longer_described_ends),
		with_server(an_address_that_was_leased_is_described),
		with_server(a_router_gives_an_address_where_forwarding_is_on),
		with_server(slaac_is_turned_on_and_off),
		with_server(an_address_from_a_router_ends_the_wait_for_dhcp),
		with_server(without_dhclient_the_error_says_what_to_install),
	};

	return cmocka_run_group_tests_name("net_dhcp", tests, group_setup, NULL);
}
