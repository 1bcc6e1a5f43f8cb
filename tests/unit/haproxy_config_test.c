/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/config.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "haproxy/config_line.h"

static struct haproxy_config parsed(const char *text)
{
	struct haproxy_config config;

	haproxy_config_parse(text, strlen(text), &config);
	return config;
}

static struct haproxy_config parsed_file(const char *name)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	char path[256];

	snprintf(path, sizeof(path), "%s/fuzz/corpus/haproxy_config/%s", SHARED_TESTS, name);
	assert_int_equal(file_read(path, &text, NULL), 0);
	return parsed(buf_text(&text));
}

static void assert_listener(const struct haproxy_config *config, size_t i, const char *name,
	const char *type, const char *bind)
{
	assert_string_equal(config->listeners[i].name, name);
	assert_string_equal(haproxy_listener_type_text(config->listeners[i].type), type);
	assert_int_equal(config->listeners[i].bind_count, 1);
	assert_string_equal(config->listeners[i].binds[0], bind);
}

static void a_real_controllers_listeners_are_found_in_order(void **state)
{
	struct haproxy_config config = parsed_file("haproxy-tls.cfg");

	(void)state;
	assert_int_equal(config.listener_count, 4);
	assert_listener(
		&config, 0, "1eff2d52-4cb2-4c3e-9f1a-a7731e78c66a", "HTTP", "198.51.100.10:8080");
	assert_listener(
		&config, 1, "3a709060-d302-4ee5-8d7a-ffeea2dc6810", "TCP", "198.51.100.10:80");
	assert_listener(&config, 3, "b14f868a-8506-454f-8667-7a7d09b2449c", "TERMINATED_HTTPS",
		"198.51.100.10:8443");
	assert_string_equal(
		config.stats_socket, "/var/lib/octavia/ba2ecdec-9c4b-4245-9a07-0d3e5f68ba81.sock");
	assert_int_equal(config.backend_count, 5);
	assert_string_equal(config.backends[0], "4b369de4-7244-42db-9277-6ed8eb5a0589:"
						"1eff2d52-4cb2-4c3e-9f1a-a7731e78c66a");
	haproxy_config_deinit(&config);
}

static void the_internal_prometheus_proxies_are_left_out(void **state)
{
	struct haproxy_config config = parsed_file("haproxy-refused-prometheus.cfg");

	(void)state;
	assert_int_equal(config.listener_count, 5);
	assert_string_equal(config.listeners[2].name, "9bfafa7f-03d5-42f4-ba0c-2ffd2f34dc75");
	for (size_t i = 0; i < config.listener_count; i++)
		assert_null(strstr(config.listeners[i].name, "prometheus"));
	for (size_t i = 0; i < config.backend_count; i++)
		assert_null(strstr(config.backends[i], "prometheus"));
	haproxy_config_deinit(&config);
}

static void a_listener_without_a_mode_has_that_of_the_defaults(void **state)
{
	struct haproxy_config config = parsed("frontend a\ndefaults\n mode http\nfrontend b\n"
					      "frontend c\n mode tcp\ndefaults\nfrontend d\n");

	(void)state;
	assert_int_equal(config.listener_count, 4);
	assert_int_equal(config.listeners[0].type, HAPROXY_LISTENER_TCP);
	assert_int_equal(config.listeners[1].type, HAPROXY_LISTENER_HTTP);
	assert_int_equal(config.listeners[2].type, HAPROXY_LISTENER_TCP);
	assert_int_equal(config.listeners[3].type, HAPROXY_LISTENER_TCP);
	haproxy_config_deinit(&config);
}

static void a_bind_with_ssl_wins_over_the_mode_on_either_side_of_it(void **state)
{
	struct haproxy_config config =
		parsed("frontend a\n bind :1\n bind :2 ssl crt x\n mode http\n"
		       "frontend b\n mode http\n bind :3 ssl crt x\n");

	(void)state;
	assert_int_equal(config.listeners[0].type, HAPROXY_LISTENER_TERMINATED_HTTPS);
	assert_int_equal(config.listeners[0].bind_count, 2);
	assert_int_equal(config.listeners[1].type, HAPROXY_LISTENER_TERMINATED_HTTPS);
	haproxy_config_deinit(&config);
}

static void a_listen_section_is_listener_and_backend(void **state)
{
	struct haproxy_config config = parsed("listen web\n bind :80\n mode http\n");

	(void)state;
	assert_int_equal(config.listener_count, 1);
	assert_int_equal(config.backend_count, 1);
	assert_string_equal(config.backends[0], "web");
	haproxy_config_deinit(&config);
}

static void words_in_other_sections_are_not_listeners(void **state)
{
	struct haproxy_config config = parsed("peers p\n bind :1 ssl\n server a 1.1.1.1:1\n"
					      "backend b\n mode http\n# frontend x\n");

	(void)state;
	assert_int_equal(config.listener_count, 0);
	assert_int_equal(config.backend_count, 1);
	assert_null(config.stats_socket);
	haproxy_config_deinit(&config);
}

static void the_first_stats_socket_that_is_a_path_counts(void **state)
{
	struct haproxy_config config = parsed("global\n stats socket ipv4@127.0.0.1:9\n"
					      " stats socket unix@/a.sock mode 600\n"
					      " stats socket /b.sock\n");

	(void)state;
	assert_string_equal(config.stats_socket, "/a.sock");
	haproxy_config_deinit(&config);
}

