/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/instance.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "eventually.h"
#include "keepalived/process.h"
#include "kill_process.h"
#include "lvs/running.h"
#include "lvs/site.h"
#include "sys/process.h"
#include "sys/service.h"
#include "temporary_folder.h"

static const struct id listener = {.text = "f31792aa-3a44-4dcd-8479-d7733927540a"};
static const struct id other = {.text = "other"};

/* Two configs that differ, and one that serves nothing. */
static const char one[] = "# one\nvirtual_server_group g {\n192.0.2.1 53\n}\n";
static const char two[] = "# two\nvirtual_server_group g {\n192.0.2.1 53\n}\n";
static const char nothing[] = "# nothing\n";

static char namespace_name[64];
static struct settings settings;
static struct service_manager *services;
static struct keepalived_site *keepalived;
static struct lvs_site *site;

static void site_make(void)
{
	struct err err = ERR_NONE;

	if (service_manager_new_direct(settings.runtime_dir, &services, &err) < 0 ||
		keepalived_site_new(&settings, services, &keepalived, &err) < 0 ||
		lvs_site_new(keepalived, &site, &err) < 0)
		fail_msg("%s", err.text);
}

/* As an agent's end does: what runs goes on running. */
static void site_drop(void)
{
	lvs_site_free(site);
	keepalived_site_free(keepalived);
	service_manager_free(services);
}

static int setup_with(void **state, const char *command, char *network_namespace)
{
	cleanup_free char *log = NULL;

	if (temporary_folder_setup(state) < 0)
		return -1;
	log = in_temporary_folder("log");
	setenv("FAKE_KEEPALIVED_LOG", log, true);
	unsetenv("FAKE_KEEPALIVED_VERSION");
	settings = (struct settings){
		.base_path = temporary_folder,
		.runtime_dir = in_temporary_folder("run"),
		.network_namespace = network_namespace,
		.keepalived_cmd = (char *)command,
	};
	site_make();
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, SHARED_TESTS "/harness/fake_keepalived.sh", "");
}

static void netns(const char *verb)
{
	const char *const argv[] = {"ip", "netns", verb, namespace_name, NULL};
	const struct process_spec spec = {.argv = argv};
	cleanup_buf struct buf output = BUF_INIT(KIB);
	int status;

	assert_int_equal(process_run(&spec, 60000, &output, &status, NULL), 0);
	assert_int_equal(status, 0);
}

static int setup_real(void **state)
{
	snprintf(namespace_name, sizeof(namespace_name), "unit-lvs-%d", getpid());
	netns("add");
	return setup_with(state, "/usr/sbin/keepalived", namespace_name);
}

static int delete (const struct id *id)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, id);

	return lvs_instance_delete(instance, NULL);
}

static int teardown(void **state)
{
	delete (&listener);
	delete (&other);
	site_drop();
	free(settings.runtime_dir);
	return temporary_folder_teardown(state);
}

static int teardown_real(void **state)
{
	int r = teardown(state);

	netns("delete");
	return r;
}

/* What the fake did since this was asked last, must be that. */
static void assert_log(const char *expected)
{
	cleanup_free char *path = in_temporary_folder("log");
	cleanup_buf struct buf text = BUF_INIT(KIB);

	file_read(path, &text, NULL);
	assert_string_equal(buf_text(&text), expected);
	file_remove(path, NULL);
}

/* The steps of the fake that fail from now on. */
static void fail_at(const char *step)
{
	cleanup_free char *line = xformat("%s\n", step);

	temporary_file("log.fail", line);
}

static int upload(const char *text)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	return lvs_instance_upload(instance, text, strlen(text), &output, NULL);
}

static enum lvs_applied start(void)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	enum lvs_applied applied;
	struct err err = ERR_NONE;

	if (lvs_instance_start(instance, &applied, &err) < 0)
		fail_msg("%s", err.text);
	return applied;
}

static int reload_result(struct err *err)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	enum lvs_applied applied;
	int r = lvs_instance_reload(instance, &applied, err);

	return r < 0 ? r : (int)applied;
}

static enum lvs_applied reload(void)
{
	struct err err = ERR_NONE;
	int r = reload_result(&err);

	if (r < 0)
		fail_msg("%s", err.text);
	return (enum lvs_applied)r;
}

