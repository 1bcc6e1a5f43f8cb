/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/partial.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define PRESENT "/proc/self/exe"
#define MISSING "/nowhere/site.pem"

static void assert_cut(const char *config, const char *expected, const char *expected_notes)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_buf struct buf notes = BUF_INIT(MIB);

	haproxy_partial_cut(config, strlen(config), &text, &notes);
	assert_string_equal(buf_text(&text), expected);
	assert_string_equal(buf_text(&notes), expected_notes);
}

static void a_config_whose_files_are_there_stays_byte_for_byte(void **state)
{
	static const char *const configs[] = {
		"",
		"# only a comment",
		"frontend f\r\n\tbind :443 ssl crt " PRESENT "\r\n\r\nbackend b\n",
		"backend b\n  server s 10.0.0.1:443 ssl ca-file " PRESENT "  # why\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		assert_cut(configs[i], configs[i], "");
}

static void a_frontend_without_its_certificate_goes_and_the_others_stay(void **state)
{
	(void)state;
	assert_cut("global\n  daemon\n\n"
		   "frontend web\n  bind :80\n  default_backend b\n\n"
		   "# terminates TLS\n"
		   "frontend tls\n  maxconn 5\n  bind :443 ssl crt " MISSING "\n"
		   "  default_backend b\n\n"
		   "backend b\n  server s 10.0.0.1:80\n",
		"global\n  daemon\n\n"
		"frontend web\n  bind :80\n  default_backend b\n\n"
		"# terminates TLS\n\n"
		"backend b\n  server s 10.0.0.1:80\n",
		"frontend tls is not served, because " MISSING " is missing\n");
}

static void every_kind_of_file_of_any_bind_line_counts(void **state)
{
	static const char *const keywords[] = {
		"crt", "crt-list", "ca-file", "ca-verify-file", "crl-file"};

	(void)state;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		cleanup_buf struct buf config = BUF_INIT(MIB);

		buf_append_format(&config,
			"frontend f\n  bind :80\n  bind :443 ssl crt " PRESENT " %s " MISSING "\n",
			keywords[i]);
		assert_cut(buf_text(&config), "",
			"frontend f is not served, because " MISSING " is missing\n");
	}
}

#define NOT_USED(backend)                                                                          \
	"servers of " backend " that need " MISSING " are not used, because it is missing\n"

static void servers_without_their_certificate_go_alone_and_are_told_of_once(void **state)
{
	(void)state;
	assert_cut("backend b\n  server s1 10.0.0.1:443 ssl crt " MISSING "\n"
		   "  server s2 10.0.0.2:80\n  server s3 10.0.0.3:443 ssl crt " MISSING "\n"
		   "backend c\n  server s1 10.0.0.1:443 ssl crt " MISSING "\n",
		"backend b\n  server s2 10.0.0.2:80\nbackend c\n", NOT_USED("b") NOT_USED("c"));
}

/* Without it the servers would be trusted whoever they are. */
static void what_holds_for_all_servers_stays(void **state)
{
	static const char config[] =
		"backend b\n  default-server ssl verify required ca-file " MISSING "\n"
		"  server s 10.0.0.1:443\n";

	(void)state;
	assert_cut(config, config, "");
}

static void paths_that_are_no_files_words_do_not_count(void **state)
{
	static const char config[] = "frontend f\n  bind :443 ssl crt site.pem\n"
				     "  use_backend b if { path " MISSING " }\n"
				     "backend b\n  server crt " MISSING "\n";

	(void)state;
	assert_cut(config, config, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_config_whose_files_are_there_stays_byte_for_byte),
		cmocka_unit_test(a_frontend_without_its_certificate_goes_and_the_others_stay),
		cmocka_unit_test(every_kind_of_file_of_any_bind_line_counts),
		cmocka_unit_test(servers_without_their_certificate_go_alone_and_are_told_of_once),
		cmocka_unit_test(what_holds_for_all_servers_stays),
		cmocka_unit_test(paths_that_are_no_files_words_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
