/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "captured_log.h"
#include "plug_case.h"

#define VIP_MAC    "fa:16:3e:00:00:01"
#define PORT_MAC   "fa:16:3e:00:00:02"
#define PORT_MAC_2 "fa:16:3e:00:00:03"

static const char vip_keys[] =
	"\"subnet_cidr\": \"198.51.100.0/24\", \"gateway\": \"198.51.100.254\", \"vrrp_ip\": "
	"\"198.51.100.11\", \"host_routes\": [{\"destination\": \"233.252.0.0/24\", \"nexthop\": "
	"\"198.51.100.253\"}]";

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

struct outcome {
	int r;
	enum plug_result result;
	char name[IFNAMSIZ];
	struct err err;
};

static struct outcome plug_vip_with(const char *mac, const char *more)
{
	CLEANUP(plug_vip_request_deinit) struct plug_vip_request request = {0};
	cleanup_free char *text = xformat("{\"mac_address\": \"%s\", %s%s}", mac, vip_keys, more);
	struct outcome outcome = {.err = ERR_NONE};
	json_t *body = json_of(text);

	outcome.r = plug_vip_request_parse("198.51.100.10", body, &request, &outcome.err);
	json_decref(body);
	if (outcome.r == 0)
		outcome.r = plug_vip(site, TOPOLOGY_SINGLE, &request, &outcome.result, outcome.name,
			&outcome.err);
	return outcome;
}

static struct outcome plug_network_with(const char *mac, const char *more)
{
	CLEANUP(plug_network_request_deinit) struct plug_network_request request = {0};
	cleanup_free char *text = xformat("{\"mac_address\": \"%s\"%s}", mac, more);
	struct outcome outcome = {.err = ERR_NONE};
	json_t *body = json_of(text);

	outcome.r = plug_network_request_parse(body, &request, &outcome.err);
	json_decref(body);
	if (outcome.r == 0)
		outcome.r = plug_network(site, TOPOLOGY_SINGLE, &request, &outcome.result,
			outcome.name, &outcome.err);
	return outcome;
}

/* plug/network with one address on 203.0.113.0/24. */
static struct outcome plug_port(const char *mac, const char *address)
{
	cleanup_free char *more = xformat(", \"fixed_ips\": [{\"ip_address\": \"%s\", "
					  "\"subnet_cidr\": \"203.0.113.0/24\"}]",
		address);

	return plug_network_with(mac, more);
}

static void assert_plugged(struct outcome outcome, enum plug_result result, const char *name)
{
	if (outcome.r < 0)
		fail_msg("%s", outcome.err.text);
	assert_int_equal(outcome.result, result);
	assert_string_equal(outcome.name, name);
}

static void a_vip_is_plugged_as_eth1(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ", \"mtu\": 1450"), PLUG_DONE, "eth1");
	assert_false(ip_shows("link", "ens4:"));
	assert_true(ip_shows("-n " INSIDE " link show eth1", VIP_MAC));
	assert_true(ip_shows("-n " INSIDE " link show eth1", "mtu 1450"));
	assert_true(ip_shows("-n " INSIDE " link show up", "eth1"));
	assert_true(ip_shows("-n " INSIDE " address show eth1", "198.51.100.11/24"));
	assert_true(ip_shows("-n " INSIDE " address show eth1", "198.51.100.10/32"));
	assert_true(ip_shows("-n " INSIDE " route", "default via 198.51.100.254 dev eth1"));
	assert_true(ip_shows("-n " INSIDE " route show table 1", "default via 198.51.100.254"));
	assert_true(ip_shows("-n " INSIDE " route show table 1", "233.252.0.0/24"));
	assert_true(ip_shows("-n " INSIDE " rule", "from 198.51.100.10 lookup 1"));
	assert_true(ip_shows("netns exec " INSIDE " nft list ruleset", "\"eth1\""));
	assert_true(ip_shows("-n " INSIDE " address show lo", "127.0.0.1/8"));
	assert_content("lib/plugged_interfaces", VIP_MAC " eth1\n");
}

static void plugging_a_vip_again_does_nothing(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UNCHANGED, "eth1");
}

static void what_a_plugged_vip_has_lost_is_put_back(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	ip("-n " INSIDE " address del 198.51.100.10/32 dev eth1");
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UPDATED, "eth1");
	assert_true(ip_shows("-n " INSIDE " address show eth1", "198.51.100.10/32"));
}

