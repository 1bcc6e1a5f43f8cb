/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/instance.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "haproxy/launch.h"
#include "haproxy/restore.h"
#include "eventually.h"
#include "real_haproxy.h"

static struct member a;

static int setup(void **state)
{
	member_start(&a, 'a');
	return site_setup(state);
}

static int teardown(void **state)
{
	member_stop(&a);
	return site_teardown(state);
}

static char *config_with_member(uint16_t port)
{
	cleanup_free char *servers = xformat("    server a 127.0.0.1:%u weight 1\n", a.port);

	return config_make(port, "", servers);
}

static void assert_file_holds(enum haproxy_file file, const char *expected)
{
	cleanup_free char *path = path_of(file);
	cleanup_buf struct buf content = BUF_INIT(MIB);

	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_string_equal(buf_text(&content), expected);
}

static bool is_there(enum haproxy_file file)
{
	cleanup_free char *path = path_of(file);

	return file_exists(path);
}

static void an_uploaded_config_is_installed_for_root_only_and_runs(void **state)
{
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	cleanup_free char *path = path_of(HAPROXY_FILE_CONFIG);
	struct stat status;

	(void)state;
	assert_uploaded(config);
	assert_file_holds(HAPROXY_FILE_CONFIG, config);
	assert_false(is_there(HAPROXY_FILE_CONFIG_NEW));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_false(haproxy_instance_is_running(site, &lb));
	assert_act(START, "start");
	assert_true(haproxy_instance_is_running(site, &lb));
	assert_true(haproxy_instance_worker(site, &lb) > 0);
	assert_served_by(port, "a");
}

static void starting_what_runs_does_nothing(void **state)
{
	cleanup_free char *config = config_with_member(free_port());
	pid_t worker;

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	worker = haproxy_instance_worker(site, &lb);
	assert_act(START, "none");
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
}

static void a_refused_upload_leaves_the_installed_config_alone(void **state)
{
	cleanup_free char *config = config_with_member(free_port());

	(void)state;
	assert_uploaded(config);
	assert_int_equal(upload("frontend f\n    blind :80\n"), -EBADMSG);
	assert_non_null(strstr(last_output, "blind"));
	assert_file_holds(HAPROXY_FILE_CONFIG, config);
	assert_file_holds(HAPROXY_FILE_CONFIG_FAILED, "frontend f\n    blind :80\n");
	assert_false(is_there(HAPROXY_FILE_CONFIG_NEW));
}

static void a_refused_first_upload_makes_no_load_balancer(void **state)
{
	(void)state;
	assert_int_equal(upload("nonsense\n"), -EBADMSG);
	assert_false(haproxy_instance_exists(site, &lb));
	assert_int_equal(act(RELOAD), -ENOENT);
	assert_int_equal(act(START), -ENOENT);
	assert_int_equal(act(STOP), -ENOENT);
}

static void lines_of_older_controllers_are_mended_on_the_way(void **state)
{
	cleanup_free char *servers = xformat("    server a 127.0.0.1:%u\n", a.port);
	cleanup_free char *mended = config_make(free_port(), "", servers);
	cleanup_free char *upload_text = xformat(
		"global\n    group nogroup\nfrontend x\n    option http-use-htx\n%s", mended);
	cleanup_free char *expected = xformat("global\nfrontend x\n%s", mended);

	(void)state;
	if (upload(upload_text) < 0 && !strstr(last_output, "no 'bind'"))
		fail_msg("%s", last_output);
	assert_file_holds(HAPROXY_FILE_CONFIG, expected);
}

static void more_connections_than_open_files_start_all_the_same(void **state)
{
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	const char *limit = strstr(config, "maxconn 200");
	cleanup_free char *large = xformat("%.*smaxconn 300000%s", (int)(limit - config), config,
		limit + strlen("maxconn 200"));
	cleanup_free char *path = path_of(HAPROXY_FILE_OUTPUT);
	cleanup_buf struct buf output = BUF_INIT(MIB);

	(void)state;
	assert_uploaded(large);
	assert_act(START, "start");
	assert_served_by(port, "a");
	assert_int_equal(file_read(path, &output, NULL), 0);
	assert_non_null(strstr(buf_text(&output), "FD limit"));
}

static void what_cannot_start_says_why_and_is_not_tried_again(void **state)
{
	uint16_t port;
	int taken = listen_somewhere(&port);
	cleanup_free char *config = config_with_member(port);

	(void)state;
	assert_uploaded(config);
	assert_int_equal(act(START), -EBADMSG);
	assert_non_null(strstr(last_output, "cannot bind"));
	assert_false(haproxy_instance_is_running(site, &lb));
	close(taken);
	clock_sleep_ms(300);
	assert_false(haproxy_instance_is_running(site, &lb));
	assert_act(START, "start");
}

