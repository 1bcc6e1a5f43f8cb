/* SPDX-License-Identifier: Apache-2.0 */
#include "net/namespace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "captured_log.h"
#include "net/plugged_interfaces.h"
#include "plug_case.h"
#include "sys/network_namespace.h"

#define MAC_1 "fa:16:3e:00:00:01"
#define MAC_2 "fa:16:3e:00:00:02"
#define MAC_3 "fa:16:3e:00:00:03"

static void ensure(void)
{
	struct err err = ERR_NONE;

	if (namespace_ensure(site, &err) < 0)
		fail_msg("%s", err.text);
}

static ino_t inode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

static void assert_sysctl(const char *name, const char *expected)
{
	cleanup_free char *command = xformat("ip netns exec " INSIDE " sysctl -n %s", name);
	int status;
	cleanup_free char *value = command_output(command, &status);

	value[strcspn(value, "\n")] = '\0';
	assert_string_equal(value, expected);
}

static void it_is_made_for_ip_netns_to_see(void **state)
{
	(void)state;
	skip_without_namespaces();
	ensure();
	assert_true(ip_shows("netns list", INSIDE));
	assert_true(ip_shows("netns exec " INSIDE " ip link show lo", "LOOPBACK,UP"));
	assert_true(ip_shows("-n " INSIDE " address show lo", "127.0.0.1/8"));
	assert_true(inode_of("/run/netns/" INSIDE) != inode_of("/proc/thread-self/ns/net"));
}

static void loopback_is_described(void **state)
{
	CLEANUP(description_deinit) struct interface_description description = {0};

	(void)state;
	skip_without_namespaces();
	ensure();
	assert_int_equal(description_load(site->interfaces_dir, "lo", &description, NULL), 0);
	assert_int_equal(description.type, INTERFACE_LO);
	assert_int_equal(description.address_count, 1);
	assert_int_equal(description.addresses[0].prefix_length, 8);
}

/* Above a file system that lets nobody write. */
static void a_disk_that_takes_nothing_keeps_it_from_nobody(void **state)
{
	cleanup_free char *interfaces = in_temporary_folder("interfaces");
	struct captured_log log;

	(void)state;
	skip_without_namespaces();
	assert_int_equal(mkdir(interfaces, 0755), 0);
	assert_int_equal(mount("tmpfs", interfaces, "tmpfs", MS_RDONLY, NULL), 0);
	captured_log_start(&log);
	ensure();
	assert_int_equal(captured_log_count(&log, "lo.json"), 1);
	captured_log_stop(&log);
	umount2(interfaces, MNT_DETACH);
	assert_true(ip_shows("-n " INSIDE " address show lo up", "127.0.0.1/8"));
}

static void its_sysctls_are_set_inside_alone(void **state)
{
	int status;
	cleanup_free char *outside = NULL;

	(void)state;
	skip_without_namespaces();
	outside = command_output("sysctl -n net.ipv4.ip_nonlocal_bind", &status);
	ensure();
	assert_sysctl("net.ipv4.ip_forward", "1");
	assert_sysctl("net.ipv6.conf.all.forwarding", "1");
	assert_sysctl("net.ipv4.ip_nonlocal_bind", "1");
	assert_sysctl("net.ipv6.ip_nonlocal_bind", "1");
	assert_sysctl("net.ipv4.ping_group_range", "0\t2147483647");
	assert_string_equal(outside, "0\n");
}

