/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/master.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "captured_log.h"
#include "temporary_folder.h"
#include "unix_socket.h"

#define HEAD "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"

static struct haproxy_processes parsed(const char *text)
{
	struct haproxy_processes processes;
	struct err err = ERR_NONE;

	if (haproxy_processes_parse(text, &processes, &err) < 0)
		fail_msg("%s", err.text);
	return processes;
}

static void a_fresh_haproxy_2_6_has_one_worker(void **state)
{
	struct haproxy_processes processes = parsed(HEAD
		"13035           master          0 [failed: 0]   0d00h00m00s     2.6.12-1+deb12u4\n"
		"# workers\n"
		"13040           worker          0               0d00h00m00s     2.6.12-1+deb12u4\n"
		"# programs\n\n");

	(void)state;
	assert_int_equal(processes.master, 13035);
	assert_int_equal(processes.reloads, 0);
	assert_int_equal(processes.failed, 0);
	assert_int_equal(processes.worker, 13040);
	assert_int_equal(processes.worker_reloads, 0);
	assert_int_equal(processes.old_workers, 0);
}

static void old_workers_are_counted_apart(void **state)
{
	struct haproxy_processes processes = parsed(HEAD
		"24841           master          7 [failed: 0]   0d00h00m02s     3.4.0-64a335366\n"
		"# workers\n"
		"24927           worker          0               0d00h00m01s     3.4.0-64a335366\n"
		"# old workers\n"
		"24849           worker          1               0d00h00m02s     3.4.0-64a335366\n"
		"24000           worker          5               0d00h00m02s     "
		"3.4.0-64a335366\n");

	(void)state;
	assert_int_equal(processes.reloads, 7);
	assert_int_equal(processes.worker, 24927);
	assert_int_equal(processes.old_workers, 2);
}

static void all_workers_are_named(void **state)
{
	cleanup_free pid_t *workers = NULL;
	size_t count = 77;

	(void)state;
	haproxy_workers_parse(HEAD
		"24841           master          7 [failed: 0]   0d00h00m02s     3.4.0\n"
		"# workers\n"
		"24927           worker          0               0d00h00m01s     3.4.0\n"
		"# old workers\n"
		"24849           worker          1               0d00h00m02s     3.4.0\n"
		"24000           worker          5               0d00h00m02s     3.4.0\n"
		"# programs\n"
		"24001           prog            0               0d00h00m02s     -\n\n",
		&workers, &count);
	assert_int_equal(count, 3);
	assert_int_equal(workers[0], 24927);
	assert_int_equal(workers[1], 24849);
	assert_int_equal(workers[2], 24000);
}

static void what_is_no_list_of_processes_names_no_worker(void **state)
{
	static const char *const texts[] = {"", "\n", "Unknown command", "worker 7", "x worker 1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cleanup_free pid_t *workers = NULL;
		size_t count = 77;

		haproxy_workers_parse(texts[i], &workers, &count);
		assert_int_equal(count, 0);
	}
}

static void a_failed_reload_is_counted_and_the_worker_goes_on(void **state)
{
	struct haproxy_processes processes = parsed(HEAD
		"14916           master          3 [failed: 2]   0d00h00m01s     2.6.12-1+deb12u4\n"
		"# workers\n"
		"14934           worker          2               0d00h00m01s     2.6.12-1+deb12u4\n"
		"# programs\n\n");

	(void)state;
	assert_int_equal(processes.reloads, 3);
	assert_int_equal(processes.failed, 2);
	assert_int_equal(processes.worker, 14934);
	assert_int_equal(processes.worker_reloads, 2);
}

static void after_a_failed_reload_3_4_hides_the_worker_among_the_old(void **state)
{
	struct haproxy_processes processes = parsed(HEAD
		"24841           master          2 [failed: 1]   0d00h00m05s     3.4.0-64a335366\n"
		"# workers\n"
		"# old workers\n"
		"24849           worker          2               0d00h00m09s     3.4.0-64a335366\n"
		"24927           worker          1               0d00h00m04s     "
		"3.4.0-64a335366\n");

	(void)state;
	assert_int_equal(processes.worker, 24927);
	assert_int_equal(processes.old_workers, 1);
}

static void a_master_without_a_worker_has_none(void **state)
{
	struct haproxy_processes processes = parsed(
		HEAD "1  master  0 [failed: 0]  0d00h00m00s  2.6.12\n# workers\n# old workers\n"
		     "7  worker  1  0d00h00m00s  2.6.12\n");

	(void)state;
	assert_int_equal(processes.worker, 0);
	assert_int_equal(processes.old_workers, 1);
}

static void assert_refused(const char *text)
{
	struct haproxy_processes processes;
	struct err err = ERR_NONE;

	assert_int_equal(haproxy_processes_parse(text, &processes, &err), -EBADMSG);
	assert_true(err.text[0] != '\0');
}

