/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/runtime.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define HEAD    "global\n user nobody\ndefaults\n retries 3\nfrontend l\n bind :80\n mode tcp\n"
#define BACKEND "backend p:l\n mode tcp\n balance roundrobin\n timeout check 3s\n"
#define A       " server a 10.0.0.1:80 weight 1 check inter 3s fall 3 rise 2\n"
#define B       " server b 10.0.0.2:80 weight 1 check inter 3s fall 3 rise 2\n"
#define BEFORE  HEAD BACKEND A B

/* expected: the commands, one a line. */
static void assert_plan_of(
	const char *old, const char *new, bool members_start_down, const char *expected)
{
	cleanup_buf struct buf commands = BUF_INIT(MIB);
	struct haproxy_runtime_plan plan;
	struct err err = ERR_NONE;

	if (haproxy_runtime_plan_make(
		    old, strlen(old), new, strlen(new), members_start_down, &plan, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < plan.count; i++)
		buf_append_format(&commands, "%s\n", plan.commands[i]);
	assert_string_equal(buf_text(&commands), expected);
	haproxy_runtime_plan_deinit(&plan);
}

static void assert_plan(const char *old, const char *new, const char *expected)
{
	assert_plan_of(old, new, false, expected);
}

static void assert_needs_reload(const char *old, const char *new)
{
	struct haproxy_runtime_plan plan;
	struct err err = ERR_NONE;

	assert_int_equal(
		haproxy_runtime_plan_make(old, strlen(old), new, strlen(new), false, &plan, &err),
		-ENOTSUP);
	assert_true(err.text[0] != '\0');
}

static void equal_configs_need_nothing(void **state)
{
	(void)state;
	assert_plan("", "", "");
	assert_plan(BEFORE, BEFORE, "");
}

static void comments_empty_lines_and_the_order_of_servers_mean_nothing(void **state)
{
	(void)state;
	assert_plan(BEFORE, "# rendered anew\n" HEAD "\n\n" BACKEND "# x\n" B A, "");
}

static void a_weight_is_set(void **state)
{
	(void)state;
	assert_plan(BEFORE,
		HEAD BACKEND A " server b 10.0.0.2:80 weight 0 check inter 3s fall 3 rise 2\n",
		"set server p:l/b weight 0\n");
}

static void disabled_and_enabled_are_maintenance_and_ready(void **state)
{
	static const char disabled[] = HEAD BACKEND A
		" server b 10.0.0.2:80 weight 7 check inter 3s fall 3 rise 2 disabled\n";

	(void)state;
	assert_plan(BEFORE, disabled, "set server p:l/b weight 7\nset server p:l/b state maint\n");
	assert_plan(disabled, BEFORE, "set server p:l/b weight 1\nset server p:l/b state ready\n");
}

static void an_added_server_is_made_enabled_and_checked(void **state)
{
	(void)state;
	assert_plan(BEFORE, BEFORE " server c fd00::3:80 weight 5 check inter 3s fall 3 rise 2\n",
		"add server p:l/c fd00::3:80 check inter 3s fall 3 rise 2 weight 5\n"
		"enable health p:l/c\n"
		"enable server p:l/c\n");
	assert_plan(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5\n",
		"add server p:l/c 10.0.0.3:80 weight 5\n"
		"enable server p:l/c\n");
	assert_plan(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5 disabled backup\n",
		"add server p:l/c 10.0.0.3:80 backup weight 5\n");
}

/* As the operator has it, or where its line has it for HAProxy 3.1. */
static void what_begins_to_serve_is_down_until_checks_pass(void **state)
{
	static const char disabled[] = HEAD BACKEND A
		" server b 10.0.0.2:80 weight 1 check inter 3s fall 3 rise 2 disabled\n";

	(void)state;
	assert_plan_of(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5 check rise 2\n", true,
		"add server p:l/c 10.0.0.3:80 check rise 2 weight 5\n"
		"enable health p:l/c\n"
		"enable server p:l/c\n"
		"set server p:l/c health down\n");
	assert_plan_of(disabled, BEFORE, true,
		"set server p:l/b state ready\n"
		"set server p:l/b health down\n");
	assert_plan_of(BEFORE, disabled, true, "set server p:l/b state maint\n");
	assert_plan_of(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5 check disabled\n", true,
		"add server p:l/c 10.0.0.3:80 check weight 5\n"
		"enable health p:l/c\n");
	assert_plan_of(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5\n", true,
		"add server p:l/c 10.0.0.3:80 weight 5\n"
		"enable server p:l/c\n");
	assert_plan_of(BEFORE, BEFORE " server c 10.0.0.3:80 weight 5 check init-state down\n",
		true,
		"add server p:l/c 10.0.0.3:80 check init-state down weight 5\n"
		"enable health p:l/c\n"
		"enable server p:l/c\n");
}

/* Of an added server with these options, as "add server" has them. */
static void assert_added_with(const char *options, const char *expected)
{
	cleanup_free char *new = xformat("%s server c 10.0.0.3:80 %s\n", BEFORE, options);
	cleanup_free char *commands = xformat("add server p:l/c 10.0.0.3:80 %s weight 1\n"
					      "%senable server p:l/c\n",
		expected, strstr(options, "check") ? "enable health p:l/c\n" : "");

	assert_plan(BEFORE, new, commands);
}

static void an_added_server_is_checked_over_what_its_traffic_is_sent_over(void **state)
{
	(void)state;
	assert_added_with("check send-proxy", "check send-proxy check-send-proxy");
	assert_added_with("check send-proxy-v2", "check send-proxy-v2 check-send-proxy");
	assert_added_with("ssl verify none check", "ssl verify none check check-ssl");
	assert_added_with("ssl check send-proxy-v2-ssl-cn",
		"ssl check send-proxy-v2-ssl-cn check-ssl check-send-proxy");
	assert_added_with("ssl check check-ssl check-alpn h2", "ssl check check-ssl check-alpn h2");
	assert_added_with("ssl send-proxy", "ssl send-proxy");
	assert_added_with("no-ssl check crt /ssl", "no-ssl check crt /ssl");
}

static void an_added_server_that_is_checked_elsewhere_is_checked_plainly(void **state)
{
	(void)state;
	assert_added_with("ssl check port 81 send-proxy", "ssl check port 81 send-proxy");
	assert_added_with("ssl check addr 10.0.9.9", "ssl check addr 10.0.9.9");
}

static void a_removed_server_is_drained_first(void **state)
{
	(void)state;
	assert_plan(BEFORE, HEAD BACKEND B,
		"set server p:l/a state maint\n"
		"del server p:l/a\n");
}

static void additions_come_before_removals(void **state)
{
	(void)state;
	assert_plan(BEFORE, HEAD BACKEND B " server z 10.0.0.9:80 weight 1\n",
		"add server p:l/z 10.0.0.9:80 weight 1\n"
		"enable server p:l/z\n"
		"set server p:l/a state maint\n"
		"del server p:l/a\n");
}

static void several_backends_change_at_once(void **state)
{
	static const char other[] = "backend q:l\n balance leastconn\n server a 10.0.1.1:80\n";
	cleanup_free char *old = xformat("%s%s", BEFORE, other);
	cleanup_free char *new = xformat("%s%s weight 9\n", HEAD BACKEND A,
		"backend q:l\n balance leastconn\n server a 10.0.1.1:80");

	(void)state;
	assert_plan(old, new,
		"set server q:l/a weight 9\n"
		"set server p:l/b state maint\n"
		"del server p:l/b\n");
}

static void any_other_line_needs_a_reload(void **state)
{
	(void)state;
	assert_needs_reload(BEFORE, BEFORE "backend q:l\n");
	assert_needs_reload(BEFORE " option allbackups\n", BEFORE);
	assert_needs_reload(BEFORE, HEAD BACKEND " timeout server 5s\n" A B);
	assert_needs_reload(BEFORE, HEAD "frontend m\n" BACKEND A B);
	assert_needs_reload(BEFORE, "");
	assert_needs_reload("", BEFORE);
}

static void a_server_moved_to_another_backend_of_the_same_lines_is_seen(void **state)
{
	static const char second[] = "backend q:l\n balance roundrobin\n";
	cleanup_free char *old = xformat("%s%s%s", HEAD BACKEND A B, second, "");
	cleanup_free char *new = xformat("%s%s%s", HEAD BACKEND A, second, B);

	(void)state;
	assert_plan(old, new,
		"add server q:l/b 10.0.0.2:80 check inter 3s fall 3 rise 2 weight 1\n"
		"enable health q:l/b\n"
		"enable server q:l/b\n"
		"set server p:l/b state maint\n"
		"del server p:l/b\n");
}

static void other_changes_of_a_server_need_a_reload(void **state)
{
	(void)state;
	assert_needs_reload(BEFORE,
		HEAD BACKEND A " server b 10.0.0.3:80 weight 1 check inter 3s fall 3 rise 2\n");
	assert_needs_reload(BEFORE,
		HEAD BACKEND A " server b 10.0.0.2:80 weight 1 check inter 4s fall 3 rise 2\n");
	assert_needs_reload(BEFORE, HEAD BACKEND A " server b 10.0.0.2:80 weight 1\n");
	assert_needs_reload(BEFORE, HEAD BACKEND A
		" server b 10.0.0.2:80 weight 1 check inter 3s fall 3 rise 2 backup\n");
}

static void assert_backend_needs_reload(const char *backend)
{
	cleanup_free char *old = xformat("%s%s%s", HEAD, backend, A);
	cleanup_free char *new = xformat("%s%s%s%s", HEAD, backend, A, B);

	assert_needs_reload(old, new);
	assert_needs_reload(new, old);
	assert_plan(old, old, "");
}

static void backends_whose_servers_are_fixed_need_a_reload(void **state)
{
	(void)state;
	assert_backend_needs_reload("backend p:l\n balance source\n");
	assert_backend_needs_reload("backend p:l\n mode tcp\n");
	assert_backend_needs_reload("backend p:l\n balance roundrobin\n option external-check\n");
	assert_backend_needs_reload("backend p:l\n balance roundrobin\n use-server a if TRUE\n");
	assert_backend_needs_reload("listen p:l\n balance roundrobin\n");
	assert_needs_reload(".if streq(a,b)\n" BEFORE, ".if streq(a,b)\n" HEAD BACKEND A);
}

static void under_a_default_server_all_changes_need_a_reload(void **state)
{
	static const char early[] = BACKEND " default-server inter 9s\n" A B;

	(void)state;
	assert_plan(early, early, "");
	assert_needs_reload(early, BACKEND " default-server inter 9s\n" A);
	assert_needs_reload(early, BACKEND A " default-server inter 9s\n" B);
}

static void what_would_need_quoting_needs_a_reload(void **state)
{
	(void)state;
	assert_needs_reload(BEFORE, BEFORE " server c 10.0.0.3:80 sni str(a)\n");
	assert_needs_reload(BEFORE, BEFORE " server c 10.0.0.3:80 sni 'a b'\n");
	assert_needs_reload(BEFORE, BEFORE " server c 10.0.0.3:80;shutdown weight 1\n");
	assert_needs_reload(BEFORE, BEFORE " server c;d 10.0.0.3:80 weight 1\n");
	assert_needs_reload(BEFORE, BEFORE " server c 10.0.0.3:80 agent-check\n");
}

static void two_servers_of_one_name_need_a_reload(void **state)
{
	(void)state;
	assert_needs_reload(BEFORE, BEFORE A);
	assert_needs_reload(BEFORE A, BEFORE);
}

static void a_whole_lot_of_changes_is_a_reload(void **state)
{
	cleanup_buf struct buf new = BUF_INIT(MIB);

	(void)state;
	buf_append_text(&new, BEFORE);
	for (int i = 0; i < 3000; i++)
		buf_append_format(&new, " server s%d 10.0.0.3:80\n", i);
	assert_needs_reload(BEFORE, buf_text(&new));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_configs_need_nothing),
		cmocka_unit_test(comments_empty_lines_and_the_order_of_servers_mean_nothing),
		cmocka_unit_test(a_weight_is_set),
		cmocka_unit_test(disabled_and_enabled_are_maintenance_and_ready),
		cmocka_unit_test(an_added_server_is_made_enabled_and_checked),
		cmocka_unit_test(what_begins_to_serve_is_down_until_checks_pass),
		cmocka_unit_test(an_added_server_is_checked_over_what_its_traffic_is_sent_over),
		cmocka_unit_test(an_added_server_that_is_checked_elsewhere_is_checked_plainly),
		cmocka_unit_test(a_removed_server_is_drained_first),
		cmocka_unit_test(additions_come_before_removals),
		cmocka_unit_test(several_backends_change_at_once),
		cmocka_unit_test(any_other_line_needs_a_reload),
		cmocka_unit_test(a_server_moved_to_another_backend_of_the_same_lines_is_seen),
		cmocka_unit_test(other_changes_of_a_server_need_a_reload),
		cmocka_unit_test(backends_whose_servers_are_fixed_need_a_reload),
		cmocka_unit_test(under_a_default_server_all_changes_need_a_reload),
		cmocka_unit_test(what_would_need_quoting_needs_a_reload),
		cmocka_unit_test(two_servers_of_one_name_need_a_reload),
		cmocka_unit_test(a_whole_lot_of_changes_is_a_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