static void the_systems_own_sysctls_hold_inside_and_ours_win(void **state)
{
	cleanup_free char *folder = in_temporary_folder("sysctl.d");
	int status;
	cleanup_free char *before = NULL;
	cleanup_free char *after = NULL;

	(void)state;
	skip_without_namespaces();
	before = command_output("sysctl kernel.printk_ratelimit_burst", &status);
	assert_int_equal(mkdir(folder, 0755), 0);
	temporary_file("sysctl.d/99-test.conf", "net.ipv4.tcp_fin_timeout = 7\n"
						"net/ipv4/tcp_retries2=9\n"
						"net.ipv4.ip_forward = 0\n"
						"kernel.printk_ratelimit_burst = 11\n");
	assert_int_equal(mount(folder, "/etc/sysctl.d", NULL, MS_BIND, NULL), 0);
	ensure();
	umount2("/etc/sysctl.d", MNT_DETACH);
	assert_sysctl("net.ipv4.tcp_fin_timeout", "7");
	assert_sysctl("net.ipv4.tcp_retries2", "9");
	assert_sysctl("net.ipv4.ip_forward", "1");
	/* The machine's own. */
	after = command_output("sysctl kernel.printk_ratelimit_burst", &status);
	assert_string_equal(after, before);
}

static void a_second_time_changes_nothing(void **state)
{
	ino_t first;

	(void)state;
	skip_without_namespaces();
	ensure();
	first = inode_of("/run/netns/" INSIDE);
	ensure();
	assert_true(inode_of("/run/netns/" INSIDE) == first);
}

static void one_that_ip_netns_made_is_used(void **state)
{
	ino_t first;

	(void)state;
	skip_without_namespaces();
	ip("netns add " INSIDE);
	first = inode_of("/run/netns/" INSIDE);
	ensure();
	assert_true(inode_of("/run/netns/" INSIDE) == first);
	assert_true(ip_shows("-n " INSIDE " address show lo", "127.0.0.1/8"));
	assert_sysctl("net.ipv4.ip_forward", "1");
}

static void ip_netns_removes_what_we_made(void **state)
{
	(void)state;
	skip_without_namespaces();
	ensure();
	ip("netns delete " INSIDE);
	assert_false(file_exists("/run/netns/" INSIDE));
	ensure();
	assert_true(network_namespace_exists(INSIDE));
}

static void a_file_that_a_crash_left_is_used(void **state)
{
	(void)state;
	skip_without_namespaces();
	assert_int_equal(file_replace("/run/netns/" INSIDE, "", 0, 0444, NULL), 0);
	assert_false(network_namespace_exists(INSIDE));
	ensure();
	assert_true(network_namespace_exists(INSIDE));
	assert_true(ip_shows("netns exec " INSIDE " ip link show lo", "LOOPBACK,UP"));
}

static int fail_to_prepare(const void *context, struct err *err)
{
	(void)context;
	return err_set(err, -EIO, "on purpose");
}

static void one_that_cannot_be_prepared_never_appears(void **state)
{
	ino_t home;
	struct err err = ERR_NONE;
	bool made;

	(void)state;
	skip_without_namespaces();
	home = inode_of("/proc/thread-self/ns/net");
	assert_int_equal(network_namespace_make(INSIDE, fail_to_prepare, NULL, &made, &err), -EIO);
	assert_non_null(strstr(err.text, "on purpose"));
	assert_false(file_exists("/run/netns/" INSIDE));
	assert_true(inode_of("/proc/thread-self/ns/net") == home);
}

static int prepare_slowly(const void *context, struct err *err)
{
	(void)err;
	sem_post((sem_t *)context);
	clock_sleep_ms(100);
	return 0;
}

static void *make_slowly(void *has_begun)
{
	bool made;

	network_namespace_make(INSIDE, prepare_slowly, has_begun, &made, NULL);
	return NULL;
}

static void one_that_is_just_being_made_is_waited_for(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	pthread_t maker;
	sem_t has_begun;

	(void)state;
	skip_without_namespaces();
	sem_init(&has_begun, 0, 0);
	assert_int_equal(pthread_create(&maker, NULL, make_slowly, &has_begun), 0);
	sem_wait(&has_begun);
	assert_int_equal(network_namespace_enter(INSIDE, &stay, NULL), 0);
	network_namespace_leave(&stay);
	pthread_join(maker, NULL);
	sem_destroy(&has_begun);
}

