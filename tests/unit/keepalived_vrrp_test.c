/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/vrrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "keepalived/process.h"
#include "real_keepalived.h"

static int stop(void)
{
	cleanup_vrrp struct vrrp *vrrp = vrrp_acquire(site);

	return vrrp_stop(vrrp, NULL);
}

static int teardown(void **state)
{
	stop();
	return keepalived_teardown(state);
}

#define with_vrrp(test) cmocka_unit_test_setup_teardown(test, keepalived_setup, teardown)

/* keepalived's words are appended to ret_output. */
static int upload_bytes(const char *config, size_t size_bytes, struct buf *ret_output)
{
	cleanup_vrrp struct vrrp *vrrp = vrrp_acquire(site);

	return vrrp_upload(vrrp, config, size_bytes, ret_output, NULL);
}

static int upload(const char *config)
{
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	return upload_bytes(config, strlen(config), &output);
}

static int start_result(bool *ret_started)
{
	cleanup_vrrp struct vrrp *vrrp = vrrp_acquire(site);

	return vrrp_start(vrrp, ret_started, NULL);
}

static void start(void)
{
	bool started;

	assert_int_equal(start_result(&started), 0);
}

static pid_t main_process(void)
{
	cleanup_free char *path = in_temporary_folder("vrrp/octavia-keepalived.pid");

	return keepalived_pid(path);
}

static bool has_file(const char *name)
{
	cleanup_free char *path = in_temporary_folder(name);

	return file_exists(path);
}

static void an_upload_is_installed_and_touches_nothing_that_runs(void **state)
{
	cleanup_free char *path = in_temporary_folder("vrrp/octavia-keepalived.conf");
	cleanup_buf struct buf installed = BUF_INIT(64 * KIB);

	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	assert_int_equal(main_process(), 0);
	assert_int_equal(file_read(path, &installed, NULL), 0);
	assert_string_equal(buf_text(&installed), vrrp_config);
	assert_false(has_file("vrrp/octavia-keepalived.conf.new"));
}

static void an_upload_that_cannot_run_changes_nothing(void **state)
{
	cleanup_free char *bad = config_with("    virtual_router_id 1\n", "");
	cleanup_free char *path = in_temporary_folder("vrrp/octavia-keepalived.conf");
	cleanup_buf struct buf installed = BUF_INIT(64 * KIB);
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	(void)state;
	assert_int_equal(upload_bytes(bad, strlen(bad), &output), -EBADMSG);
	assert_non_null(strstr(buf_text(&output), "the virtual router id must be set"));
	assert_false(has_file("vrrp/octavia-keepalived.conf"));
	assert_int_equal(upload(vrrp_config), 0);
	assert_int_equal(upload(bad), -EBADMSG);
	assert_int_equal(file_read(path, &installed, NULL), 0);
	assert_string_equal(buf_text(&installed), vrrp_config);
	assert_false(has_file("vrrp/octavia-keepalived.conf.new"));
}

static void a_config_without_an_instance_is_refused(void **state)
{
	static const char nul[] = "\0vrrp_instance";
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);

	(void)state;
	assert_int_equal(upload(""), -EBADMSG);
	assert_int_equal(upload("hello\nworld"), -EBADMSG);
	assert_int_equal(upload("vrrp_script check {\n    script /bin/true\n}\n"), -EBADMSG);
	assert_int_equal(upload("# vrrp_instance\n"), -EBADMSG);
	assert_int_equal(upload_bytes(nul, sizeof(nul), &output), -EBADMSG);
}

static void a_config_that_is_too_large_is_refused(void **state)
{
	cleanup_buf struct buf config = BUF_INIT(2 * MIB);

	(void)state;
	buf_append_text(&config, vrrp_config);
	while (config.size_bytes <= VRRP_CONFIG_MAX_BYTES)
		buf_append_text(&config, "# nothing of interest\n");
	assert_int_equal(upload(buf_text(&config)), -EINVAL);
}

static void a_start_without_an_upload_is_refused_and_a_stop_is_nothing(void **state)
{
	bool started;

	(void)state;
	assert_int_equal(start_result(&started), -ENOENT);
	assert_int_equal(stop(), 0);
	assert_false(has_file("vrrp/stopped"));
}

