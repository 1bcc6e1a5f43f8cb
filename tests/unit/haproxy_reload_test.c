/* SPDX-License-Identifier: Apache-2.0 */
/* Reloads, and what is done without one, on a real HAProxy. */
#include "haproxy/instance.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "haproxy/certificate.h"
#include "kill_process.h"
#include "real_haproxy.h"

static struct member a;
static struct member b;
static uint16_t port;

static int setup(void **state)
{
	member_start(&a, 'a');
	member_start(&b, 'b');
	port = free_port();
	return site_setup(state);
}

static int teardown(void **state)
{
	member_stop(&a);
	member_stop(&b);
	return site_teardown(state);
}

/* A server line for a member; more: weight and so on. */
static char *server(const struct member *member, const char *more)
{
	return xformat("    server %c 127.0.0.1:%u %s\n", member->letter, member->port, more);
}

/* A config with the members a and b, or only those that have options. */
static char *config_of(const char *frontend, const char *a_options, const char *b_options)
{
	cleanup_free char *a_line = a_options ? server(&a, a_options) : xstrdup("");
	cleanup_free char *b_line = b_options ? server(&b, b_options) : xstrdup("");
	cleanup_free char *servers = xformat("%s%s", a_line, b_line);

	return config_make(port, frontend, servers);
}

static void start_with(const char *a_options, const char *b_options)
{
	cleanup_free char *config = config_of("", a_options, b_options);

	assert_uploaded(config);
	assert_act(RELOAD, "start");
}

/* Uploads and reloads; says what that took. */
static void change_to(
	const char *frontend, const char *a_options, const char *b_options, const char *applied)
{
	cleanup_free char *config = config_of(frontend, a_options, b_options);

	assert_uploaded(config);
	assert_act(RELOAD, applied);
}

static void an_equal_config_is_not_reloaded(void **state)
{
	pid_t worker;

	(void)state;
	start_with("weight 1", "weight 1");
	worker = haproxy_instance_worker(site, &lb);
	change_to("", "weight 1", "weight 1", "none");
	change_to("# a comment", "weight 1", "weight 1", "none");
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
}

static void another_line_is_reloaded_and_streams_live_on(void **state)
{
	pid_t worker;
	char letter;
	int stream;

	(void)state;
	start_with("weight 1", NULL);
	worker = haproxy_instance_worker(site, &lb);
	stream = stream_open(port, &letter);
	change_to("    maxconn 100", "weight 1", NULL, "reload");
	assert_int_not_equal(haproxy_instance_worker(site, &lb), worker);
	assert_true(stream_lives(stream));
	assert_served_by(port, "a");
	close(stream);
}

static void weights_and_states_change_without_a_reload(void **state)
{
	pid_t worker;

	(void)state;
	start_with("weight 1", "weight 1");
	worker = haproxy_instance_worker(site, &lb);
	assert_served_by(port, "ab");
	change_to("", "weight 1", "weight 0", "runtime");
	assert_stat("b", STAT_WEIGHT, "0");
	assert_served_by(port, "a");
	change_to("", "weight 1 disabled", "weight 3", "runtime");
	assert_stat("a", STAT_STATUS, "MAINT");
	assert_stat("b", STAT_WEIGHT, "3");
	assert_served_by(port, "b");
	change_to("", "weight 1", "weight 3", "runtime");
	assert_served_by(port, "ab");
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
}

static void members_come_and_go_without_a_reload(void **state)
{
	pid_t worker;
	char letter;
	int stream;

	(void)state;
	start_with("weight 1 check inter 100ms", NULL);
	worker = haproxy_instance_worker(site, &lb);
	stream = stream_open(port, &letter);
	change_to("", "weight 1 check inter 100ms", "weight 1 check inter 100ms", "runtime");
	assert_served_by(port, "ab");
	wait_for_status("b", "UP");
	change_to("", "weight 1 check inter 100ms", NULL, "runtime");
	assert_served_by(port, "a");
	assert_stat("b", STAT_STATUS, "");
	change_to("", "weight 1 check inter 100ms", "weight 1 check inter 100ms", "runtime");
	assert_served_by(port, "ab");
	assert_true(stream_lives(stream));
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
	close(stream);
}