static void a_stopped_one_stays_stopped_over_a_restart_of_the_agent(void **state)
{
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	assert_act(STOP, "stop");
	assert_false(haproxy_instance_is_running(site, &lb));
	assert_served_by(port, "-");
	assert_act(STOP, "none");
	site_close();
	site_open();
	assert_int_equal(haproxy_restore_all(site), 0);
	assert_false(haproxy_instance_is_running(site, &lb));
	assert_act(START, "start");
	assert_false(is_there(HAPROXY_FILE_STOPPED));
	assert_served_by(port, "a");
}

static void what_runs_is_found_again_by_a_new_agent_and_keeps_its_streams(void **state)
{
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	pid_t worker;
	char letter;
	int stream;

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	worker = haproxy_instance_worker(site, &lb);
	stream = stream_open(port, &letter);
	assert_int_equal(letter, 'a');
	site_close();
	assert_true(stream_lives(stream));
	site_open();
	assert_int_equal(haproxy_restore_all(site), 0);
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
	assert_act(RELOAD, "none");
	assert_true(stream_lives(stream));
	close(stream);
}

static void what_ought_to_run_is_started_and_what_cannot_is_counted(void **state)
{
	static const struct id broken = {.text = "broken"};
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	cleanup_free char *broken_folder = haproxy_site_path(site, &broken, HAPROXY_FILE_FOLDER);
	cleanup_free char *broken_config = haproxy_site_path(site, &broken, HAPROXY_FILE_CONFIG);

	(void)state;
	assert_uploaded(config);
	assert_int_equal(directory_make(broken_folder, 0755, NULL), 0);
	assert_int_equal(file_replace(broken_config, "nonsense\n", 9, 0600, NULL), 0);
	assert_int_equal(haproxy_restore_all(site), 1);
	assert_served_by(port, "a");
	assert_false(haproxy_instance_is_running(site, &broken));
}

static void a_stop_that_was_cut_short_is_finished(void **state)
{
	cleanup_free char *config = config_with_member(free_port());
	cleanup_free char *marker = path_of(HAPROXY_FILE_STOPPED);

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	assert_int_equal(file_replace(marker, "", 0, 0644, NULL), 0);
	assert_int_equal(haproxy_restore_all(site), 0);
	assert_false(haproxy_instance_is_running(site, &lb));
}

/* Everything below path whose name holds the load balancer's id. */
static size_t traces_count(const char *path)
{
	DIR *listing = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (listing && (entry = readdir(listing))) {
		cleanup_free char *below = xformat("%s/%s", path, entry->d_name);

		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		count += strstr(entry->d_name, lb.text) != NULL;
		if (entry->d_type == DT_DIR)
			count += traces_count(below);
	}
	if (listing)
		closedir(listing);
	return count;
}

static void delete_once(void)
{
	struct haproxy_instance *instance = haproxy_instance_acquire(site, &lb);
	struct err err = ERR_NONE;

	if (haproxy_instance_delete(instance, &err) < 0)
		fail_msg("%s", err.text);
	haproxy_instance_release(instance);
}

static void a_deleted_load_balancer_leaves_nothing(void **state)
{
	cleanup_free char *certificates = path_of(HAPROXY_FILE_CERTIFICATES);
	cleanup_free char *certificate = xformat("%s/a.pem", certificates);
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	pid_t worker;

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	assert_int_equal(directory_make(certificates, 0700, NULL), 0);
	assert_int_equal(file_replace(certificate, "x", 1, 0600, NULL), 0);
	worker = haproxy_instance_worker(site, &lb);
	assert_true(traces_count(folder) > 5);
	delete_once();
	assert_int_equal(traces_count(folder), 0);
	assert_true(process_is_over(worker));
	assert_served_by(port, "-");
	delete_once();
}

static void a_deletion_that_was_cut_short_is_finished(void **state)
{
	cleanup_free char *deleted = path_of(HAPROXY_FILE_DELETED);
	cleanup_free char *config = xformat("%s/haproxy.cfg", deleted);

	(void)state;
	assert_int_equal(directory_make(deleted, 0755, NULL), 0);
	assert_int_equal(file_replace(config, "", 0, 0600, NULL), 0);
	assert_int_equal(haproxy_restore_all(site), 0);
	assert_false(file_exists(deleted));
}