static void a_start_of_what_runs_takes_up_the_new_config(void **state)
{
	cleanup_free char *config = config_with(VIP "\n", VIP "\n        198.51.100.14\n");
	bool started = false;
	pid_t pid;

	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	assert_int_equal(start_result(&started), 0);
	assert_true(started);
	pid = main_process();
	assert_soon(has_vip());
	assert_int_equal(upload(config), 0);
	assert_int_equal(start_result(&started), 0);
	assert_false(started);
	assert_int_equal(main_process(), pid);
	assert_soon(ip_shows("address", " 198.51.100.14/32 "));
	assert_true(has_vip());
}

static void what_ran_runs_again_after_a_restart_of_the_machine(void **state)
{
	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	start();
	assert_int_equal(service_stop(services, "octavia-keepalived", NULL), 0);
	site_drop();
	site_make();
	vrrp_restore(site);
	assert_int_not_equal(main_process(), 0);
}

static void what_runs_goes_on_over_a_restart_of_the_agent(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	start();
	pid = main_process();
	site_drop();
	site_make();
	vrrp_restore(site);
	assert_int_equal(main_process(), pid);
}

static void what_was_stopped_stays_so_until_it_is_started(void **state)
{
	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	start();
	assert_soon(has_vip());
	assert_int_equal(stop(), 0);
	assert_int_equal(main_process(), 0);
	assert_false(has_vip());
	site_drop();
	site_make();
	vrrp_restore(site);
	assert_int_equal(main_process(), 0);
	start();
	assert_int_not_equal(main_process(), 0);
	assert_false(has_file("vrrp/stopped"));
}

static void a_stop_that_an_agent_did_not_finish_is_finished_by_the_next(void **state)
{
	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	start();
	temporary_file("vrrp/stopped", "");
	site_drop();
	site_make();
	vrrp_restore(site);
	assert_int_equal(main_process(), 0);
}

static void what_is_deleted_is_gone_and_may_be_deleted_again(void **state)
{
	struct vrrp *vrrp;

	(void)state;
	assert_int_equal(upload(vrrp_config), 0);
	start();
	assert_soon(has_vip());
	vrrp = vrrp_acquire(site);
	assert_int_equal(vrrp_delete(vrrp, NULL), 0);
	assert_false(has_vip());
	assert_int_equal(main_process(), 0);
	assert_false(has_file("vrrp/octavia-keepalived.conf"));
	assert_false(has_file("vrrp/stopped"));
	assert_int_equal(vrrp_delete(vrrp, NULL), 0);
	vrrp_release(vrrp);
	assert_int_equal(upload(vrrp_config), 0);
	start();
	assert_soon(has_vip());
}

static void the_folder_is_everybodys_to_enter(void **state)
{
	cleanup_free char *folder = in_temporary_folder("vrrp");
	struct stat status;

	(void)state;
	assert_int_equal(chmod(folder, 0700), 0);
	site_drop();
	site_make();
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_vrrp(an_upload_is_installed_and_touches_nothing_that_runs),
		with_vrrp(an_upload_that_cannot_run_changes_nothing),
		with_vrrp(a_config_without_an_instance_is_refused),
		with_vrrp(a_config_that_is_too_large_is_refused),
		with_vrrp(a_start_without_an_upload_is_refused_and_a_stop_is_nothing),
		with_vrrp(a_start_of_what_runs_takes_up_the_new_config),
		with_vrrp(what_ran_runs_again_after_a_restart_of_the_machine),
		with_vrrp(what_runs_goes_on_over_a_restart_of_the_agent),
		with_vrrp(what_was_stopped_stays_so_until_it_is_started),
		with_vrrp(a_stop_that_an_agent_did_not_finish_is_finished_by_the_next),
		with_vrrp(what_is_deleted_is_gone_and_may_be_deleted_again),
		with_vrrp(the_folder_is_everybodys_to_enter),
	};

	return cmocka_run_group_tests_name("keepalived_vrrp", tests, NULL, NULL);
}