static void stop(void)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	enum lvs_applied applied;

	assert_int_equal(lvs_instance_stop(instance, &applied, NULL), 0);
	assert_int_equal(applied, LVS_APPLIED_STOP);
}

static void assert_installed(const char *text)
{
	cleanup_buf struct buf installed = BUF_INIT(KIB);

	assert_int_equal(lvs_instance_read(site, &listener, &installed, NULL), 0);
	assert_string_equal(buf_text(&installed), text);
}

static bool is_running(void)
{
	return lvs_instance_is_running(site, &listener);
}

static pid_t pid(void)
{
	cleanup_free char *path = lvs_path(temporary_folder, &listener, LVS_FILE_PID);

	return keepalived_pid(path);
}

static bool is_successor(pid_t present, pid_t before)
{
	return present != 0 && present != before;
}

static bool has_taken_up(const char *text)
{
	return lvs_running_has(temporary_folder, &listener, text, strlen(text));
}

static void nothing_is_known_of_a_listener_that_does_not_exist(void **state)
{
	struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	cleanup_buf struct buf text = BUF_INIT(KIB);
	enum lvs_applied applied;

	(void)state;
	assert_false(lvs_instance_exists(site, &listener));
	assert_int_equal(lvs_instance_read(site, &listener, &text, NULL), -ENOENT);
	assert_int_equal(lvs_instance_start(instance, &applied, NULL), -ENOENT);
	assert_int_equal(lvs_instance_stop(instance, &applied, NULL), -ENOENT);
	assert_int_equal(lvs_instance_reload(instance, &applied, NULL), -ENOENT);
	assert_int_equal(lvs_instance_delete(instance, NULL), 0);
	lvs_instance_release(instance);
	assert_false(is_running());
	assert_log("");
}

static void an_upload_is_installed_byte_for_byte_and_touches_nothing_that_runs(void **state)
{
	cleanup_free char *path = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG);
	struct stat status;

	(void)state;
	assert_int_equal(upload(one), 0);
	assert_true(lvs_instance_exists(site, &listener));
	assert_installed(one);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_false(is_running());
	assert_log("check # one\n");
}

static void an_upload_that_keepalived_refuses_changes_nothing(void **state)
{
	static const char refused[] = "# REFUSED\n";
	cleanup_lvs_instance struct lvs_instance *instance = NULL;
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	cleanup_free char *new = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG_NEW);

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	instance = lvs_instance_acquire(site, &listener);
	assert_int_equal(
		lvs_instance_upload(instance, refused, strlen(refused), &output, NULL), -EBADMSG);
	assert_non_null(strstr(buf_text(&output), "missing '}'s"));
	assert_installed(one);
	assert_true(has_taken_up(one));
	assert_false(file_exists(new));
}

static void a_first_upload_that_is_refused_makes_no_listener(void **state)
{
	(void)state;
	assert_int_equal(upload("# REFUSED\n"), -EBADMSG);
	assert_false(lvs_instance_exists(site, &listener));
}

static void a_check_installs_nothing_and_an_install_asks_nobody(void **state)
{
	cleanup_lvs_instance struct lvs_instance *instance = lvs_instance_acquire(site, &listener);
	cleanup_free char *new = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG_NEW);
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	(void)state;
	assert_int_equal(lvs_instance_check(instance, one, strlen(one), &output, NULL), 0);
	assert_log("check # one\n");
	assert_false(lvs_instance_exists(site, &listener));
	assert_false(file_exists(new));
	assert_int_equal(lvs_instance_install(instance, one, strlen(one), NULL), 0);
	assert_installed(one);
	assert_int_equal(lvs_instance_check(instance, one, strlen(one), &output, NULL), 0);
	assert_log("");
}

static void an_upload_equal_to_what_is_installed_does_nothing(void **state)
{
	cleanup_free char *path = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG);
	struct stat before;
	struct stat after;

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_log("check # one\nstart # one\n");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(upload(one), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(has_taken_up(one));
	assert_int_equal(reload(), LVS_APPLIED_NONE);
	assert_log("");
}

static void an_upload_is_not_taken_up_before_its_reload(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	assert_false(has_taken_up(one));
	start();
	assert_true(has_taken_up(one));
	assert_int_equal(upload(two), 0);
	assert_false(has_taken_up(one));
	assert_false(has_taken_up(two));
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
	assert_true(has_taken_up(two));
}