static void an_added_member_that_is_dead_is_found_out(void **state)
{
	uint16_t nobody = free_port();
	cleanup_free char *dead =
		xformat("    server d 127.0.0.1:%u check inter 100ms fall 1\n", nobody);
	cleanup_free char *alive = server(&a, "weight 1");
	cleanup_free char *both = xformat("%s%s", alive, dead);
	cleanup_free char *config = config_make(port, "", both);

	(void)state;
	start_with("weight 1", NULL);
	assert_uploaded(config);
	assert_act(RELOAD, "runtime");
	wait_for_status("d", "DOWN");
	assert_served_by(port, "a");
}

static void a_removed_member_keeps_its_streams_through_a_reload(void **state)
{
	char letter;
	int stream;

	(void)state;
	start_with(NULL, "weight 1");
	stream = stream_open(port, &letter);
	assert_int_equal(letter, 'b');
	change_to("", "weight 1", NULL, "reload");
	assert_served_by(port, "a");
	assert_stat("b", STAT_STATUS, "");
	assert_true(stream_lives(stream));
	close(stream);
}

static void what_haproxy_does_not_take_at_run_time_is_reloaded(void **state)
{
	(void)state;
	start_with("weight 1", NULL);
	change_to("", "weight 1", "weight 1 resolve-prefer ipv4", "reload");
	assert_served_by(port, "ab");
}

static void a_static_algorithm_is_reloaded(void **state)
{
	cleanup_free char *one = config_of("", "weight 1", NULL);
	cleanup_free char *two = config_of("", "weight 1", "weight 1");
	char *balance = strstr(one, "roundrobin");

	(void)state;
	memcpy(balance, "source    ", strlen("roundrobin"));
	memcpy(strstr(two, "roundrobin"), "source    ", strlen("roundrobin"));
	assert_uploaded(one);
	assert_act(RELOAD, "start");
	assert_uploaded(two);
	assert_act(RELOAD, "reload");
}

static void health_survives_a_reload_and_run_time_settings_do_not(void **state)
{
	static const char check[] = "weight 4 check inter 200ms fall 1 rise 50";
	cleanup_free char *ignored = NULL;
	char seen[64];

	(void)state;
	start_with(check, check);
	member_stop(&b);
	wait_for_status("b", "DOWN");
	ignored = ask("set server p:l/a weight 99");
	change_to("    maxconn 100", check, check, "reload");
	stat_column("b", STAT_STATUS, seen, sizeof(seen));
	assert_true(text_starts_with(seen, "DOWN"));
	assert_stat("a", STAT_WEIGHT, "4");
	assert_stat("a", STAT_STATUS, "UP");
	member_start(&b, 'b');
}

static void maintenance_asked_for_behind_our_back_ends_with_a_reload(void **state)
{
	cleanup_free char *maint = NULL;
	cleanup_free char *drain = NULL;

	(void)state;
	start_with("weight 1 check", "weight 1 check");
	maint = ask("set server p:l/a state maint");
	drain = ask("set server p:l/b state drain");
	change_to("    maxconn 100", "weight 1 check", "weight 1 check", "reload");
	assert_served_by(port, "ab");
}

static void a_member_under_a_new_address_starts_anew(void **state)
{
	static const char check[] = "weight 1 check inter 100ms fall 1 rise 1000";

	(void)state;
	start_with("weight 1", check);
	member_stop(&b);
	wait_for_status("b", "DOWN");
	member_start(&b, 'b');
	change_to("", "weight 1", check, "reload");
	assert_served_by(port, "ab");
}

static void a_start_forgets_old_health(void **state)
{
	static const char check[] = "weight 1 check inter 100ms fall 1 rise 1000";
	cleanup_free char *path = NULL;
	cleanup_buf struct buf content = BUF_INIT(MIB);

	(void)state;
	start_with(check, check);
	change_to("    maxconn 100", check, check, "reload");
	path = path_of(HAPROXY_FILE_SERVERS_STATE);
	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_true(text_starts_with(buf_text(&content), "1\n# be_id "));
	assert_null(strstr(buf_text(&content), "p:l"));
}

