/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/upload.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"

static void assert_rewritten(const char *upload, const char *expected, const char *expected_notes)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf notes = BUF_INIT(MIB);

	haproxy_upload_rewrite(upload, strlen(upload), &text, &notes);
	assert_string_equal(buf_text(&text), expected);
	assert_string_equal(buf_text(&notes), expected_notes);
}

static void assert_untouched(const char *upload)
{
	assert_rewritten(upload, upload, "");
}

static void an_ordinary_config_stays_byte_for_byte(void **state)
{
	(void)state;
	assert_untouched("");
	assert_untouched("\n\n# only a comment\n\t \n");
	assert_untouched("global\n    daemon\n    user nobody\n\n\ndefaults\n  log global # why\n");
	assert_untouched("global\r\n\tdaemon\r\n\r\nfrontend f\r\n\tmode http\r\n");
	assert_untouched("frontend f\n  bind 10.0.0.1:80\n  log-format a\\ b\\ %{+Q}r");
	assert_untouched("backend b\n  http-request deny if { path -m str \"/a b\" }   \n");
}

static void bytes_that_are_no_text_stay_too(void **state)
{
	static const char upload[] = "global\n\0\xff\xfe\n g\0roup x\n";
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf notes = BUF_INIT(MIB);

	(void)state;
	haproxy_upload_rewrite(upload, sizeof(upload) - 1, &text, &notes);
	assert_int_equal(text.size_bytes, sizeof(upload) - 1);
	assert_memory_equal(text.data, upload, sizeof(upload) - 1);
}

static void a_group_line_in_global_goes(void **state)
{
	(void)state;
	assert_rewritten("global\n    daemon\n    user nobody\n    group nogroup\n    maxconn 9\n",
		"global\n    daemon\n    user nobody\n    maxconn 9\n",
		"line 4: 'group' dropped: the group is the agent's to say\n");
	assert_rewritten("global\n group nogroup", "global\n",
		"line 2: 'group' dropped: the group is the agent's to say\n");
}

static void group_elsewhere_is_another_keyword(void **state)
{
	(void)state;
	assert_untouched("userlist u\n    group admins users a,b\n");
	assert_untouched("global\n    # group nogroup\n    user group\n");
}

static void http_use_htx_goes(void **state)
{
	(void)state;
	assert_rewritten("frontend f\n    no log\n    option http-use-htx\n    timeout client 5s\n",
		"frontend f\n    no log\n    timeout client 5s\n",
		"line 3: 'option http-use-htx' dropped: HAProxy no longer knows it\n");
}

static void the_host_behind_httpchk_gets_its_own_line(void **state)
{
	(void)state;
	assert_rewritten("backend b\n    timeout check 2s\n"
			 "    option httpchk GET /healthz HTTP/1.1\\r\\nHost:\\ www.example.com\n"
			 "    http-check expect rstatus 200\n",
		"backend b\n    timeout check 2s\n"
		"    option httpchk GET /healthz HTTP/1.1\n"
		"    http-check send hdr Host www.example.com\n"
		"    http-check expect rstatus 200\n",
		"line 3: the request's head in 'option httpchk' became 'http-check send'\n");
}

static void an_empty_head_behind_httpchk_goes(void **state)
{
	(void)state;
	assert_rewritten("backend b\n  option httpchk GET / HTTP/1.0\\r\\n\n",
		"backend b\n  option httpchk GET / HTTP/1.0\n",
		"line 2: the request's head in 'option httpchk' became 'http-check send'\n");
}

static void other_heads_behind_httpchk_are_haproxys_to_judge(void **state)
{
	(void)state;
	assert_untouched("backend b\n  option httpchk GET / HTTP/1.1\\r\\nX-A:\\ b\n");
	assert_untouched("backend b\n  option httpchk GET / HTTP/1.1\\r\\nHost:\\ a\\r\\nX:\\ b\n");
	assert_untouched("backend b\n  option httpchk GET / HTTP/1.1\\r\\nHost:\\ a\\ b\n");
	assert_untouched("backend b\n  option httpchk GET /a\\r\\nb\n");
}

static void external_check_is_cut_off_cpu_map(void **state)
{
	(void)state;
	assert_rewritten("global\n    nbthread 3\n"
			 "    cpu-map auto:1/1-3 1-3    external-check\n"
			 "    insecure-fork-wanted\n",
		"global\n    nbthread 3\n"
		"    cpu-map auto:1/1-3 1-3\n"
		"    external-check\n"
		"    insecure-fork-wanted\n",
		"line 3: 'external-check' at the end of 'cpu-map' got a line of its own\n");
	assert_untouched("global\n    cpu-map auto:1/1-3 1-3\n    external-check\n");
}

static void every_change_is_noted(void **state)
{
	(void)state;
	assert_rewritten("global\n group a\n group b\nfrontend f\n option http-use-htx\n",
		"global\nfrontend f\n",
		"line 2: 'group' dropped: the group is the agent's to say\n"
		"line 3: 'group' dropped: the group is the agent's to say\n"
		"line 5: 'option http-use-htx' dropped: HAProxy no longer knows it\n");
}

static void a_real_controllers_config_is_not_touched(void **state)
{
	cleanup_buf struct buf upload = BUF_INIT(MIB);

	(void)state;
	assert_int_equal(file_read(SHARED_TESTS "/fuzz/corpus/haproxy_config/haproxy-tls.cfg",
				 &upload, NULL),
		0);
	assert_untouched(buf_text(&upload));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_config_stays_byte_for_byte),
		cmocka_unit_test(bytes_that_are_no_text_stay_too),
		cmocka_unit_test(a_group_line_in_global_goes),
		cmocka_unit_test(group_elsewhere_is_another_keyword),
		cmocka_unit_test(http_use_htx_goes),
		cmocka_unit_test(the_host_behind_httpchk_gets_its_own_line),
		cmocka_unit_test(an_empty_head_behind_httpchk_goes),
		cmocka_unit_test(other_heads_behind_httpchk_are_haproxys_to_judge),
		cmocka_unit_test(external_check_is_cut_off_cpu_map),
		cmocka_unit_test(every_change_is_noted),
		cmocka_unit_test(a_real_controllers_config_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
