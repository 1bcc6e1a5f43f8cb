/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "prometheus/translation.h"

/* Feeds the text in pieces of that size. */
static void assert_becomes_in_pieces(const char *text, size_t piece_bytes, const char *expected)
{
	CLEANUP(translation_deinit) struct translation translation = TRANSLATION_INIT;
	cleanup_buf struct buf got = BUF_INIT(MIB);
	size_t size = strlen(text);

	for (size_t at = 0; at < size; at += piece_bytes) {
		size_t piece = size - at < piece_bytes ? size - at : piece_bytes;

		assert_int_equal(translation_feed(&translation, text + at, piece, &got), piece);
	}
	translation_end(&translation, &got);
	assert_string_equal(buf_text(&got), expected);
}

/* Whatever way the bytes arrive in. */
static void assert_becomes(const char *text, const char *expected)
{
	size_t size = strlen(text);

	for (size_t piece = 1; piece <= size; piece++)
		assert_becomes_in_pieces(text, piece, expected);
}

static void metrics_of_the_process_get_their_new_names(void **state)
{
	(void)state;
	assert_becomes("# HELP haproxy_process_max_connections Hard limit on connections.\n"
		       "# TYPE haproxy_process_max_connections gauge\n"
		       "haproxy_process_max_connections 2000\n",
		"# HELP octavia_loadbalancer_max_connections Hard limit on connections.\n"
		"# TYPE octavia_loadbalancer_max_connections gauge\n"
		"octavia_loadbalancer_max_connections 2000\n");
}

static void labels_get_the_names_of_octavias_objects(void **state)
{
	(void)state;
	assert_becomes("haproxy_frontend_status{proxy=\"L\",state=\"UP\"} 1\n"
		       "haproxy_frontend_status{proxy=\"L\",state=\"DOWN\"} 0\n"
		       "haproxy_backend_max_queue{proxy=\"P:L\"} 3\n"
		       "haproxy_server_weight{proxy=\"P:L\",server=\"M\"} 1\n"
		       "haproxy_server_weight{server=\"M\",proxy=\"P:L\"} 2 1700000000\n",
		"octavia_listener_status{listener=\"L\",state=\"UP\"} 1\n"
		"octavia_listener_status{listener=\"L\",state=\"DOWN\"} 0\n"
		"octavia_pool_max_queue{pool=\"P:L\"} 3\n"
		"octavia_member_weight{pool=\"P:L\",member=\"M\"} 1\n"
		"octavia_member_weight{member=\"M\",pool=\"P:L\"} 2 1700000000\n");
}

static void help_that_speaks_of_haproxys_terms_is_ours(void **state)
{
	(void)state;
	assert_becomes("# HELP haproxy_server_weight Service weight.\n"
		       "# TYPE haproxy_server_weight gauge\n",
		"# HELP octavia_member_weight Member weight.\n"
		"# TYPE octavia_member_weight gauge\n");
}

static void what_is_not_published_is_dropped(void **state)
{
	(void)state;
	assert_becomes("# HELP haproxy_process_nbthread Number of threads.\n"
		       "# TYPE haproxy_process_nbthread gauge\n"
		       "haproxy_process_nbthread 2\n"
		       "haproxy_server_check_status{proxy=\"P\",server=\"M\"} 1\n"
		       "haproxy_server_weights{proxy=\"P\",server=\"M\"} 1\n"
		       "haproxy_process_build_info{version=\"2.6.12\"} 1\n"
		       "haproxy_process_max_connections{a=\"b\"} 1\n"
		       "# a comment\n"
		       "# EOF\n"
		       "\n"
		       "haproxy_server_weight{proxy=\"P\",server=\"M\"} 7\n",
		"octavia_member_weight{pool=\"P\",member=\"M\"} 7\n");
}

