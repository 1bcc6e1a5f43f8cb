/* SPDX-License-Identifier: Apache-2.0 */
/* base/address, base/cidr and base/mac. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/cidr.h"
#include "base/mac.h"

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

static void an_address_is_written_shortest(void **state)
{
	static const char *const pairs[][2] = {
		{"10.0.0.1", "10.0.0.1"},
		{"2001:0DB8:0001:0000:0000:0000:0000:0010", "2001:db8:1::10"},
		{"::", "::"},
		{"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
	};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct address address = address_of(pairs[i][0]);

		address_format(&address, text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void an_exploded_address_has_all_its_digits(void **state)
{
	static const char *const pairs[][2] = {
		{"10.0.0.1", "10.0.0.1"},
		{"2001:db8:1::10", "2001:0db8:0001:0000:0000:0000:0000:0010"},
		{"::", "0000:0000:0000:0000:0000:0000:0000:0000"},
		{"abcd:ef01:2345:6789:abcd:ef01:2345:6789",
			"abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
	};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct address address = address_of(pairs[i][0]);

		address_format_exploded(&address, text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {"", " 10.0.0.1", "10.0.0.1 ", "10.0.0", "10.0.0.256",
		"010.0.0.1x", "10.0.0.1/32", "[::1]", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9",
		":::", "host"};
	struct address address = {.family = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(address_parse(bad[i], &address), -EINVAL);
		assert_int_equal(address.family, 77);
	}
}

static void addresses_of_two_families_are_never_equal(void **state)
{
	struct address any4 = address_of("0.0.0.0");
	struct address any6 = address_of("::");
	struct address one = address_of("2001:db8::1");
	struct address same = address_of("2001:db8:0::0001");
	struct address other = address_of("2001:db8::2");

	(void)state;
	assert_false(address_equal(&any4, &any6));
	assert_true(address_equal(&one, &same));
	assert_false(address_equal(&one, &other));
}

static void an_address_is_looked_for_among_others(void **state)
{
	const struct address others[] = {address_of("10.0.0.1"), address_of("2001:db8::1")};
	const struct address first = address_of("10.0.0.1");
	const struct address last = address_of("2001:db8::1");
	const struct address none = address_of("10.0.0.2");

	(void)state;
	assert_true(address_is_among(&first, others, 2));
	assert_true(address_is_among(&last, others, 2));
	assert_false(address_is_among(&last, others, 1));
	assert_false(address_is_among(&none, others, 2));
	assert_false(address_is_among(&first, NULL, 0));
}

static void a_network_is_parsed_with_its_length(void **state)
{
	struct cidr cidr = cidr_of("10.20.0.0/15");
	char text[CIDR_TEXT_MAX];

	(void)state;
	assert_int_equal(cidr.prefix_length, 15);
	cidr_format(&cidr, text);
	assert_string_equal(text, "10.20.0.0/15");
	cidr = cidr_of("2001:db8::/33");
	cidr_format(&cidr, text);
	assert_string_equal(text, "2001:db8::/33");
	assert_int_equal(cidr_of("0.0.0.0/0").prefix_length, 0);
	assert_int_equal(cidr_of("::/0").prefix_length, 0);
}

static void without_a_length_it_is_a_single_address(void **state)
{
	struct cidr v4 = cidr_of("10.0.0.5");
	struct cidr v6 = cidr_of("2001:db8::5");
	struct address address = address_of("2001:db8::5");
	struct cidr host = cidr_host(&address);

	(void)state;
	assert_int_equal(v4.prefix_length, 32);
	assert_int_equal(v6.prefix_length, 128);
	assert_true(cidr_equal(&v6, &host));
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129",
		"10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.0 /8",
		"10.0.0.0/99999999999999999999",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64"};
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cidr_parse(bad[i], &cidr) != -EINVAL ||
			cidr_parse_network(bad[i], &cidr) != -EINVAL)
			fail_msg("%s", bad[i]);
}

static void a_bit_behind_the_prefix_is_refused(void **state)
{
	struct cidr cidr;

	(void)state;
	assert_int_equal(cidr_parse("10.0.0.1/31", &cidr), -EINVAL);
	assert_int_equal(cidr_parse("10.0.0.2/31", &cidr), 0);
	assert_int_equal(cidr_parse("0.0.0.1/0", &cidr), -EINVAL);
	assert_int_equal(cidr_parse("2001:db8::/28", &cidr), -EINVAL);
	assert_int_equal(cidr_parse("2001:db8::/29", &cidr), 0);
}

static void a_bit_behind_the_prefix_is_dropped_where_that_is_asked_for(void **state)
{
	static const char *const pairs[][2] = {{"10.0.0.1/31", "10.0.0.0/31"},
		{"192.0.2.7/0", "0.0.0.0/0"}, {"2001:db8::1/33", "2001:db8::/33"},
		{"10.0.0.1", "10.0.0.1/32"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char text[CIDR_TEXT_MAX];
		struct cidr cidr;

		assert_int_equal(cidr_parse_network(pairs[i][0], &cidr), 0);
		cidr_format(&cidr, text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void the_network_of_an_address_has_no_bits_behind_the_prefix(void **state)
{
	static const struct {
		const char *address;
		unsigned prefix_length;
		const char *network;
	} cases[] = {
		{"10.255.255.255", 9, "10.128.0.0/9"},
		{"10.255.255.255", 0, "0.0.0.0/0"},
		{"10.255.255.255", 32, "10.255.255.255/32"},
		{"2001:db8:ffff::1", 36, "2001:db8:f000::/36"},
		{"ffff::1", 128, "ffff::1/128"},
	};
	char text[CIDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address address = address_of(cases[i].address);
		struct cidr network = cidr_network(&address, cases[i].prefix_length);

		cidr_format(&network, text);
		assert_string_equal(text, cases[i].network);
	}
}

static void a_network_contains_its_own_addresses_alone(void **state)
{
	struct cidr network = cidr_of("10.0.0.0/31");
	struct cidr all6 = cidr_of("::/0");
	struct address first = address_of("10.0.0.0");
	struct address last = address_of("10.0.0.1");
	struct address next = address_of("10.0.0.2");
	struct address v6 = address_of("2001:db8::1");

	(void)state;
	assert_true(cidr_contains(&network, &first));
	assert_true(cidr_contains(&network, &last));
	assert_false(cidr_contains(&network, &next));
	assert_false(cidr_contains(&network, &v6));
	assert_true(cidr_contains(&all6, &v6));
	assert_false(cidr_contains(&all6, &first));
}

static void a_mac_is_read_in_any_case_and_written_in_lower(void **state)
{
	struct mac upper;
	struct mac lower;
	char text[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(mac_parse("FA:16:3E:0a:bC:Ff", &upper), 0);
	assert_int_equal(mac_parse("fa:16:3e:0a:bc:ff", &lower), 0);
	assert_true(mac_equal(&upper, &lower));
	mac_format(&upper, text);
	assert_string_equal(text, "fa:16:3e:0a:bc:ff");
	lower.bytes[5]--;
	assert_false(mac_equal(&upper, &lower));
}

static void what_is_no_mac_is_refused(void **state)
{
	static const char *const bad[] = {"", "fa", "fa:", "fa:16:3e:00:00",
		"fa:16:3e:00:00:", "fa:16:3e:00:00:01:", "fa:16:3e:00:00:01:02",
		"fa-16-3e-00-00-01", "fa163e000001", "f:16:3e:00:00:01", "ga:16:3e:00:00:01",
		" fa:16:3e:00:00:01", "fa:16:3e:00:00:01 ", "+a:16:3e:00:00:01"};
	struct mac mac;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_shortest),
		cmocka_unit_test(an_exploded_address_has_all_its_digits),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(addresses_of_two_families_are_never_equal),
		cmocka_unit_test(an_address_is_looked_for_among_others),
		cmocka_unit_test(a_network_is_parsed_with_its_length),
		cmocka_unit_test(without_a_length_it_is_a_single_address),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_bit_behind_the_prefix_is_refused),
		cmocka_unit_test(a_bit_behind_the_prefix_is_dropped_where_that_is_asked_for),
		cmocka_unit_test(the_network_of_an_address_has_no_bits_behind_the_prefix),
		cmocka_unit_test(a_network_contains_its_own_addresses_alone),
		cmocka_unit_test(a_mac_is_read_in_any_case_and_written_in_lower),
		cmocka_unit_test(what_is_no_mac_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