static void a_config_that_returns_before_its_reload_is_reloaded(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_int_equal(upload(two), 0);
	assert_int_equal(upload(one), 0);
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
	assert_log("check # one\nstart # one\ncheck # two\ncheck # one\nreload # one\n");
}

static void the_first_reload_is_a_start(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	assert_int_equal(reload(), LVS_APPLIED_START);
	assert_true(is_running());
	assert_log("check # one\nstart # one\n");
}

static void a_start_of_what_runs_does_nothing(void **state)
{
	pid_t before;

	(void)state;
	assert_int_equal(upload(one), 0);
	assert_int_equal(start(), LVS_APPLIED_START);
	before = pid();
	assert_int_equal(upload(two), 0);
	assert_int_equal(start(), LVS_APPLIED_NONE);
	assert_int_equal(pid(), before);
	assert_false(has_taken_up(two));
}

static void a_reload_keeps_the_process(void **state)
{
	pid_t before;

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	before = pid();
	assert_int_equal(upload(two), 0);
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
	assert_int_equal(pid(), before);
}

static void a_keepalived_too_old_for_a_reload_is_restarted(void **state)
{
	pid_t before;

	(void)state;
	setenv("FAKE_KEEPALIVED_VERSION", "2.0.13", true);
	assert_int_equal(upload(one), 0);
	start();
	before = pid();
	assert_int_equal(upload(two), 0);
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
	assert_int_not_equal(pid(), before);
	assert_true(has_taken_up(two));
	assert_log("check # one\nstart # one\ncheck # two\nstop # two\nstart # two\n");
}

static void a_file_that_somebody_edited_is_taken_up(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	temporary_file("lvs/octavia-keepalivedlvs-f31792aa-3a44-4dcd-8479-d7733927540a.conf", two);
	assert_false(has_taken_up(two));
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
}

static bool is_marked_stopped(void)
{
	cleanup_free char *marker = lvs_path(temporary_folder, &listener, LVS_FILE_STOPPED);

	return file_exists(marker);
}

static void a_stopped_one_runs_again_when_it_is_told_to(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	stop();
	assert_false(is_running());
	assert_true(is_marked_stopped());
	stop();
	assert_int_equal(reload(), LVS_APPLIED_START);
	assert_true(is_running());
	assert_false(is_marked_stopped());
}

static void one_that_ended_is_started_by_a_reload(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_int_equal(service_stop(services,
				 "octavia-keepalivedlvs-"
				 "f31792aa-3a44-4dcd-8479-d7733927540a",
				 NULL),
		0);
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_ERROR);
	assert_int_equal(reload(), LVS_APPLIED_START);
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_ACTIVE);
}

static void one_that_was_killed_is_started_again_by_itself(void **state)
{
	pid_t before;

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	before = pid();
	kill_process(before);
	assert_soon(is_successor(pid(), before));
	assert_true(has_taken_up(one));
	assert_int_equal(reload(), LVS_APPLIED_NONE);
}

static void the_state_is_active_offline_or_error(void **state)
{
	(void)state;
	assert_int_equal(upload(nothing), 0);
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_ERROR);
	reload();
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_OFFLINE);
	assert_int_equal(upload(one), 0);
	reload();
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_ACTIVE);
	stop();
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_OFFLINE);
}

static void a_start_that_fails_tells_keepalives_words_and_the_next_one_helps(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(upload(one), 0);
	fail_at("start");
	assert_int_equal(reload_result(&err), -ECHILD);
	assert_non_null(strstr(err.text, "cannot start"));
	assert_false(has_taken_up(one));
	fail_at("nothing");
	reload();
	assert_true(has_taken_up(one));
	assert_true(is_running());
}

static void a_missing_keepalived_is_no_missing_listener(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(upload(one), 0);
	site_drop();
	settings.keepalived_cmd = (char *)"/nonexistent/keepalived";
	site_make();
	assert_int_equal(reload_result(&err), -EIO);
	assert_non_null(strstr(err.text, "/nonexistent/keepalived"));
	assert_int_equal(lvs_instance_state(site, &listener), LVS_INSTANCE_ERROR);
}