static void proxies_for_the_scraping_itself_are_dropped(void **state)
{
	(void)state;
	assert_becomes("haproxy_frontend_max_sessions{proxy=\"prometheus-exporter-internal-"
		       "endpoint\"} 1\n"
		       "haproxy_backend_max_queue{proxy=\"prometheus-exporter-internal\"} 1\n"
		       "haproxy_server_weight{proxy=\"prometheus-exporter-internal\","
		       "server=\"prometheus-internal\"} 1\n",
		"");
	/* A member may be called so. */
	assert_becomes("haproxy_server_weight{proxy=\"P\",server=\"prometheus-exporter-1\"} 1\n",
		"octavia_member_weight{pool=\"P\",member=\"prometheus-exporter-1\"} 1\n");
}

static void what_stands_in_a_value_is_left_alone(void **state)
{
	(void)state;
	assert_becomes(
		"haproxy_server_status{proxy=\"a,server=\\\"x}\",server=\"\",state=\"\\\\\"} 1\n",
		"octavia_member_status{pool=\"a,server=\\\"x}\",member=\"\",state=\"\\\\\"} 1\n");
	assert_becomes("haproxy_frontend_status{state=\"proxy=\\\\\",proxy=\"L\"} NaN\n",
		"octavia_listener_status{state=\"proxy=\\\\\",listener=\"L\"} NaN\n");
}

static void malformed_lines_are_dropped_and_their_neighbours_are_not(void **state)
{
	static const char *const malformed[] = {"{", "{}", "{proxy", "{proxy=", "{proxy=}",
		"{proxy=\"", "{proxy=\"a", "{proxy=\"a\\\"} 1", "{proxy=\"a\"", "{proxy=\"a\"}",
		"{proxy=\"a\"}1", "{proxy=\"a\";server=\"b\"} 1", "{=\"a\"} 1", "{proxy=a} 1",
		"{proxy=\"a\",proxy=\"b\",proxy=\"c\"} 1", "\t1", "", "\""};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		cleanup_free char *text = xformat("haproxy_server_weight{proxy=\"P\"} 1\n"
						  "haproxy_server_weight%s\n"
						  "haproxy_server_weight{proxy=\"P\"} 2\n",
			malformed[i]);

		assert_becomes(text, "octavia_member_weight{pool=\"P\"} 1\n"
				     "octavia_member_weight{pool=\"P\"} 2\n");
	}
}

static void a_last_line_without_its_end_is_taken(void **state)
{
	(void)state;
	assert_becomes(
		"haproxy_process_max_connections 5", "octavia_loadbalancer_max_connections 5\n");
	assert_becomes_in_pieces("", 1, "");
}

static void a_line_that_is_too_long_is_dropped_whole(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	static const size_t pieces[] = {1, 1000, TRANSLATION_LINE_MAX, 64 * KIB};

	(void)state;
	buf_append_text(&text, "haproxy_server_weight{proxy=\"");
	while (text.size_bytes <= TRANSLATION_LINE_MAX)
		buf_append_text(&text, "0123456789");
	buf_append_text(&text, "\"} 1\nhaproxy_server_weight{proxy=\"P\"} 2\n");
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		assert_becomes_in_pieces(
			buf_text(&text), pieces[i], "octavia_member_weight{pool=\"P\"} 2\n");
}

static void a_name_that_is_too_long_is_dropped(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	for (unsigned i = 0; i < 2 * METRIC_NAME_MAX; i++)
		buf_append_char(&text, 'a');
	buf_append_text(&text, " 1\nhaproxy_process_max_connections 5\n");
	assert_becomes(buf_text(&text), "octavia_loadbalancer_max_connections 5\n");
}

static void a_name_that_begins_like_the_one_before_is_another(void **state)
{
	(void)state;
	assert_becomes("haproxy_server_max_queue{proxy=\"P\"} 1\n"
		       "haproxy_server_max_queue_time_seconds{proxy=\"P\"} 2\n"
		       "haproxy_server_max_queue{proxy=\"P\"} 3\n",
		"octavia_member_max_queue{pool=\"P\"} 1\n"
		"octavia_member_max_queue_time_seconds{pool=\"P\"} 2\n"
		"octavia_member_max_queue{pool=\"P\"} 3\n");
}