static void a_plugged_vip_without_a_description_gets_one(void **state)
{
	cleanup_free char *path = in_temporary_folder("interfaces/eth1.json");

	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	assert_int_equal(unlink(path), 0);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UPDATED, "eth1");
	assert_true(file_exists(path));
	temporary_file("interfaces/eth1.json", "torn");
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UPDATED, "eth1");
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UNCHANGED, "eth1");
}

static void without_the_interface_the_bus_is_asked_and_nothing_written(void **state)
{
	struct outcome outcome;
	bool has_bus = file_exists(PCI_RESCAN);

	(void)state;
	skip_without_namespaces();
	outcome = plug_vip_with(VIP_MAC, "");
	assert_int_equal(outcome.r, -ENODEV);
	assert_content("rescan", has_bus ? "1" : "");
	outcome = plug_port(PORT_MAC, "203.0.113.10");
	assert_int_equal(outcome.r, -ENODEV);
	assert_content("lib/plugged_interfaces", "");
	assert_content("interfaces/eth1.json", "");
	assert_content("interfaces/eth2.json", "");
}

static void ports_get_the_next_free_names(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("eth1", PORT_MAC);
	nic_add("eth2", PORT_MAC_2);
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_DONE, "eth2");
	assert_plugged(plug_port(PORT_MAC_2, "203.0.113.11"), PLUG_DONE, "eth3");
	assert_true(ip_shows("-n " INSIDE " address show eth2", "203.0.113.10/24"));
	assert_true(ip_shows("-n " INSIDE " address show eth3", "203.0.113.11/24"));
	assert_content("lib/plugged_interfaces", PORT_MAC " eth2\n" PORT_MAC_2 " eth3\n");
}

static void a_name_that_another_mac_is_remembered_under_is_not_free(void **state)
{
	(void)state;
	skip_without_namespaces();
	temporary_file("lib/plugged_interfaces", PORT_MAC_2 " eth2\n");
	nic_add("ens4", PORT_MAC);
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_DONE, "eth3");
}

static void a_remembered_mac_keeps_its_name(void **state)
{
	(void)state;
	skip_without_namespaces();
	temporary_file("lib/plugged_interfaces", PORT_MAC " eth7\n");
	nic_add("ens4", PORT_MAC);
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_DONE, "eth7");
}

static void a_port_that_is_plugged_is_updated_in_place(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", PORT_MAC);
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_DONE, "eth2");
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_UNCHANGED, "eth2");
	assert_plugged(plug_port(PORT_MAC, "203.0.113.20"), PLUG_UPDATED, "eth2");
	assert_true(ip_shows("-n " INSIDE " address show eth2", "203.0.113.20/24"));
	assert_false(ip_shows("-n " INSIDE " address show eth2", "203.0.113.10/24"));
	assert_content("lib/plugged_interfaces", PORT_MAC " eth2\n");
}

static void members_on_the_vips_port_are_added_to_it(void **state)
{
	static const char second_vip[] =
		", \"additional_vips\": [{\"ip_address\": \"192.0.2.10\", \"subnet_cidr\": "
		"\"192.0.2.0/24\", \"gateway\": null, \"host_routes\": []}]";
	cleanup_free char *more =
		xformat(", \"mtu\": 1400, \"fixed_ips\": [{\"ip_address\": \"203.0.113.10\", "
			"\"subnet_cidr\": \"203.0.113.0/24\"}], \"vip_net_info\": {\"vip\": "
			"\"198.51.100.10\", \"additional_vips\": [], %s}",
			vip_keys);

	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, second_vip), PLUG_DONE, "eth1");
	assert_plugged(plug_network_with(VIP_MAC, more), PLUG_UPDATED, "eth1");
	assert_true(ip_shows("-n " INSIDE " link show eth1", "mtu 1400"));
	assert_true(ip_shows("-n " INSIDE " address show eth1", "203.0.113.10/24"));
	assert_true(ip_shows("-n " INSIDE " address show eth1", "198.51.100.10/32"));
	assert_true(ip_shows("-n " INSIDE " address show eth1", "192.0.2.10/32"));
	assert_true(ip_shows("-n " INSIDE " rule", "from 192.0.2.10 lookup 1"));
	assert_plugged(plug_network_with(VIP_MAC, more), PLUG_UNCHANGED, "eth1");
	/* plug/vip knows nothing of the members, and takes nothing away. */
	assert_plugged(plug_vip_with(VIP_MAC, second_vip), PLUG_UNCHANGED, "eth1");
	assert_true(ip_shows("-n " INSIDE " address show eth1", "203.0.113.10/24"));
}

