/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/service_unit.h"
#include "temporary_folder.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static char *rendered(const struct service_spec *spec)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct err err = ERR_NONE;

	if (service_unit_render(spec, &text, &err) < 0)
		fail_msg("%s", err.text);
	return buf_take_text(&text);
}

static void assert_has(const struct service_spec *spec, const char *line)
{
	cleanup_free char *text = rendered(spec);
	cleanup_free char *wanted = xformat("\n%s\n", line);

	if (!strstr(text, wanted))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void assert_has_not(const struct service_spec *spec, const char *part)
{
	cleanup_free char *text = rendered(spec);

	assert_null(strstr(text, part));
}

static void a_unit_runs_the_command_and_restarts_it_for_ever(void **state)
{
	const struct service_spec spec = {.name = "haproxy-x",
		.process.argv = ARGV("/usr/sbin/haproxy", "-Ws", "-f", "/x.cfg")};

	(void)state;
	assert_has(&spec, "ExecStart=:\"/usr/sbin/haproxy\" \"-Ws\" \"-f\" \"/x.cfg\"");
	assert_has(&spec, "Type=exec");
	assert_has(&spec, "Restart=always");
	assert_has(&spec, "StartLimitIntervalSec=0");
	assert_has(&spec, "WantedBy=multi-user.target");
	assert_has_not(&spec, "ExecStartPre");
	assert_has_not(&spec, "NetworkNamespacePath");
	assert_has_not(&spec, "StandardOutput");
}

static void what_systemd_would_read_otherwise_is_escaped(void **state)
{
	const struct service_spec spec = {.name = "x",
		.process.argv =
			ARGV("/bin/x", "100%", "$HOME", "a \"b\"", "c\\d", "e\nf", "", "ü;"),
		.process.output_path = "/run/a b/50%.output"};

	(void)state;
	assert_has(&spec, "ExecStart=:\"/bin/x\" \"100%%\" \"$HOME\" \"a \\x22b\\x22\" \"c\\x5cd\" "
			  "\"e\\x0af\" \"\" \"ü;\"");
	assert_has(&spec, "StandardOutput=append:/run/a b/50%%.output");
}

static void a_path_that_a_unit_cannot_name_is_refused(void **state)
{
	static const char *const paths[] = {"/run/a\nExecStart=/bin/evil", "/run/a\\", "/run/\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct service_spec spec = {
			.name = "x", .process.argv = ARGV("true"), .process.output_path = paths[i]};
		cleanup_buf struct buf text = BUF_INIT(64 * KIB);
		struct err err = ERR_NONE;

		assert_int_equal(service_unit_render(&spec, &text, &err), -EINVAL);
		assert_non_null(strstr(err.text, "/run/"));
	}
}

static void namespace_signal_and_patience_are_the_services_own(void **state)
{
	const struct service_spec spec = {.name = "x",
		.process = {.argv = ARGV("true"), .network_namespace = "amphora-haproxy"},
		.stop_signal = SIGUSR1,
		.stop_timeout_ms = 1500};
	const struct service_spec plain = {
		.name = "x", .process = {.argv = ARGV("true"), .network_namespace = ""}};

	(void)state;
	assert_has(&spec, "NetworkNamespacePath=/run/netns/amphora-haproxy");
	assert_has(&spec, "KillSignal=10");
	assert_has(&spec, "TimeoutStopSec=1500ms");
	assert_has(&plain, "KillSignal=15");
	assert_has(&plain, "TimeoutStopSec=5000ms");
	assert_has_not(&plain, "NetworkNamespacePath");
}

static void pid_files_are_removed_before_each_start(void **state)
{
	const struct service_spec spec = {
		.name = "x", .process.argv = ARGV("true"), .pid_files = ARGV("/a.pid", "/b c.pid")};

	(void)state;
	assert_has(&spec, "ExecStartPre=-:rm -f -- \"/a.pid\" \"/b c.pid\"");
}

static void an_enabled_unit_is_linked_from_the_boots_target_until_it_is_disabled(void **state)
{
	const struct service_spec spec = {.name = "haproxy-x", .process.argv = ARGV("true")};
	cleanup_free char *link =
		in_temporary_folder("units/multi-user.target.wants/haproxy-x.service");
	cleanup_free char *folder = in_temporary_folder("units");
	cleanup_free char *file = in_temporary_folder("units/haproxy-x.service");
	char target[64] = "";

	(void)state;
	assert_int_equal(service_unit_store(folder, &spec, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(service_unit_enable(folder, "haproxy-x.service", NULL), 0);
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "../haproxy-x.service");
	assert_true(file_exists(link));
	for (int i = 0; i < 2; i++)
		assert_int_equal(service_unit_disable(folder, "haproxy-x.service", NULL), 0);
	assert_int_equal(readlink(link, target, sizeof(target)), -1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(service_unit_remove(folder, "haproxy-x.service", NULL), 0);
	assert_false(file_exists(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_runs_the_command_and_restarts_it_for_ever),
		cmocka_unit_test(what_systemd_would_read_otherwise_is_escaped),
		cmocka_unit_test(a_path_that_a_unit_cannot_name_is_refused),
		cmocka_unit_test(namespace_signal_and_patience_are_the_services_own),
		cmocka_unit_test(pid_files_are_removed_before_each_start),
		with_temporary_folder(
			an_enabled_unit_is_linked_from_the_boots_target_until_it_is_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