/* Feeds the text in pieces of that size; says where families end: "<NAME>". */
static void assert_stops_in_pieces(const char *text, size_t piece_bytes, const char *expected)
{
	CLEANUP(translation_deinit) struct translation translation = TRANSLATION_INIT;
	cleanup_buf struct buf got = BUF_INIT(MIB);
	const char *end = text + strlen(text);

	translation.stops_at_families = true;
	while (text < end) {
		size_t left =
			(size_t)(end - text) < piece_bytes ? (size_t)(end - text) : piece_bytes;

		for (;;) {
			size_t taken = translation_feed(&translation, text, left, &got);

			text += taken;
			left -= taken;
			if (!translation.holds_line)
				break;
			buf_append_format(&got, "<%s>\n", translation.family);
		}
		assert_int_equal(left, 0);
	}
	translation_end(&translation, &got);
	buf_append_format(&got, "<%s>\n", translation.family);
	assert_string_equal(buf_text(&got), expected);
}

#define STATUS                                                                                     \
	"# HELP haproxy_frontend_status x\n# TYPE haproxy_frontend_status gauge\n"                 \
	"haproxy_frontend_status{proxy=\"L\",state=\"UP\"} 1\n"
#define WEIGHT                                                                                     \
	"# HELP haproxy_server_weight x\n# TYPE haproxy_server_weight gauge\n"                     \
	"haproxy_server_weight{proxy=\"P:L\",server=\"M\"} 1\n"
#define UNPUBLISHED "# HELP haproxy_server_uweight x\nhaproxy_server_uweight{proxy=\"P:L\"} 1\n"

#define STATUS_BECOMES                                                                             \
	"# HELP octavia_listener_status Current status of the listener.\n"                         \
	"# TYPE octavia_listener_status gauge\n"                                                   \
	"octavia_listener_status{listener=\"L\",state=\"UP\"} 1\n"
#define WEIGHT_BECOMES                                                                             \
	"# HELP octavia_member_weight Member weight.\n# TYPE octavia_member_weight gauge\n"        \
	"octavia_member_weight{pool=\"P:L\",member=\"M\"} 1\n"

static void the_end_of_a_family_is_told_wherever_the_bytes_are_cut(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{STATUS WEIGHT, STATUS_BECOMES "<octavia_listener_status>\n" WEIGHT_BECOMES
					       "<octavia_member_weight>\n"},
		{STATUS UNPUBLISHED WEIGHT, STATUS_BECOMES
			"<octavia_listener_status>\n" WEIGHT_BECOMES "<octavia_member_weight>\n"},
		{UNPUBLISHED STATUS UNPUBLISHED, STATUS_BECOMES "<octavia_listener_status>\n<>\n"},
		{UNPUBLISHED, "<>\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].text); piece++)
			assert_stops_in_pieces(cases[i].text, piece, cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_of_the_process_get_their_new_names),
		cmocka_unit_test(labels_get_the_names_of_octavias_objects),
		cmocka_unit_test(help_that_speaks_of_haproxys_terms_is_ours),
		cmocka_unit_test(what_is_not_published_is_dropped),
		cmocka_unit_test(proxies_for_the_scraping_itself_are_dropped),
		cmocka_unit_test(what_stands_in_a_value_is_left_alone),
		cmocka_unit_test(malformed_lines_are_dropped_and_their_neighbours_are_not),
		cmocka_unit_test(a_last_line_without_its_end_is_taken),
		cmocka_unit_test(a_line_that_is_too_long_is_dropped_whole),
		cmocka_unit_test(a_name_that_is_too_long_is_dropped),
		cmocka_unit_test(the_end_of_a_family_is_told_wherever_the_bytes_are_cut),
		cmocka_unit_test(a_name_that_begins_like_the_one_before_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