static void a_name_that_leaves_the_folder_is_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "../etc"};
	bool made;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(network_namespace_make(bad[i], fail_to_prepare, NULL, &made, NULL),
			-EINVAL);
		assert_false(network_namespace_exists(bad[i]));
	}
}

/* Each with a lock of its own, as two agents would have: what `ip netns` locks still holds. */
static void of_two_that_make_it_at_once_one_does(void **state)
{
	enum { MAKERS = 4 };
	pid_t makers[MAKERS];
	struct captured_log log;
	int status;

	(void)state;
	skip_without_namespaces();
	captured_log_start(&log);
	for (int i = 0; i < MAKERS; i++) {
		makers[i] = fork();
		if (makers[i] == 0)
			_exit(namespace_ensure(site, NULL) == 0 ? 0 : 1);
	}
	for (int i = 0; i < MAKERS; i++) {
		assert_int_equal(waitpid(makers[i], &status, 0), makers[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(captured_log_count(&log, "namespace " INSIDE " made"), 1);
	captured_log_stop(&log);
	assert_int_equal(umount2("/run/netns/" INSIDE, MNT_DETACH), 0);
	/* A second one below it would show now. */
	assert_false(network_namespace_exists(INSIDE));
}

static void without_a_namespace_nothing_is_done(void **state)
{
	(void)state;
	skip_without_namespaces();
	site_make("");
	ensure();
	assert_true(namespace_restore(site));
	assert_content("interfaces/lo.json", "");
	assert_false(ip_shows("netns list", "amphora"));
}

/* An interface as it was plugged: described, and remembered. */
static void plugged(const char *mac_text, const char *name, const char *address_text)
{
	CLEANUP(description_deinit)
	struct interface_description description = {.type = INTERFACE_BACKEND};
	struct described_address address = {.is_ours = true};
	struct mac mac;

	snprintf(description.name, sizeof(description.name), "%s", name);
	assert_int_equal(address_parse(address_text, &address.address), 0);
	address.prefix_length = address.address.family == AF_INET ? 24 : 64;
	description_add_address(&description, &address);
	assert_int_equal(description_store(site->interfaces_dir, &description, NULL), 0);
	assert_int_equal(mac_parse(mac_text, &mac), 0);
	assert_int_equal(
		plugged_interfaces_set(site->plugged_interfaces_path, &mac, name, NULL), 0);
}

static void after_a_boot_interfaces_are_back_under_their_names(void **state)
{
	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	plugged(MAC_2, "eth2", "203.0.113.10");
	nic_add("ens4", MAC_1);
	nic_add("ens5", MAC_2);
	nic_add("ens6", MAC_3);
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " link show eth1", MAC_1));
	assert_true(ip_shows("-n " INSIDE " link show eth2", MAC_2));
	assert_true(ip_shows("-n " INSIDE " address show eth1 up", "198.51.100.10/24"));
	assert_true(ip_shows("-n " INSIDE " address show eth2 up", "203.0.113.10/24"));
	assert_true(ip_shows("netns exec " INSIDE " nft list ruleset", "\"eth2\""));
	/* Not ours: the management interface. */
	assert_true(ip_shows("link", "ens6"));
}

static void interfaces_that_came_up_under_each_others_names_are_told_apart(void **state)
{
	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	plugged(MAC_2, "eth2", "203.0.113.10");
	nic_add("eth2", MAC_1);
	nic_add("eth1", MAC_2);
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " link show eth1", MAC_1));
	assert_true(ip_shows("-n " INSIDE " link show eth2", MAC_2));
}