static void one_that_ends_over_a_reload_is_started_with_the_new_config(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_int_equal(upload(two), 0);
	fail_at("reload");
	reload();
	assert_true(is_running());
	assert_true(has_taken_up(two));
}

static void a_reload_that_fails_is_tried_again_by_the_next_one(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_int_equal(upload(two), 0);
	fail_at("reload\nstart");
	assert_int_equal(reload_result(&err), -ECHILD);
	assert_non_null(strstr(err.text, "fake keepalived: cannot"));
	assert_false(has_taken_up(two));
	assert_installed(two);
	fail_at("nothing");
	reload();
	assert_true(has_taken_up(two));
}

static void a_deleted_one_leaves_nothing(void **state)
{
	cleanup_free char *folder = in_temporary_folder("lvs");
	cleanup_free char *check = in_temporary_folder("lvs/check");

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	stop();
	start();
	assert_int_equal(delete (&listener), 0);
	assert_false(is_running());
	assert_false(lvs_instance_exists(site, &listener));
	assert_int_equal(directory_remove(check, NULL), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(delete (&listener), 0);
}

static void a_stopped_one_whose_deletion_is_cut_short_stays_stopped(void **state)
{
	cleanup_free char *config = lvs_path(temporary_folder, &listener, LVS_FILE_CONFIG);
	cleanup_free char *marker = lvs_path(temporary_folder, &listener, LVS_FILE_STOPPED);

	(void)state;
	assert_int_equal(file_replace(marker, "", 0, 0644, NULL), 0);
	/* What cannot be removed as a file is. */
	assert_int_equal(directory_make(config, 0755, NULL), 0);
	assert_true(delete (&listener) < 0);
	assert_true(file_exists(marker));
	assert_int_equal(directory_remove(config, NULL), 0);
	assert_int_equal(delete (&listener), 0);
	assert_false(file_exists(marker));
}

static void listeners_do_not_touch_each_other(void **state)
{
	struct lvs_instance *instance = lvs_instance_acquire(site, &other);
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	enum lvs_applied applied;

	(void)state;
	assert_int_equal(upload(one), 0);
	assert_int_equal(lvs_instance_upload(instance, two, strlen(two), &output, NULL), 0);
	start();
	assert_int_equal(lvs_instance_start(instance, &applied, NULL), 0);
	stop();
	assert_true(lvs_instance_is_running(site, &other));
	assert_int_equal(lvs_instance_delete(instance, NULL), 0);
	lvs_instance_release(instance);
	assert_installed(one);
}

static void a_restore_starts_what_ought_to_run(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	lvs_restore(site);
	assert_true(is_running());
	assert_true(has_taken_up(one));
}

static void a_restore_leaves_what_was_stopped_and_stops_what_ought_to_be(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	/* As a stop leaves it that was cut short. */
	temporary_file(
		"lvs/octavia-keepalivedlvs-f31792aa-3a44-4dcd-8479-d7733927540a.stopped", "");
	lvs_restore(site);
	assert_false(is_running());
}

static void a_new_agent_finds_what_runs_and_leaves_it_alone(void **state)
{
	pid_t before;

	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	before = pid();
	site_drop();
	site_make();
	lvs_restore(site);
	assert_int_equal(pid(), before);
	assert_log("check # one\nstart # one\n");
	/* It is watched again. */
	kill_process(before);
	assert_soon(is_successor(pid(), before));
}

static void a_new_agent_reloads_what_was_uploaded_before_the_old_one_ended(void **state)
{
	(void)state;
	assert_int_equal(upload(one), 0);
	start();
	assert_int_equal(upload(two), 0);
	site_drop();
	site_make();
	lvs_restore(site);
	assert_true(has_taken_up(two));
	assert_log("check # one\nstart # one\ncheck # two\nreload # two\n");
}

static void the_scripts_of_the_checks_come_with_an_upload(void **state)
{
	cleanup_free char *udp = in_temporary_folder("lvs/check/udp_check.sh");
	cleanup_free char *ping = in_temporary_folder("ping-wrapper.sh");
	struct stat status;

	(void)state;
	assert_int_equal(upload(one), 0);
	assert_int_equal(stat(udp, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(stat(ping, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	/* Somebody's own is replaced, even by an upload that changes nothing. */
	temporary_file("ping-wrapper.sh", "#!/bin/bash\n");
	assert_int_equal(upload(one), 0);
	assert_int_equal(stat(ping, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

/* Its config names a namespace that does not exist: the site's counts. */
static void a_real_keepalived_is_started_reloaded_and_stopped(void **state)
{
	static const char before_reload[] = "net_namespace amphora-nowhere\n";
	static const char again[] = "net_namespace amphora-nowhere\n# changed\n";
	pid_t before;

	(void)state;
	assert_int_equal(upload(before_reload), 0);
	assert_int_equal(reload(), LVS_APPLIED_START);
	before = pid();
	assert_int_not_equal(before, 0);
	assert_int_equal(upload(again), 0);
	assert_int_equal(reload(), LVS_APPLIED_RELOAD);
	assert_int_equal(pid(), before);
	assert_int_equal(reload(), LVS_APPLIED_NONE);
	stop();
	assert_int_equal(pid(), 0);
}

static void a_real_keepalived_refuses_a_config_that_was_cut(void **state)
{
	(void)state;
	assert_int_equal(upload("virtual_server_group g {\n192.0.2.1 53\n"), -EBADMSG);
	assert_false(lvs_instance_exists(site, &listener));
}

static void a_real_keepalived_without_ipvs_says_so(void **state)
{
	static const char config[] = "virtual_server_group g {\n192.0.2.1 53\n}\n"
				     "virtual_server group g {\nprotocol UDP\n"
				     "real_server 192.0.2.2 53 {\nweight 1\n}\n}\n";
	struct err err = ERR_NONE;

	(void)state;
	if (file_exists("/proc/net/ip_vs"))
		skip();
	assert_int_equal(upload(config), 0);
	assert_int_equal(reload_result(&err), -ECHILD);
	assert_non_null(strstr(err.text, "Can't initialize ipvs"));
}

#define with_fake(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define with_real(test) cmocka_unit_test_setup_teardown(test, setup_real, teardown_real)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_fake(nothing_is_known_of_a_listener_that_does_not_exist),
		with_fake(an_upload_is_installed_byte_for_byte_and_touches_nothing_that_runs),
		with_fake(an_upload_that_keepalived_refuses_changes_nothing),
		with_fake(a_first_upload_that_is_refused_makes_no_listener),
		with_fake(a_check_installs_nothing_and_an_install_asks_nobody),
		with_fake(an_upload_equal_to_what_is_installed_does_nothing),
		with_fake(an_upload_is_not_taken_up_before_its_reload),
		with_fake(a_config_that_returns_before_its_reload_is_reloaded),
		with_fake(the_first_reload_is_a_start),
		with_fake(a_start_of_what_runs_does_nothing),
		with_fake(a_reload_keeps_the_process),
		with_fake(a_keepalived_too_old_for_a_reload_is_restarted),
		with_fake(a_file_that_somebody_edited_is_taken_up),
		with_fake(a_stopped_one_runs_again_when_it_is_told_to),
		with_fake(one_that_ended_is_started_by_a_reload),
		with_fake(one_that_was_killed_is_started_again_by_itself),
		with_fake(the_state_is_active_offline_or_error),
		with_fake(a_start_that_fails_tells_keepalives_words_and_the_next_one_helps),
		with_fake(a_missing_keepalived_is_no_missing_listener),
		with_fake(one_that_ends_over_a_reload_is_started_with_the_new_config),
		with_fake(a_reload_that_fails_is_tried_again_by_the_next_one),
		with_fake(a_deleted_one_leaves_nothing),
		with_fake(a_stopped_one_whose_deletion_is_cut_short_stays_stopped),
		with_fake(listeners_do_not_touch_each_other),
		with_fake(a_restore_starts_what_ought_to_run),
		with_fake(a_restore_leaves_what_was_stopped_and_stops_what_ought_to_be),
		with_fake(a_new_agent_finds_what_runs_and_leaves_it_alone),
		with_fake(a_new_agent_reloads_what_was_uploaded_before_the_old_one_ended),
		with_fake(the_scripts_of_the_checks_come_with_an_upload),
		with_real(a_real_keepalived_is_started_reloaded_and_stopped),
		with_real(a_real_keepalived_refuses_a_config_that_was_cut),
		with_real(a_real_keepalived_without_ipvs_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