static void a_second_vip_interface_is_refused_and_changes_nothing(void **state)
{
	cleanup_free char *before = NULL;
	struct outcome outcome;

	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	nic_add("ens5", PORT_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	before = content_of("interfaces/eth1.json");
	outcome = plug_vip_with(PORT_MAC, ", \"mtu\": 1400");
	assert_int_equal(outcome.r, -EEXIST);
	assert_non_null(strstr(outcome.err.text, "eth1"));
	assert_content("interfaces/eth1.json", before);
	assert_content("lib/plugged_interfaces", VIP_MAC " eth1\n");
	assert_true(ip_shows("link", "ens5"));
}

static void a_vip_interface_that_is_gone_is_in_nobodys_way(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	nic_add("ens5", PORT_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	ip("-n " INSIDE " link del eth1");
	assert_plugged(plug_vip_with(PORT_MAC, ""), PLUG_DONE, "eth1");
	assert_content("lib/plugged_interfaces", PORT_MAC " eth1\n");
}

static void an_sriov_interface_comes_up_behind_the_allow_list(void **state)
{
	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ", \"is_sriov\": true"), PLUG_DONE, "eth1");
	assert_true(ip_shows("netns exec " INSIDE " nft list ruleset", "policy drop"));
}

static void without_a_namespace_the_interface_keeps_name_and_place(void **state)
{
	(void)state;
	skip_without_namespaces();
	site_make("");
	nic_add("ens4", VIP_MAC);
	nic_add("ens5", PORT_MAC);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "ens4");
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_UNCHANGED, "ens4");
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_DONE, "ens5");
	assert_plugged(plug_port(PORT_MAC, "203.0.113.10"), PLUG_UNCHANGED, "ens5");
	assert_true(ip_shows("address show ens4", "198.51.100.10/32"));
	assert_true(ip_shows("address show ens5", "203.0.113.10/24"));
	assert_content("lib/plugged_interfaces", VIP_MAC " ens4\n" PORT_MAC " ens5\n");
}

static void the_thread_is_back_where_it_was(void **state)
{
	struct stat before;
	struct stat after;

	(void)state;
	skip_without_namespaces();
	nic_add("ens4", VIP_MAC);
	assert_int_equal(stat("/proc/thread-self/ns/net", &before), 0);
	assert_plugged(plug_vip_with(VIP_MAC, ""), PLUG_DONE, "eth1");
	assert_int_equal(stat("/proc/thread-self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/*
 * Killed at each step. A child plugs under ptrace and is killed as it is about to make its n-th
 * system call of those that change anything: files, mounts, namespaces, and every message to the
 * kernel.
 */

static bool changes_something(long number)
{
	switch (number) {
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_rename:
	case SYS_mkdir:
	case SYS_unlink:
	case SYS_mount:
	case SYS_unshare:
	case SYS_setns:
	case SYS_fsync:
		return true;
	default:
		return false;
	}
}

/* The system call that the stopped child is about to make; -1 when it has just made one. */
static long call_about_to_be_made(pid_t child)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return -1;
	return (long)info.entry.nr;
}

/* True: killed before its n-th call; false: it plugged undisturbed. */
static bool plug_and_be_killed(struct outcome (*plug)(void), unsigned n)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(plug().r == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		bool is_call = WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
		int deliver = is_call || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);

		if (is_call && changes_something(call_about_to_be_made(child)) && --n == 0) {
			kill(child, SIGKILL);
			assert_int_equal(waitpid(child, &status, 0), child);
			return true;
		}
		ptrace(PTRACE_SYSCALL, child, NULL, deliver);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
	}
}

static void append_output(struct buf *state, const char *command)
{
	int status;
	cleanup_free char *output = command_output(command, &status);

	buf_append_format(state, "%s: %d\n%s\n", command, status, output);
}