static void a_reload_that_fails_says_why_and_the_old_worker_goes_on(void **state)
{
	pid_t worker;
	char letter;
	int stream;
	cleanup_free char *impossible = config_of("    bind 192.0.2.77:99", "weight 1", "weight 1");
	cleanup_free char *good = config_of("", "weight 1", "weight 1");

	(void)state;
	start_with("weight 1", "weight 1");
	worker = haproxy_instance_worker(site, &lb);
	stream = stream_open(port, &letter);
	assert_uploaded(impossible);
	assert_int_equal(act(RELOAD), -EBADMSG);
	assert_non_null(strstr(last_output, "cannot bind"));
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
	assert_served_by(port, "ab");
	assert_true(stream_lives(stream));
	/* What runs is still known, and a good config brings no reload with it. */
	assert_uploaded(good);
	assert_act(RELOAD, "none");
	close(stream);
}

static void after_a_failed_reload_the_next_one_works(void **state)
{
	cleanup_free char *impossible = config_of("    bind 192.0.2.77:99", "weight 1", NULL);

	(void)state;
	start_with("weight 1", NULL);
	assert_uploaded(impossible);
	assert_int_equal(act(RELOAD), -EBADMSG);
	change_to("    maxconn 100", "weight 1", "weight 1", "reload");
	assert_served_by(port, "ab");
}

static void an_install_touches_nothing_that_runs_and_its_opposite_leaves_nothing(void **state)
{
	cleanup_haproxy_instance struct haproxy_instance *instance = NULL;
	cleanup_free char *config = config_of("    maxconn 100", "weight 1", NULL);
	cleanup_free char *path = path_of(HAPROXY_FILE_CONFIG);
	cleanup_buf struct buf content = BUF_INIT(MIB);
	pid_t worker;

	(void)state;
	start_with("weight 1", NULL);
	worker = haproxy_instance_worker(site, &lb);
	instance = haproxy_instance_acquire(site, &lb);
	assert_int_equal(haproxy_instance_install(instance, config, strlen(config), NULL), 0);
	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_string_equal(buf_text(&content), config);
	assert_int_equal(haproxy_instance_worker(site, &lb), worker);
	assert_int_equal(haproxy_instance_uninstall(instance, NULL), 0);
	assert_false(haproxy_instance_exists(site, &lb));
	assert_false(haproxy_instance_is_running(site, &lb));
	assert_int_equal(haproxy_instance_uninstall(instance, NULL), 0);
}

static int preview(const char *text)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site, &lb);
	cleanup_buf struct buf output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES);
	int r = haproxy_instance_check(instance, text, strlen(text), &output, NULL);

	return r < 0 ? r : (int)haproxy_instance_predict(instance, text, strlen(text));
}

static void a_preview_tells_and_changes_nothing(void **state)
{
	cleanup_free char *one = config_of("", "weight 1", NULL);
	cleanup_free char *two = config_of("", "weight 1", "weight 1");
	cleanup_free char *other = config_of("    maxconn 100", "weight 1", NULL);
	cleanup_free char *lb_folder = path_of(HAPROXY_FILE_FOLDER);

	(void)state;
	assert_int_equal(preview(one), HAPROXY_APPLIED_START);
	assert_int_equal(preview("nonsense\n"), -EBADMSG);
	assert_false(file_exists(lb_folder));
	start_with("weight 1", NULL);
	assert_int_equal(preview(one), HAPROXY_APPLIED_NONE);
	assert_int_equal(preview(two), HAPROXY_APPLIED_RUNTIME);
	assert_int_equal(preview(other), HAPROXY_APPLIED_RELOAD);
	assert_served_by(port, "a");
	assert_act(RELOAD, "none");
}

static void a_lost_master_socket_is_made_anew(void **state)
{
	cleanup_free char *master_socket = path_of(HAPROXY_FILE_MASTER_SOCKET);

	(void)state;
	start_with("weight 1", NULL);
	assert_int_equal(file_remove(master_socket, NULL), 0);
	change_to("", "weight 1", "weight 1", "reload");
	assert_served_by(port, "ab");
	change_to("", "weight 1", NULL, "runtime");
}