/* LP #2027995: udev adds them, and text tools took them for the name. */
static void altnames_do_not_confuse(void **state)
{
	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	plugged(MAC_2, "eth2", "203.0.113.10");
	nic_add("ens4", MAC_1);
	nic_add("ens5", MAC_2);
	nic_add("ens6", MAC_3);
	ip("link property add dev ens4 altname enp0s4 altname eth2");
	ip("link property add dev ens5 altname eth1");
	ip("link property add dev ens6 altname eth3");
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " link show eth1", MAC_1));
	assert_true(ip_shows("-n " INSIDE " link show eth2", MAC_2));
	assert_true(ip_shows("link show eth3", MAC_3));
}

static void restoring_again_changes_nothing(void **state)
{
	struct captured_log log;

	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	captured_log_start(&log);
	assert_true(namespace_restore(site));
	assert_string_equal(captured_log_text(&log), "");
	captured_log_stop(&log);
}

static void what_was_lost_meanwhile_is_put_back(void **state)
{
	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	ip("-n " INSIDE " link set eth1 down");
	ip("-n " INSIDE " address flush dev eth1");
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " address show eth1 up", "198.51.100.10/24"));
}

static void an_interface_whose_port_was_deleted_is_no_failure(void **state)
{
	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	plugged(MAC_2, "eth2", "203.0.113.10");
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " address show eth1 up", "198.51.100.10/24"));
}

static void one_bad_file_does_not_stop_the_others(void **state)
{
	struct captured_log log;

	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	plugged(MAC_2, "eth2", "203.0.113.10");
	temporary_file("interfaces/eth1.json", "torn");
	nic_add("ens4", MAC_1);
	nic_add("ens5", MAC_2);
	captured_log_start(&log);
	assert_false(namespace_restore(site));
	assert_int_equal(captured_log_count(&log, "eth1.json"), 1);
	captured_log_stop(&log);
	assert_true(ip_shows("-n " INSIDE " address show eth2 up", "203.0.113.10/24"));
}

/* Who is inside already, as when the agent alone starts again, needs no list of those outside. */
static void a_list_of_the_plugged_that_cannot_be_read_does_not_stop_the_rest(void **state)
{
	struct captured_log log;

	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	ip("-n " INSIDE " address flush dev eth1");
	assert_int_equal(unlink(site->plugged_interfaces_path), 0);
	assert_int_equal(mkdir(site->plugged_interfaces_path, 0755), 0);
	captured_log_start(&log);
	assert_false(namespace_restore(site));
	assert_int_equal(captured_log_count(&log, "plugged_interfaces"), 1);
	captured_log_stop(&log);
	assert_true(ip_shows("-n " INSIDE " address show eth1 up", "198.51.100.10/24"));
}

/* A plug that was killed before it stored a list. */
static void an_sriov_interface_without_a_stored_list_comes_up_behind_an_empty_one(void **state)
{
	CLEANUP(description_deinit) struct interface_description description = {0};

	(void)state;
	skip_without_namespaces();
	plugged(MAC_1, "eth1", "198.51.100.10");
	assert_int_equal(description_load(site->interfaces_dir, "eth1", &description, NULL), 0);
	description.is_sriov = true;
	assert_int_equal(description_store(site->interfaces_dir, &description, NULL), 0);
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	assert_true(ip_shows("-n " INSIDE " address show eth1 up", "198.51.100.10/24"));
	assert_true(ip_shows("netns exec " INSIDE " nft list ruleset", "policy drop"));
}

static void a_name_that_another_interface_has_is_not_taken_from_it(void **state)
{
	struct captured_log log;

	(void)state;
	skip_without_namespaces();
	ensure();
	nic_add("ens5", MAC_2);
	ip("link set ens5 netns " INSIDE " name eth1");
	plugged(MAC_1, "eth1", "198.51.100.10");
	nic_add("ens4", MAC_1);
	captured_log_start(&log);
	assert_false(namespace_restore(site));
	assert_int_equal(captured_log_count(&log, MAC_1), 1);
	captured_log_stop(&log);
	assert_true(ip_shows("-n " INSIDE " link show eth1", MAC_2));
	assert_true(ip_shows("link show ens4", MAC_1));
}

