/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/url.h"

static void urls_with_a_host_are_taken(void **state)
{
	static const char *const urls[] = {"http://a", "https://example.com/",
		"HTTPS://Example.COM", "http://10.0.0.1:8080/x?y=1&z=2#f", "http://[2001:db8::1]",
		"http://[::1]:65535/", "http://user:word@example.com/", "http://@a", "http://a:/",
		"http://xn--a.example/", "http://a%41/", "http://a?x", "http://a#x", "http://a/%zz",
		"http://a/\"'\\%{}<>|?%[x]", "http://a/\xc3\xa9", "http://a_b/",
		"http://a@b/c@d:e"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_null(url_fault(urls[i]));
}

static void other_schemes_are_refused(void **state)
{
	static const char *const urls[] = {"", "/", "/path", "//a/b", "example.com", "ftp://a",
		"javascript:alert(1)", "http:/a", "http:a", " http://a", "httpss://a"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_string_equal(
			url_fault(urls[i]), "must be a URL that begins with http:// or https://");
}

static void what_has_no_host_is_refused(void **state)
{
	static const char *const urls[] = {"http://", "https:///x", "http://?a", "http://:80/",
		"http://a:b/", "http://a:65536/", "http://a:-1", "http://[::1",
		"http://[10.0.0.1]/", "http://[::1]x/", "http://[]/", "http://a\\b/",
		"http://a\"b/", "http://a%4/", "http://a%zz/", "http://\xc3\xa9/", "http://a{b}/",
		"http://u@", "http://u\"v@a/", "http://::1/", "http://a[b]/"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_string_equal(url_fault(urls[i]), "must be a URL with a host");
}

static void spaces_are_refused(void **state)
{
	(void)state;
	assert_string_equal(url_fault("http://a/b c"), "must not hold a space: write %20");
	assert_string_equal(url_fault("http://a b/"), "must not hold a space: write %20");
}

static void brackets_in_a_path_are_refused(void **state)
{
	static const char fault[] = "must not hold '[' or ']' in its path: write %5B and %5D";

	(void)state;
	assert_string_equal(url_fault("http://a/%[src]"), fault);
	assert_string_equal(url_fault("http://[::1]/]?x"), fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_with_a_host_are_taken),
		cmocka_unit_test(other_schemes_are_refused),
		cmocka_unit_test(what_has_no_host_is_refused),
		cmocka_unit_test(spaces_are_refused),
		cmocka_unit_test(brackets_in_a_path_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