static void a_full_disk_leaves_the_installed_config_alone(void **state)
{
	cleanup_free char *lb_folder = path_of(HAPROXY_FILE_FOLDER);
	cleanup_free char *filler = xformat("%s/filler", lb_folder);
	uint16_t port = free_port();
	cleanup_free char *config = config_with_member(port);
	cleanup_free char *large = xformat("%s\n# %065536d\n", config, 0);
	cleanup_free char *fill = xcalloc(1, 48 * KIB);

	(void)state;
	assert_int_equal(directory_make(lb_folder, 0755, NULL), 0);
	if (mount("tmpfs", lb_folder, "tmpfs", 0, "size=96k") < 0)
		skip();
	assert_uploaded(config);
	assert_act(START, "start");
	assert_int_equal(file_replace(filler, fill, 48 * KIB, 0600, NULL), 0);
	assert_int_equal(upload(large), -ENOSPC);
	assert_file_holds(HAPROXY_FILE_CONFIG, config);
	assert_false(is_there(HAPROXY_FILE_CONFIG_NEW));
	assert_served_by(port, "a");
	assert_act(STOP, "stop");
	assert_int_equal(umount(lb_folder), 0);
}

enum { CONTENDERS = 4, ROUNDS = 5 };

/* Uploads and reloads with a weight of its own, again and again. */
static void *contend(void *data)
{
	const char *config = data;

	for (int i = 0; i < ROUNDS; i++) {
		cleanup_haproxy_instance struct haproxy_instance *instance =
			haproxy_instance_acquire(site, &lb);
		cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
		enum haproxy_applied applied;
		struct err err = ERR_NONE;

		if (haproxy_instance_upload(instance, config, strlen(config), &output, &err) < 0 ||
			haproxy_instance_reload(instance, &applied, &output, &err) < 0)
			return xstrdup(err.text);
	}
	return NULL;
}

static void requests_at_once_are_taken_one_after_the_other(void **state)
{
	uint16_t port = free_port();
	char *configs[CONTENDERS];
	pthread_t threads[CONTENDERS];

	(void)state;
	for (int i = 0; i < CONTENDERS; i++) {
		cleanup_free char *servers =
			xformat("    server a 127.0.0.1:%u weight %d\n", a.port, i + 1);

		configs[i] = config_make(port, i % 2 ? "    maxconn 50" : "", servers);
		pthread_create(&threads[i], NULL, contend, configs[i]);
	}
	for (int i = 0; i < CONTENDERS; i++) {
		void *failure;

		pthread_join(threads[i], &failure);
		if (failure)
			fail_msg("%s", (char *)failure);
		free(configs[i]);
	}
	assert_act(RELOAD, "none");
	assert_served_by(port, "a");
}

static void an_output_that_has_grown_large_is_emptied(void **state)
{
	cleanup_free char *config = config_with_member(free_port());
	cleanup_free char *output = path_of(HAPROXY_FILE_OUTPUT);
	struct stat status;

	(void)state;
	assert_uploaded(config);
	assert_act(START, "start");
	haproxy_launch_trim_outputs(site);
	assert_int_equal(stat(output, &status), 0);
	assert_true(status.st_size > 0);
	assert_int_equal(truncate(output, 2 * MIB), 0);
	haproxy_launch_trim_outputs(site);
	assert_int_equal(stat(output, &status), 0);
	assert_int_equal(status.st_size, 0);
}

int main(void)
{
#define real_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		real_test(an_uploaded_config_is_installed_for_root_only_and_runs),
		real_test(starting_what_runs_does_nothing),
		real_test(a_refused_upload_leaves_the_installed_config_alone),
		real_test(a_refused_first_upload_makes_no_load_balancer),
		real_test(lines_of_older_controllers_are_mended_on_the_way),
		real_test(more_connections_than_open_files_start_all_the_same),
		real_test(what_cannot_start_says_why_and_is_not_tried_again),
		real_test(a_stopped_one_stays_stopped_over_a_restart_of_the_agent),
		real_test(what_runs_is_found_again_by_a_new_agent_and_keeps_its_streams),
		real_test(what_ought_to_run_is_started_and_what_cannot_is_counted),
		real_test(a_stop_that_was_cut_short_is_finished),
		real_test(a_deleted_load_balancer_leaves_nothing),
		real_test(a_deletion_that_was_cut_short_is_finished),
		real_test(a_full_disk_leaves_the_installed_config_alone),
		real_test(requests_at_once_are_taken_one_after_the_other),
		real_test(an_output_that_has_grown_large_is_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