static void interfaces_are_found_without_a_namespace_too(void **state)
{
	(void)state;
	skip_without_namespaces();
	site_make("");
	plugged(MAC_1, "ens4", "198.51.100.10");
	nic_add("ens4", MAC_1);
	assert_true(namespace_restore(site));
	assert_true(ip_shows("address show ens4 up", "198.51.100.10/24"));
}

/*
 * Duplicate address detection, of two probes here, takes two or three seconds for each; one after
 * the other would be 8 s.
 */
static void interfaces_wait_for_duplicate_addresses_side_by_side(void **state)
{
	int64_t started_ms;

	(void)state;
	skip_without_namespaces();
	for (int i = 1; i <= 4; i++) {
		cleanup_free char *mac = xformat("fa:16:3e:00:00:0%d", i);
		cleanup_free char *name = xformat("eth%d", i);
		cleanup_free char *outer = xformat("ens%d", i);
		cleanup_free char *address = xformat("2001:db8:%d::10", i);

		plugged(mac, name, address);
		nic_add(outer, mac);
	}
	ensure();
	ip("netns exec " INSIDE " sysctl -qw net.ipv6.conf.default.dad_transmits=2");
	started_ms = clock_now_ms();
	assert_true(namespace_restore(site));
	assert_in_range(clock_now_ms() - started_ms, 2000, 7900);
	assert_true(ip_shows("-n " INSIDE " address show eth4", "2001:db8:4::10/64"));
	assert_false(ip_shows("-n " INSIDE " address show to 2001:db8::/32", "tentative"));
}

static void an_interface_that_is_nowhere_is_told_so(void **state)
{
	struct err err = ERR_NONE;
	struct mac mac;

	(void)state;
	skip_without_namespaces();
	ensure();
	assert_int_equal(mac_parse(MAC_1, &mac), 0);
	assert_int_equal(namespace_take(site, &mac, "eth1", &err), -ENODEV);
	assert_non_null(strstr(err.text, MAC_1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		plug_case(it_is_made_for_ip_netns_to_see),
		plug_case(loopback_is_described),
		plug_case(a_disk_that_takes_nothing_keeps_it_from_nobody),
		plug_case(its_sysctls_are_set_inside_alone),
		plug_case(the_systems_own_sysctls_hold_inside_and_ours_win),
		plug_case(a_second_time_changes_nothing),
		plug_case(one_that_ip_netns_made_is_used),
		plug_case(ip_netns_removes_what_we_made),
		plug_case(a_file_that_a_crash_left_is_used),
		plug_case(one_that_cannot_be_prepared_never_appears),
		plug_case(one_that_is_just_being_made_is_waited_for),
		plug_case(a_name_that_leaves_the_folder_is_refused),
		plug_case(of_two_that_make_it_at_once_one_does),
		plug_case(without_a_namespace_nothing_is_done),
		plug_case(after_a_boot_interfaces_are_back_under_their_names),
		plug_case(interfaces_that_came_up_under_each_others_names_are_told_apart),
		plug_case(altnames_do_not_confuse),
		plug_case(restoring_again_changes_nothing),
		plug_case(what_was_lost_meanwhile_is_put_back),
		plug_case(an_interface_whose_port_was_deleted_is_no_failure),
		plug_case(one_bad_file_does_not_stop_the_others),
		plug_case(a_list_of_the_plugged_that_cannot_be_read_does_not_stop_the_rest),
		plug_case(an_sriov_interface_without_a_stored_list_comes_up_behind_an_empty_one),
		plug_case(a_name_that_another_interface_has_is_not_taken_from_it),
		plug_case(interfaces_are_found_without_a_namespace_too),
		plug_case(interfaces_wait_for_duplicate_addresses_side_by_side),
		plug_case(an_interface_that_is_nowhere_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
