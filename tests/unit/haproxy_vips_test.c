/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/vips.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"

/* The VIPs of a config, in their order: "A B"; the caller's to free. */
static char *vips_of(const char *text)
{
	cleanup_free struct address *addresses = NULL;
	cleanup_buf struct buf words = BUF_INIT(64 * KIB);
	struct haproxy_config config;
	size_t count;

	haproxy_config_parse(text, strlen(text), &config);
	haproxy_vips(&config, &addresses, &count);
	haproxy_config_deinit(&config);
	for (size_t i = 0; i < count; i++) {
		char word[ADDRESS_TEXT_MAX];

		address_format(&addresses[i], word);
		buf_append_format(&words, "%s%s", i ? " " : "", word);
	}
	return xstrdup(buf_text(&words));
}

static void assert_vips(const char *text, const char *expected)
{
	cleanup_free char *vips = vips_of(text);

	assert_string_equal(vips, expected);
}

static void each_address_of_the_frontends_is_named_once(void **state)
{
	(void)state;
	assert_vips("frontend a\n\tbind 10.0.0.10:80\n\tbind 10.0.1.10:80\n"
		    "frontend b\n\tbind 10.0.0.10:443 ssl crt-list x\n",
		"10.0.0.10 10.0.1.10");
}

static void ipv6_is_read_as_controllers_write_it_and_in_brackets(void **state)
{
	(void)state;
	assert_vips("frontend a\n\tbind 2001:db8::10:80\n", "2001:db8::10");
	assert_vips("frontend a\n\tbind [2001:db8::10]:80\n", "2001:db8::10");
	assert_vips("frontend a\n\tbind 2001:db8:0:0:0:0:0:10:80\n", "2001:db8::10");
}

static void several_addresses_may_stand_between_commas(void **state)
{
	(void)state;
	assert_vips("frontend a\n\tbind 10.0.0.10:80,10.0.0.11:8080-8090\n", "10.0.0.10 10.0.0.11");
}

static void what_is_no_certain_address_is_none(void **state)
{
	(void)state;
	assert_vips("frontend a\n\tbind :80\n\tbind *:80\n\tbind 0.0.0.0:80\n\tbind :::80\n"
		    "\tbind [::]:80\n\tbind /run/x.sock\n\tbind name:80\n\tbind ,\n\tbind []:80\n"
		    "\tbind abns@x:80\n",
		"");
}

static void the_internal_frontend_of_prometheus_is_none_of_ours(void **state)
{
	(void)state;
	assert_vips("frontend prometheus-exporter-internal-endpoint\n\tbind 127.0.0.1:9101\n", "");
}

static void of_endless_addresses_the_first_are_taken(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);
	cleanup_free char *vips = NULL;
	size_t count = 1;

	(void)state;
	buf_append_text(&text, "frontend a\n");
	for (unsigned i = 0; i < 1000; i++)
		buf_append_format(&text, "\tbind 10.0.%u.%u:80\n", i / 256, i % 256);
	vips = vips_of(buf_text(&text));
	for (const char *c = vips; *c; c++)
		count += *c == ' ';
	assert_int_equal(count, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_of_the_frontends_is_named_once),
		cmocka_unit_test(ipv6_is_read_as_controllers_write_it_and_in_brackets),
		cmocka_unit_test(several_addresses_may_stand_between_commas),
		cmocka_unit_test(what_is_no_certain_address_is_none),
		cmocka_unit_test(the_internal_frontend_of_prometheus_is_none_of_ours),
		cmocka_unit_test(of_endless_addresses_the_first_are_taken),
	};

	return cmocka_run_group_tests_name("haproxy_vips", tests, NULL, NULL);
}
