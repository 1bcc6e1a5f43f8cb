/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/reader.h"
#include "model/tls.h"
#include "model_case.h"

static struct faults faults;
static struct tls tls;

/* Reads the keys, written with ' for "; the faults are those expected, in fault_lines(). */
static void read_tls(const char *text, enum tls_defaults defaults, const char *expected)
{
	cleanup_free char *json = quoted(text);
	json_auto_t *document = json_loads(json, 0, NULL);
	cleanup_free char *lines = NULL;
	struct reader reader;

	tls_deinit(&tls);
	faults_deinit(&faults);
	assert_true(reader_init(&reader, document, &faults));
	tls_parse(&reader, defaults, &tls);
	lines = fault_lines(&faults.errors);
	assert_string_equal(lines, expected);
}

static int teardown(void **state)
{
	(void)state;
	tls_deinit(&tls);
	tls = (struct tls){0};
	faults_deinit(&faults);
	return 0;
}

static void assert_versions(bool v3, bool v1, bool v1_1, bool v1_2, bool v1_3)
{
	assert_int_equal(tls.versions[TLS_SSLV3], v3);
	assert_int_equal(tls.versions[TLS_TLSV1], v1);
	assert_int_equal(tls.versions[TLS_TLSV1_1], v1_1);
	assert_int_equal(tls.versions[TLS_TLSV1_2], v1_2);
	assert_int_equal(tls.versions[TLS_TLSV1_3], v1_3);
}

static void absent_keys_are_octavias_defaults(void **state)
{
	(void)state;
	read_tls("{'tls_ciphers': '', 'tls_versions': null}", TLS_DEFAULTS_OCTAVIA, "");
	assert_string_equal(tls.ciphers,
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
		"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
		"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
		"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305");
	assert_versions(false, false, false, true, true);
	assert_string_equal(tls.alpn_protocols, "h2,http/1.1,http/1.0");
}

static void without_defaults_nothing_is_set_or_excluded(void **state)
{
	(void)state;
	read_tls("{'tls_versions': [], 'alpn_protocols': []}", TLS_DEFAULTS_NONE, "");
	assert_string_equal(tls.ciphers, "");
	assert_versions(true, true, true, true, true);
	assert_string_equal(tls.alpn_protocols, "");
}

static void what_is_given_is_read(void **state)
{
	(void)state;
	read_tls("{'tls_ciphers': 'HIGH:!aNULL:+RC4:-MD5:@SECLEVEL=0:x_y.z', 'tls_versions': "
		 "['TLSv1.3', 'SSLv3', 'TLSv1.1'], 'alpn_protocols': ['http/1.1', 'h2']}",
		TLS_DEFAULTS_OCTAVIA, "");
	assert_string_equal(tls.ciphers, "HIGH:!aNULL:+RC4:-MD5:@SECLEVEL=0:x_y.z");
	assert_versions(true, false, true, false, true);
	assert_string_equal(tls.alpn_protocols, "http/1.1,h2");
}

static void a_protocol_that_is_named_twice_is_offered_once(void **state)
{
	(void)state;
	read_tls("{'alpn_protocols': ['http/1.0', 'h2', 'http/1.0', 'h2', 'http/1.1']}",
		TLS_DEFAULTS_NONE, "");
	assert_string_equal(tls.alpn_protocols, "http/1.0,h2,http/1.1");
}

static void words_that_nobody_knows_are_faults_where_they_stand(void **state)
{
	(void)state;
	read_tls("{'tls_versions': ['TLSv1.2', 'TLSv1.4', 3], 'alpn_protocols': ['h3', "
		 "'h2\\n']}",
		TLS_DEFAULTS_OCTAVIA,
		"/tls_versions/1: must be one of SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\n"
		"/tls_versions/2: must be a text\n"
		"/alpn_protocols/0: must be one of h2, http/1.1, http/1.0\n"
		"/alpn_protocols/1: must not hold control characters");
	read_tls("{'tls_versions': 'TLSv1.2', 'alpn_protocols': {}}", TLS_DEFAULTS_OCTAVIA,
		"/tls_versions: must be a list\n/alpn_protocols: must be a list");
}

static void an_empty_list_is_a_fault_as_in_octavia(void **state)
{
	(void)state;
	read_tls("{'tls_versions': [], 'alpn_protocols': []}", TLS_DEFAULTS_OCTAVIA,
		"/tls_versions: must not be empty: without the key, Octavia's default holds\n"
		"/alpn_protocols: must not be empty: without the key, Octavia's default holds");
}

static void ciphers_hold_nothing_that_ends_a_word(void **state)
{
	static const char *const hostile[] = {
		"A B", "A;B", "A#B", "A\\\\B", "A%[B]", "A,B", "A/B", "A\xc3\xa9", "A(B)"};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		cleanup_free char *text = xformat("{\"tls_ciphers\": \"%s\"}", hostile[i]);

		read_tls(text, TLS_DEFAULTS_OCTAVIA,
			"/tls_ciphers: must be an OpenSSL cipher list: names of letters, "
			"digits and any of \"-+!:@=_.\"");
	}
}

static void ciphers_are_as_long_as_in_octavia(void **state)
{
	char longest[2048 + 1];
	cleanup_free char *fits = NULL;
	cleanup_free char *longer = NULL;

	(void)state;
	memset(longest, 'A', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fits = xformat("{'tls_ciphers': '%s'}", longest);
	longer = xformat("{'tls_ciphers': '%sA'}", longest);
	read_tls(fits, TLS_DEFAULTS_OCTAVIA, "");
	assert_string_equal(tls.ciphers, longest);
	read_tls(
		longer, TLS_DEFAULTS_OCTAVIA, "/tls_ciphers: must be at most 2048 characters long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(absent_keys_are_octavias_defaults, teardown),
		cmocka_unit_test_teardown(without_defaults_nothing_is_set_or_excluded, teardown),
		cmocka_unit_test_teardown(what_is_given_is_read, teardown),
		cmocka_unit_test_teardown(a_protocol_that_is_named_twice_is_offered_once, teardown),
		cmocka_unit_test_teardown(
			words_that_nobody_knows_are_faults_where_they_stand, teardown),
		cmocka_unit_test_teardown(an_empty_list_is_a_fault_as_in_octavia, teardown),
		cmocka_unit_test_teardown(ciphers_hold_nothing_that_ends_a_word, teardown),
		cmocka_unit_test_teardown(ciphers_are_as_long_as_in_octavia, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