static bool mentions(const char *text, const char *name)
{
	return haproxy_config_mentions(text, strlen(text), "/certs/lb", name);
}

static void a_file_is_mentioned_however_its_path_is_spelled(void **state)
{
	(void)state;
	assert_true(mentions("frontend f\n bind :1 ssl crt /certs/lb/a.pem\n", "a.pem"));
	assert_true(mentions("frontend f\n bind :1 ssl crt \"/certs/lb/a.pem\"\n", "a.pem"));
	assert_true(mentions("frontend f\n bind :1 ssl crt /certs/lb/\\x61.pem\n", "a.pem"));
	assert_true(mentions("frontend f\n bind :1 ssl crt a.pem\n", "a.pem"));
	assert_false(mentions("frontend f\n bind :1 ssl crt /certs/lb/b.pem\n", "a.pem"));
	assert_false(mentions("frontend f\n bind :1 # crt /certs/lb/a.pem\n", "a.pem"));
	assert_false(mentions("", "a.pem"));
}

static void a_whole_folder_mentions_all_its_files(void **state)
{
	(void)state;
	assert_true(mentions("frontend f\n bind :1 ssl crt /certs/lb\n", "a.pem"));
	assert_true(mentions("frontend f\n bind :1 ssl crt /certs/lb/\n", "a.pem"));
	assert_false(mentions("frontend f\n bind :1 ssl crt /certs/lb2\n", "a.pem"));
}

static void assert_words(const char *text, size_t count, ...)
{
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;
	va_list words;

	haproxy_lines_init(&lines, text, strlen(text));
	assert_true(haproxy_lines_next(&lines, &line));
	assert_int_equal(line.word_count, count);
	va_start(words, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(line.words[i], va_arg(words, const char *));
	va_end(words);
	assert_string_equal(line.words[count], "");
}

/* The table of configuration.txt, 2.2. */
static void words_are_cut_and_unquoted_as_haproxy_does(void **state)
{
	(void)state;
	assert_words("  a  b\tc # d", 3, "a", "b", "c");
	assert_words("a b#c d", 2, "a", "b");
	assert_words("log-format \"%{+Q}o %t\"", 2, "log-format", "%{+Q}o %t");
	assert_words("a %{+Q}o\\ %t '\\ \"x'", 3, "a", "%{+Q}o %t", "\\ \"x");
	assert_words("a \\x41\\x4a \\xg1 \\1 \\# \\\\ \\\"", 7, "a", "AJ", "\\xg1", "\\1", "#",
		"\\", "\"");
	assert_words("a \\r\\n\\t.", 2, "a", "\r\n\t.");
	assert_words("a \"b", 2, "a", "b");
	assert_words("a \"\" b", 3, "a", "", "b");
	assert_words("a b\r\n", 2, "a", "b");
	assert_words("a \\", 2, "a", "\\");
}

static void a_line_knows_its_number_and_section(void **state)
{
	static const char text[] = "\n# c\nlog x\nglobal\n daemon\n\nbackend a:b # c\n mode tcp";
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	(void)state;
	haproxy_lines_init(&lines, text, strlen(text));
	assert_true(haproxy_lines_next(&lines, &line));
	assert_int_equal(line.number, 3);
	assert_string_equal(line.section, "");
	assert_true(haproxy_lines_next(&lines, &line));
	assert_true(line.opens_section);
	assert_true(haproxy_lines_next(&lines, &line));
	assert_false(line.opens_section);
	assert_string_equal(line.section, "global");
	assert_string_equal(line.section_name, "");
	assert_true(haproxy_lines_next(&lines, &line));
	assert_true(haproxy_lines_next(&lines, &line));
	assert_int_equal(line.number, 8);
	assert_string_equal(line.section, "backend");
	assert_string_equal(line.section_name, "a:b");
	assert_int_equal(line.size_bytes, 9);
	assert_false(haproxy_lines_next(&lines, &line));
}

static void more_words_than_haproxy_takes_are_cut_off(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);
	cleanup_haproxy_lines struct haproxy_lines lines;
	struct haproxy_line line;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_append_text(&text, "w ");
	haproxy_lines_init(&lines, buf_text(&text), text.size_bytes);
	assert_true(haproxy_lines_next(&lines, &line));
	assert_int_equal(line.word_count, HAPROXY_LINE_WORDS_MAX);
	assert_false(haproxy_lines_next(&lines, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_controllers_listeners_are_found_in_order),
		cmocka_unit_test(the_internal_prometheus_proxies_are_left_out),
		cmocka_unit_test(a_listener_without_a_mode_has_that_of_the_defaults),
		cmocka_unit_test(a_bind_with_ssl_wins_over_the_mode_on_either_side_of_it),
		cmocka_unit_test(a_listen_section_is_listener_and_backend),
		cmocka_unit_test(words_in_other_sections_are_not_listeners),
		cmocka_unit_test(the_first_stats_socket_that_is_a_path_counts),
		cmocka_unit_test(a_file_is_mentioned_however_its_path_is_spelled),
		cmocka_unit_test(a_whole_folder_mentions_all_its_files),
		cmocka_unit_test(words_are_cut_and_unquoted_as_haproxy_does),
		cmocka_unit_test(a_line_knows_its_number_and_section),
		cmocka_unit_test(more_words_than_haproxy_takes_are_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