/* All that a plug leaves; IPv6 is left out, whose addresses settle in their own time. */
static char *whole_state(void)
{
	static const char *const files[] = {"lib/plugged_interfaces", "interfaces/lo.json",
		"interfaces/eth1.json", "interfaces/eth2.json"};
	static const char *const commands[] = {"ip -n " INSIDE " -4 -br address",
		"ip -n " INSIDE " -br link", "ip -n " INSIDE " -4 route show table all",
		"ip -n " INSIDE " -4 rule", "ip netns exec " INSIDE " nft list ruleset",
		"ip -br link show ens4", "ip -br link show ens5",
		"ip netns exec " INSIDE " sysctl net.ipv4.ip_forward"};
	cleanup_buf struct buf state = BUF_INIT(MIB);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_free char *content = content_of(files[i]);

		buf_append_format(&state, "%s:\n%s\n", files[i], content);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		append_output(&state, commands[i]);
	return buf_take_text(&state);
}

static struct outcome plug_the_vip(void)
{
	return plug_vip_with(VIP_MAC, ", \"mtu\": 1450, \"is_sriov\": true");
}

static struct outcome plug_the_port(void)
{
	return plug_port(PORT_MAC, "203.0.113.10");
}

static void machine_renew(void **state)
{
	plug_case_teardown(state);
	assert_int_equal(plug_case_setup(state), 0);
	nic_add("ens4", VIP_MAC);
	nic_add("ens5", PORT_MAC);
}

/* From its line on. */
static const char *first_difference(const char *text, const char *expected)
{
	const char *line = text;

	for (; *text && *text == *expected; text++, expected++)
		if (*text == '\n')
			line = text + 1;
	return line;
}

/* For every n, until it was too late to kill: asked again, it ends as if nothing had happened. */
static void kill_at_every_step(void **state, struct outcome (*plug)(void), unsigned calls_at_least)
{
	cleanup_free char *undisturbed = NULL;
	bool killed = true;
	unsigned n;

	machine_renew(state);
	assert_int_equal(plug().r, 0);
	undisturbed = whole_state();
	for (n = 1; killed; n++) {
		cleanup_free char *disturbed = NULL;
		struct captured_log log;
		struct outcome outcome;

		machine_renew(state);
		captured_log_start(&log);
		killed = plug_and_be_killed(plug, n);
		outcome = plug();
		captured_log_stop(&log);
		if (outcome.r < 0)
			fail_msg("killed at call %u, then: %s", n, outcome.err.text);
		disturbed = whole_state();
		if (strcmp(undisturbed, disturbed) != 0)
			fail_msg("killed at call %u: %s", n,
				first_difference(disturbed, undisturbed));
	}
	print_message("         (killed at each of %u system calls)\n", n - 2);
	assert_true(n > calls_at_least);
}

static void a_vip_plugged_again_after_a_kill_at_any_step_is_plugged(void **state)
{
	skip_without_namespaces();
	kill_at_every_step(state, plug_the_vip, 30);
}

static void a_port_plugged_again_after_a_kill_at_any_step_is_plugged(void **state)
{
	skip_without_namespaces();
	kill_at_every_step(state, plug_the_port, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		plug_case(a_vip_is_plugged_as_eth1),
		plug_case(plugging_a_vip_again_does_nothing),
		plug_case(what_a_plugged_vip_has_lost_is_put_back),
		plug_case(a_plugged_vip_without_a_description_gets_one),
		plug_case(without_the_interface_the_bus_is_asked_and_nothing_written),
		plug_case(ports_get_the_next_free_names),
		plug_case(a_name_that_another_mac_is_remembered_under_is_not_free),
		plug_case(a_remembered_mac_keeps_its_name),
		plug_case(a_port_that_is_plugged_is_updated_in_place),
		plug_case(members_on_the_vips_port_are_added_to_it),
		plug_case(a_second_vip_interface_is_refused_and_changes_nothing),
		plug_case(a_vip_interface_that_is_gone_is_in_nobodys_way),
		plug_case(an_sriov_interface_comes_up_behind_the_allow_list),
		plug_case(without_a_namespace_the_interface_keeps_name_and_place),
		plug_case(the_thread_is_back_where_it_was),
		plug_case(a_vip_plugged_again_after_a_kill_at_any_step_is_plugged),
		plug_case(a_port_plugged_again_after_a_kill_at_any_step_is_plugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