static void what_is_no_show_proc_is_refused(void **state)
{
	(void)state;
	assert_refused("");
	assert_refused("Unknown command\n");
	assert_refused(HEAD);
	assert_refused(HEAD "1 master\n");
	assert_refused(HEAD "1 master 0 [failed: x] 0d 2.6\n");
	assert_refused(HEAD "1 master 0 [failed: 1\n");
	assert_refused(HEAD "1 master 0 [failed: 0] 0d 2.6\n# workers\n2 worker x\n");
	assert_refused(HEAD "99999999999 master 0 [failed: 0] 0d 2.6\n");
}

static void nobody_listening_is_said_so(void **state)
{
	struct haproxy_processes processes;
	struct err err = ERR_NONE;
	pid_t worker;

	(void)state;
	assert_int_equal(
		haproxy_master_processes("/nonexistent/x.sock", &processes, &err), -ENOENT);
	assert_int_equal(haproxy_master_wait("/nonexistent/x.sock", 30, &worker, &err), -ETIMEDOUT);
}

/*
 * A master that reloads: worker 2 makes way for 3, and notices when it has been asked so often.
 */
struct reloading_master {
	int listener;
	bool has_reloaded;
	unsigned asked_old_worker, notices_when_asked;
};

static const char *master_answer(struct reloading_master *master, const char *command)
{
	if (strstr(command, "show proc"))
		return master->has_reloaded ? HEAD
			       "1 master 1 [failed: 0] 0d 2.6\n# workers\n3 worker 0 0d 2.6\n"
			       "# old workers\n2 worker 1 0d 2.6\n"
					    : HEAD
			       "1 master 0 [failed: 0] 0d 2.6\n# workers\n2 worker 0 0d 2.6\n";
	if (strstr(command, "@!3 show version"))
		return "2.6\n";
	if (strstr(command, "@!2 show info"))
		return ++master->asked_old_worker < master->notices_when_asked
			       ? "Name: HAProxy\nStopping: 0\nJobs: 2\n"
			       : "Name: HAProxy\nStopping: 1\nJobs: 1\n";
	master->has_reloaded = strstr(command, "reload");
	return "";
}

/* Until its listener is shut down. */
static void *master_serve(void *context)
{
	struct reloading_master *master = context;
	const char *answer;
	char command[128];
	int fd;

	while ((fd = accept(master->listener, NULL, NULL)) >= 0) {
		ssize_t size = read(fd, command, sizeof(command) - 1);

		command[size > 0 ? size : 0] = '\0';
		answer = master_answer(master, command);
		send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

/* The worker that the reload is said to have brought. */
static pid_t reloaded_worker(struct reloading_master *master)
{
	cleanup_free char *path = in_temporary_folder("master.sock");
	cleanup_buf struct buf output = BUF_INIT(KIB);
	struct err err = ERR_NONE;
	pthread_t thread;
	pid_t worker = 0;

	master->listener = unix_socket_listen(path);
	pthread_create(&thread, NULL, master_serve, master);
	if (haproxy_master_reload(path, 20000, &worker, &output, &err) < 0)
		fail_msg("%s", err.text);
	shutdown(master->listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(master->listener);
	return worker;
}

static void a_reload_is_over_when_the_old_worker_accepts_nothing_more(void **state)
{
	struct reloading_master master = {.notices_when_asked = 3};

	(void)state;
	assert_int_equal(reloaded_worker(&master), 3);
	assert_int_equal(master.asked_old_worker, 3);
}

static void an_old_worker_that_never_notices_is_logged_and_fails_no_reload(void **state)
{
	struct reloading_master master = {.notices_when_asked = UINT_MAX};
	struct captured_log log;

	(void)state;
	captured_log_start(&log);
	assert_int_equal(reloaded_worker(&master), 3);
	assert_int_equal(captured_log_count(&log, "worker 2 still accepts connections"), 1);
	captured_log_stop(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_haproxy_2_6_has_one_worker),
		cmocka_unit_test(old_workers_are_counted_apart),
		cmocka_unit_test(all_workers_are_named),
		cmocka_unit_test(what_is_no_list_of_processes_names_no_worker),
		cmocka_unit_test(a_failed_reload_is_counted_and_the_worker_goes_on),
		cmocka_unit_test(after_a_failed_reload_3_4_hides_the_worker_among_the_old),
		cmocka_unit_test(a_master_without_a_worker_has_none),
		cmocka_unit_test(what_is_no_show_proc_is_refused),
		cmocka_unit_test(nobody_listening_is_said_so),
		with_temporary_folder(a_reload_is_over_when_the_old_worker_accepts_nothing_more),
		with_temporary_folder(
			an_old_worker_that_never_notices_is_logged_and_fails_no_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
