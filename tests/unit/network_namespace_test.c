/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/procfs.h"

/* A network namespace of this test alone, made as "ip netns add" does; "" when we may not. */
static char namespace_name[64];
static char namespace_path[128];

/* Which network namespace the calling thread is in. */
static ino_t present_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static ino_t throw_away_namespace(void)
{
	struct stat status;

	assert_int_equal(stat(namespace_path, &status), 0);
	return status.st_ino;
}

/*
 * Runs in a thread of its own, which takes its new namespace with it when it ends. The one
 * interface there is called what none is called outside.
 */
static void *namespace_make(void *made)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_newname = "eth777"};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return NULL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFNAME, &loopback) < 0)
		return NULL;
	close(fd);
	if (mount("/proc/thread-self/ns/net", namespace_path, NULL, MS_BIND, NULL) < 0)
		return NULL;
	return made;
}

static int set_up(void **state)
{
	pthread_t thread;
	void *made = NULL;
	int fd;

	(void)state;
	snprintf(namespace_name, sizeof(namespace_name), "unit-test-%d", getpid());
	snprintf(namespace_path, sizeof(namespace_path), "/run/netns/%s", namespace_name);
	mkdir("/run/netns", 0755);
	fd = open(namespace_path, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
	if (fd >= 0) {
		close(fd);
		pthread_create(&thread, NULL, namespace_make, namespace_path);
		pthread_join(thread, &made);
	}
	if (!made) {
		unlink(namespace_path);
		namespace_name[0] = '\0';
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (namespace_name[0]) {
		umount2(namespace_path, MNT_DETACH);
		unlink(namespace_path);
	}
	return 0;
}

static void skip_without_namespaces(void)
{
	if (!namespace_name[0]) {
		print_message("         (needs CAP_SYS_ADMIN)\n");
		skip();
	}
}

static void the_thread_goes_there_and_comes_back(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	ino_t home = present_namespace();
	struct err err = ERR_NONE;

	(void)state;
	skip_without_namespaces();
	assert_int_equal(network_namespace_enter(namespace_name, &stay, &err), 0);
	assert_int_equal(present_namespace(), throw_away_namespace());
	assert_int_not_equal(present_namespace(), home);
	network_namespace_leave(&stay);
	assert_int_equal(present_namespace(), home);
	assert_int_equal(stay.home, -1);
	network_namespace_leave(&stay);
	assert_int_equal(present_namespace(), home);
}

static void the_end_of_the_scope_takes_the_thread_back(void **state)
{
	ino_t home = present_namespace();

	(void)state;
	skip_without_namespaces();
	{
		cleanup_network_namespace struct network_namespace_stay stay =
			NETWORK_NAMESPACE_STAY_NONE;

		assert_int_equal(network_namespace_enter(namespace_name, &stay, NULL), 0);
		assert_int_not_equal(present_namespace(), home);
	}
	assert_int_equal(present_namespace(), home);
}

/* Two meetings: the other thread exists before the first, and looks between the two. */
struct observer {
	pthread_barrier_t meeting;
	ino_t seen;
};

static void *observer_run(void *context)
{
	struct observer *observer = context;

	pthread_barrier_wait(&observer->meeting);
	observer->seen = present_namespace();
	pthread_barrier_wait(&observer->meeting);
	return NULL;
}

static void another_thread_stays_where_it_is(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	struct observer observer = {0};
	ino_t home = present_namespace();
	pthread_t thread;

	(void)state;
	skip_without_namespaces();
	pthread_barrier_init(&observer.meeting, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, observer_run, &observer), 0);
	assert_int_equal(network_namespace_enter(namespace_name, &stay, NULL), 0);
	pthread_barrier_wait(&observer.meeting);
	pthread_barrier_wait(&observer.meeting);
	pthread_join(thread, NULL);
	network_namespace_leave(&stay);
	assert_int_equal(observer.seen, home);
	pthread_barrier_destroy(&observer.meeting);
}

static void no_name_means_staying(void **state)
{
	struct network_namespace_stay stay = {.home = 1000};
	ino_t home = present_namespace();

	(void)state;
	assert_int_equal(network_namespace_enter(NULL, &stay, NULL), 0);
	assert_int_equal(stay.home, -1);
	stay.home = 1000;
	assert_int_equal(network_namespace_enter("", &stay, NULL), 0);
	assert_int_equal(stay.home, -1);
	assert_int_equal(present_namespace(), home);
	network_namespace_leave(&stay);
}

static void a_name_that_is_not_there_is_enoent(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(network_namespace_enter("unit-test-nowhere", &stay, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/run/netns/unit-test-nowhere"));
	assert_int_equal(stay.home, -1);
}

static void a_name_cannot_leave_the_folder(void **state)
{
	static const char *const names[] = {"..", ".", "../netns/x", "/proc/self/ns/net", "a/b"};
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(network_namespace_enter(names[i], &stay, NULL), -EINVAL);
}

static void a_file_that_is_no_namespace_is_refused(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	ino_t home = present_namespace();
	char name[64];
	char path[128];
	int fd;

	(void)state;
	skip_without_namespaces();
	snprintf(name, sizeof(name), "unit-test-stale-%d", getpid());
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0444);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(network_namespace_enter(name, &stay, NULL), -ENXIO);
	unlink(path);
	assert_int_equal(present_namespace(), home);
	assert_int_equal(stay.home, -1);
}

static void what_is_read_there_is_what_is_there(void **state)
{
	struct procfs_interfaces interfaces = {0};
	ino_t home = present_namespace();

	(void)state;
	skip_without_namespaces();
	assert_int_equal(procfs_read_interfaces(namespace_name, "eth", &interfaces, NULL), 0);
	assert_int_equal(interfaces.count, 1);
	assert_string_equal(interfaces.items[0].name, "eth777");
	assert_int_equal(present_namespace(), home);
	procfs_interfaces_deinit(&interfaces);
	assert_int_equal(procfs_read_interfaces(NULL, "eth777", &interfaces, NULL), 0);
	assert_int_equal(interfaces.count, 0);
}

static void a_way_back_that_fails_ends_the_program(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0) {
		/* A home that is no namespace: setns() refuses it. */
		struct network_namespace_stay stay = {
			.home = open("/dev/null", O_RDONLY | O_CLOEXEC)};

		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		network_namespace_leave(&stay);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void stays_leave_no_descriptor_open(void **state)
{
	struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	int first = dup(STDIN_FILENO);
	int again;

	(void)state;
	skip_without_namespaces();
	close(first);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(network_namespace_enter(namespace_name, &stay, NULL), 0);
		network_namespace_leave(&stay);
		network_namespace_enter("unit-test-nowhere", &stay, NULL);
	}
	again = dup(STDIN_FILENO);
	close(again);
	assert_int_equal(again, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_thread_goes_there_and_comes_back),
		cmocka_unit_test(the_end_of_the_scope_takes_the_thread_back),
		cmocka_unit_test(another_thread_stays_where_it_is),
		cmocka_unit_test(no_name_means_staying),
		cmocka_unit_test(a_name_that_is_not_there_is_enoent),
		cmocka_unit_test(a_name_cannot_leave_the_folder),
		cmocka_unit_test(a_file_that_is_no_namespace_is_refused),
		cmocka_unit_test(what_is_read_there_is_what_is_there),
		cmocka_unit_test(a_way_back_that_fails_ends_the_program),
		cmocka_unit_test(stays_leave_no_descriptor_open),
	};

	return cmocka_run_group_tests_name("network_namespace", tests, set_up, tear_down);
}