static void what_died_and_was_started_again_is_known_no_more(void **state)
{
	pid_t worker;

	(void)state;
	start_with("weight 1", NULL);
	worker = haproxy_instance_worker(site, &lb);
	kill_process(worker);
	while (haproxy_instance_worker(site, &lb) == worker ||
		haproxy_instance_worker(site, &lb) == 0)
		clock_sleep_ms(10);
	change_to("", "weight 1", "weight 1", "reload");
	assert_served_by(port, "ab");
}

static struct certificate_name name_of(const char *text)
{
	struct certificate_name name;

	assert_int_equal(certificate_name_parse(text, strlen(text), &name, NULL), 0);
	return name;
}

static void store(const char *name_text, const char *content)
{
	cleanup_haproxy_instance struct haproxy_instance *instance =
		haproxy_instance_acquire(site, &lb);
	struct certificate_name name = name_of(name_text);

	assert_int_equal(
		haproxy_certificate_store(instance, &name, content, strlen(content), NULL), 0);
}

static bool is_stored(const char *name_text)
{
	struct certificate_name name = name_of(name_text);
	char md5[MD5_HEX_SIZE + 1];

	return haproxy_certificate_md5(site, &lb, &name, md5, NULL) == 0;
}

/* Lists of addresses stand for certificates here: files that a config names, too. */
static void a_changed_file_is_reloaded_and_one_no_longer_named_removed(void **state)
{
	cleanup_free char *certificates = path_of(HAPROXY_FILE_CERTIFICATES);
	cleanup_free char *old = xformat("    acl x src -f %s/old.pem", certificates);
	cleanup_free char *new = xformat("    acl x src -f %s/new.pem", certificates);

	(void)state;
	store("old.pem", "10.0.0.1\n");
	store("stray.pem", "10.0.0.1\n");
	start_with("weight 1", NULL);
	change_to(old, "weight 1", NULL, "reload");
	assert_act(RELOAD, "none");
	store("old.pem", "10.0.0.2\n");
	assert_act(RELOAD, "reload");
	store("new.pem", "10.0.0.3\n");
	change_to(new, "weight 1", NULL, "reload");
	assert_false(is_stored("old.pem"));
	assert_true(is_stored("new.pem"));
	assert_true(is_stored("stray.pem"));
}

static void changes_at_run_time_stand_in_the_record(void **state)
{
	(void)state;
	start_with("weight 1", NULL);
	change_to("", "weight 1", "weight 2", "runtime");
	site_close();
	site_open();
	assert_act(RELOAD, "none");
	change_to("", "weight 1", NULL, "runtime");
	assert_served_by(port, "a");
}

int main(void)
{
#define real_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		real_test(an_equal_config_is_not_reloaded),
		real_test(another_line_is_reloaded_and_streams_live_on),
		real_test(weights_and_states_change_without_a_reload),
		real_test(members_come_and_go_without_a_reload),
		real_test(an_added_member_that_is_dead_is_found_out),
		real_test(a_removed_member_keeps_its_streams_through_a_reload),
		real_test(what_haproxy_does_not_take_at_run_time_is_reloaded),
		real_test(a_static_algorithm_is_reloaded),
		real_test(health_survives_a_reload_and_run_time_settings_do_not),
		real_test(maintenance_asked_for_behind_our_back_ends_with_a_reload),
		real_test(a_member_under_a_new_address_starts_anew),
		real_test(a_start_forgets_old_health),
		real_test(a_reload_that_fails_says_why_and_the_old_worker_goes_on),
		real_test(after_a_failed_reload_the_next_one_works),
		real_test(an_install_touches_nothing_that_runs_and_its_opposite_leaves_nothing),
		real_test(a_preview_tells_and_changes_nothing),
		real_test(a_lost_master_socket_is_made_anew),
		real_test(what_died_and_was_started_again_is_known_no_more),
		real_test(a_changed_file_is_reloaded_and_one_no_longer_named_removed),
		real_test(changes_at_run_time_stand_in_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
