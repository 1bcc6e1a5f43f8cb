/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "real_keepalived.h"

/* 0, or what keepalived_check() says; its words become *ret_words, the caller's. */
static int check(const char *config, char **ret_words)
{
	cleanup_buf struct buf output = BUF_INIT(KEEPALIVED_OUTPUT_MAX_BYTES);
	cleanup_free char *path = in_temporary_folder("new.conf");
	int r;

	temporary_file("new.conf", config);
	r = keepalived_check(site, path, "VRRP configuration", &output, NULL);
	if (ret_words)
		*ret_words = buf_take_text(&output);
	return r;
}

static void assert_accepted(const char *part, const char *replacement)
{
	cleanup_free char *config = config_with(part, replacement);
	cleanup_free char *words = NULL;

	assert_int_equal(check(config, &words), 0);
	assert_string_equal(words ? words : "", "");
}

static void assert_refused(const char *part, const char *replacement, const char *complaint)
{
	cleanup_free char *config = config_with(part, replacement);
	cleanup_free char *words = NULL;

	assert_int_equal(check(config, &words), -EBADMSG);
	assert_non_null(strstr(words, complaint));
}

static void a_controllers_config_is_accepted_although_keepalived_complains(void **state)
{
	(void)state;
	assert_accepted("", "");
	/* As release 11 sends it. */
	assert_accepted("    interface eth1\n", "    state MASTER\n    interface eth1\n");
}

static void a_config_of_both_families_is_accepted(void **state)
{
	(void)state;
	assert_accepted("ipaddress_excluded {\n", "ipaddress_excluded {\n        2001:db8::13\n");
	assert_accepted("virtual_rules {\n",
		"virtual_rules {\n        from 2001:db8::13/128 table 1 priority 100\n");
}

static void a_config_of_ipv6_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(
		check("vrrp_instance six {\n"
		      "    interface eth1\n"
		      "    virtual_router_id 1\n"
		      "    priority 90\n"
		      "    nopreempt\n"
		      "    accept\n"
		      "    authentication {\n"
		      "        auth_type PASS\n"
		      "        auth_pass b5e00e6\n"
		      "    }\n"
		      "    unicast_src_ip 2001:db8::15\n"
		      "    unicast_peer {\n"
		      "        2001:db8::16\n"
		      "    }\n"
		      "    virtual_ipaddress {\n"
		      "        2001:db8::13\n"
		      "    }\n"
		      "    virtual_routes {\n"
		      "        2001:db8::/64 dev eth1 src 2001:db8::13 scope link table 1\n"
		      "        default via 2001:db8::1 dev eth1 onlink table 1\n"
		      "    }\n"
		      "}\n",
			NULL),
		0);
}

static void an_interface_that_is_not_there_yet_is_no_fault_of_the_config(void **state)
{
	(void)state;
	assert_accepted("interface eth1", "interface eth9");
}

static void an_instance_that_cannot_run_is_refused_in_keepaliveds_words(void **state)
{
	(void)state;
	assert_refused("    interface eth1\n", "", "Unknown interface!");
	assert_refused("    virtual_router_id 1\n", "", "the virtual router id must be set");
	assert_refused("router_id 1\n", "router_id 999\n", "'999' outside range");
	assert_refused("vrrp_script check_script {",
		"vrrp_instance other {\n"
		"    interface eth1\n"
		"    virtual_router_id 1\n"
		"    unicast_src_ip 198.51.100.15\n"
		"    unicast_peer {\n"
		"        198.51.100.16\n"
		"    }\n"
		"    virtual_ipaddress {\n"
		"        198.51.100.77\n"
		"    }\n"
		"}\n"
		"vrrp_script check_script {",
		"VRID");
}

static void a_config_that_was_cut_is_refused(void **state)
{
	cleanup_free char *config = xmemdup_text(vrrp_config, sizeof(vrrp_config) / 2);
	cleanup_free char *words = NULL;

	(void)state;
	assert_int_equal(check(config, &words), -EBADMSG);
	assert_non_null(strstr(words, "missing '}'"));
	assert_refused("    track_script {\n", "    }\n    track_script {\n", "'}'");
}

static void a_keepalived_that_cannot_be_asked_is_no_judgement(void **state)
{
	char *command = site->command;

	(void)state;
	site->command = "/bin/false";
	assert_int_equal(check(vrrp_config, NULL), -EIO);
	site->command = "/nonexistent/keepalived";
	assert_int_equal(check(vrrp_config, NULL), -ENOENT);
	site->command = command;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_keepalived(a_controllers_config_is_accepted_although_keepalived_complains),
		with_keepalived(a_config_of_both_families_is_accepted),
		with_keepalived(a_config_of_ipv6_is_accepted),
		with_keepalived(an_interface_that_is_not_there_yet_is_no_fault_of_the_config),
		with_keepalived(an_instance_that_cannot_run_is_refused_in_keepaliveds_words),
		with_keepalived(a_config_that_was_cut_is_refused),
		with_keepalived(a_keepalived_that_cannot_be_asked_is_no_judgement),
	};

	return cmocka_run_group_tests_name("keepalived_check", tests, NULL, NULL);
}
