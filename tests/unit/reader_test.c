/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/reader.h"

static const struct refused_key refused[] = {{"later", "comes later"}, {NULL, NULL}};
static const struct choice colours[] = {
	{"RED", 0}, {"GREEN", 1}, {"BLUE", CHOICE_REFUSED}, {NULL, 0}};

static struct faults faults;
static json_t *document;
static struct reader reader;

/* Opens a reader on the object, written with ' for ". */
static void read_from(const char *text)
{
	cleanup_free char *json = xstrdup(text);

	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_decref(document);
	faults_deinit(&faults);
	document = json_loads(json, 0, NULL);
	assert_non_null(document);
	assert_true(reader_init(&reader, document, &faults));
}

static int teardown(void **state)
{
	(void)state;
	json_decref(document);
	document = NULL;
	faults_deinit(&faults);
	return 0;
}

/* The last fault; there are count of them. */
static void assert_last_fault(size_t count, const char *path, const char *text)
{
	assert_int_equal(faults.errors.count, count);
	assert_string_equal(faults.errors.items[count - 1].path, path);
	assert_string_equal(faults.errors.items[count - 1].text, text);
}

static void what_is_no_object_is_a_fault(void **state)
{
	json_auto_t *list = json_array();

	(void)state;
	faults_deinit(&faults);
	assert_false(reader_init(&reader, list, &faults));
	assert_last_fault(1, "", "must be an object");
}

static void a_number_is_an_integer_in_its_range(void **state)
{
	(void)state;
	read_from("{'a': 5, 'b': 10, 'c': 5.0, 'd': '5', 'e': null, 'f': true, 'g': -9}");
	assert_int_equal(reader_number(&reader, "a", 5, 5, 7), 5);
	assert_int_equal(reader_number(&reader, "e", 1, 9, 7), 7);
	assert_int_equal(reader_number(&reader, "none", 1, 9, 7), 7);
	assert_int_equal(faults.errors.count, 0);
	assert_int_equal(reader_number(&reader, "b", 1, 9, 7), 7);
	assert_last_fault(1, "/b", "must be at most 9");
	assert_int_equal(reader_number(&reader, "g", 1, 9, 7), 7);
	assert_last_fault(2, "/g", "must be at least 1");
	assert_int_equal(reader_number(&reader, "c", 1, 9, 7), 7);
	assert_last_fault(3, "/c", "must be an integer");
	reader_number(&reader, "d", 1, 9, 7);
	assert_last_fault(4, "/d", "must be an integer");
	reader_number(&reader, "f", 1, 9, 7);
	assert_last_fault(5, "/f", "must be an integer");
}

static void a_flag_is_true_or_false(void **state)
{
	(void)state;
	read_from("{'a': true, 'b': false, 'c': 1, 'd': 'true'}");
	assert_true(reader_flag(&reader, "a", false));
	assert_false(reader_flag(&reader, "b", true));
	assert_true(reader_flag(&reader, "none", true));
	assert_int_equal(faults.errors.count, 0);
	assert_true(reader_flag(&reader, "c", true));
	assert_last_fault(1, "/c", "must be true or false");
	reader_flag(&reader, "d", true);
	assert_last_fault(2, "/d", "must be true or false");
}

static void a_text_is_counted_in_characters_and_holds_no_controls(void **state)
{
	(void)state;
	read_from("{'a': 'äöü', 'b': 'abcd', 'c': 'a\\nb', 'd': '\\u0085', 'e': '\\u007f', 'f': 3, "
		  "'g': '\\u00a0 \\u0100'}");
	assert_string_equal(reader_text(&reader, "a", 3), "äöü");
	assert_non_null(reader_text(&reader, "g", 3));
	assert_null(reader_text(&reader, "none", 3));
	assert_int_equal(faults.errors.count, 0);
	assert_null(reader_text(&reader, "b", 3));
	assert_last_fault(1, "/b", "must be at most 3 characters long");
	assert_null(reader_text(&reader, "c", 3));
	assert_last_fault(2, "/c", "must not hold control characters");
	assert_null(reader_text(&reader, "d", 3));
	assert_null(reader_text(&reader, "e", 3));
	assert_last_fault(4, "/e", "must not hold control characters");
	assert_null(reader_text(&reader, "f", 3));
	assert_last_fault(5, "/f", "must be a text");
}

static void a_choice_is_a_word_of_its_table(void **state)
{
	(void)state;
	read_from("{'a': 'GREEN', 'b': 'green', 'c': 'BLUE', 'd': 1}");
	assert_int_equal(reader_choice(&reader, "a", colours, 0), 1);
	assert_int_equal(reader_choice(&reader, "none", colours, 0), 0);
	assert_int_equal(faults.errors.count, 0);
	assert_int_equal(reader_choice(&reader, "b", colours, 7), 7);
	assert_last_fault(1, "/b", "must be one of RED, GREEN");
	reader_choice(&reader, "c", colours, 0);
	assert_last_fault(2, "/c", "BLUE is not supported by amphorae");
	reader_choice(&reader, "d", colours, 0);
	assert_last_fault(3, "/d", "must be one of RED, GREEN");
	assert_string_equal(choice_name(colours, 1), "GREEN");
}

static void assert_duration(const char *value, long unit_ms, long expected_ms)
{
	cleanup_free char *text = xformat("{'t': %s}", value);

	read_from(text);
	assert_int_equal(reader_duration_ms(&reader, "t", unit_ms, 1, 5000, -1), expected_ms);
	assert_int_equal(faults.errors.count, 0);
}

static void assert_duration_fault(const char *value, long unit_ms, const char *expected)
{
	cleanup_free char *text = xformat("{'t': %s}", value);

	read_from(text);
	assert_int_equal(reader_duration_ms(&reader, "t", unit_ms, 1, 5000, -1), -1);
	assert_last_fault(1, "/t", expected);
}

static void a_duration_is_a_number_or_says_its_units(void **state)
{
	static const char form[] = "must be an integer number of seconds, or a text such as "
				   "\"1m30s\" or \"500ms\"";

	(void)state;
	assert_duration("5", 1000, 5000);
	assert_duration("5", 1, 5);
	assert_duration("'1m'", 1000, 60000);
	assert_duration("'1m30s'", 1000, 90000);
	assert_duration("'1h0m0s'", 1000, 3600000);
	assert_duration("'500ms'", 1, 500);
	assert_duration("'1500ms'", 1000, 1500);
	assert_duration("null", 1000, -1);
	assert_duration_fault("0", 1000, "must be at least 1");
	assert_duration_fault("'500ms'", 1000, "must be at least 1");
	assert_duration_fault("-1", 1000, "must be at least 1");
	assert_duration_fault("5001", 1000, "must be at most 5000");
	assert_duration_fault("'2h'", 1000, "must be at most 5000");
	assert_duration_fault("9223372036854775807", 1000, "must be at most 5000");
	assert_duration_fault("1.5", 1000, form);
	assert_duration_fault("''", 1000, form);
	assert_duration_fault("'5'", 1000, form);
	assert_duration_fault("'s'", 1000, form);
	assert_duration_fault("'5 s'", 1000, form);
	assert_duration_fault("'-5s'", 1000, form);
	assert_duration_fault("'1.5s'", 1000, form);
	assert_duration_fault("'5d'", 1000, form);
	assert_duration_fault("'99999999999999999999s'", 1000, form);
}

static void a_long_duration_cannot_overflow(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(MIB);

	(void)state;
	buf_append_text(&text, "'");
	for (unsigned i = 0; i < 10000; i++)
		buf_append_text(&text, "2000000000h");
	buf_append_text(&text, "'");
	assert_duration_fault(buf_text(&text), 1000, "must be at most 5000");
}

static void an_address_is_that_of_one_host(void **state)
{
	struct address address = {0};

	(void)state;
	read_from(
		"{'a': '10.0.0.1', 'b': '2001:db8::1', 'c': '0.0.0.0', 'd': '::', 'e': "
		"'224.0.0.1', "
		"'f': 'ff02::1', 'g': '255.255.255.255', 'h': '[::1]', 'i': '10.0.0.0/8', 'j': 1, "
		"'k': 'fe80::1%eth0', 'l': 'localhost'}");
	assert_true(reader_address(&reader, "a", &address));
	assert_int_equal(address.family, AF_INET);
	assert_true(reader_address(&reader, "b", &address));
	assert_int_equal(address.family, AF_INET6);
	assert_false(reader_address(&reader, "none", &address));
	assert_int_equal(faults.errors.count, 0);
	for (const char *key = "cdefg"; *key; key++) {
		const char name[] = {*key, '\0'};

		assert_false(reader_address(&reader, name, &address));
		assert_string_equal(faults.errors.items[faults.errors.count - 1].text,
			"must be the address of one host");
		reader.asked_count = 0; /* name does not outlive this turn */
	}
	assert_int_equal(faults.errors.count, 5);
	assert_false(reader_address(&reader, "h", &address));
	assert_last_fault(6, "/h", "must be an IPv4 or IPv6 address");
	assert_false(reader_address(&reader, "i", &address));
	assert_false(reader_address(&reader, "j", &address));
	assert_false(reader_address(&reader, "k", &address));
	assert_false(reader_address(&reader, "l", &address));
	assert_last_fault(10, "/l", "must be an IPv4 or IPv6 address");
	assert_int_equal(address.family, AF_INET6);
}

static void faults_deep_inside_have_the_whole_pointer(void **state)
{
	struct reader element;
	struct reader inner;
	struct reader_list list;

	(void)state;
	read_from("{'list': [{}, 3, {'in': {'x': 'y'}}]}");
	assert_true(reader_enter_list(&reader, "list", &list));
	assert_int_equal(reader_list_size(&list), 3);
	assert_true(reader_list_next(&list, &element));
	assert_true(reader_list_next(&list, &element));
	assert_last_fault(1, "/list/1", "must be an object");
	assert_true(reader_enter_object(&element, "in", &inner));
	reader_number(&inner, "x", 0, 1, 0);
	assert_last_fault(2, "/list/2/in/x", "must be an integer");
	assert_false(reader_list_next(&list, &element));
	assert_false(reader_enter_object(&reader, "list", &inner));
	assert_last_fault(3, "/list", "must be an object");
	assert_false(reader_enter_list(&inner, "none", &list));
	assert_int_equal(faults.errors.count, 3);
}

static void required_keys_that_are_absent_or_null_are_faults(void **state)
{
	static const char *const keys[] = {"a", "b", "c", NULL};

	(void)state;
	read_from("{'a': 0, 'b': null}");
	reader_require(&reader, keys);
	assert_int_equal(faults.errors.count, 2);
	assert_string_equal(faults.errors.items[0].path, "/b");
	assert_last_fault(2, "/c", "is required");
}

static void keys_that_nobody_asked_for_are_faults(void **state)
{
	(void)state;
	read_from("{'weight': 1, 'wieght': 2, 'a~b/c': 3}");
	reader_number(&reader, "weight", 0, 9, 0);
	reader_finish(&reader, refused);
	assert_int_equal(faults.errors.count, 2);
	assert_string_equal(faults.errors.items[0].path, "/wieght");
	assert_last_fault(2, "/a~0b~1c", "is no key of this object");
}

static void a_huge_unknown_key_is_not_quoted(void **state)
{
	cleanup_free char *key = xcalloc(100001, 1);
	cleanup_free char *text = NULL;

	(void)state;
	memset(key, 'k', 100000);
	text = xformat("{'%s': 1}", key);
	read_from(text);
	reader_finish(&reader, refused);
	assert_last_fault(1, "", "has an unknown key of 100000 bytes");
}

static void what_octavia_says_beside_is_ignored(void **state)
{
	(void)state;
	read_from("{'created_at': 'x', 'vip_port_id': 1, 'tags': [], 'provisioning_status': "
		  "'ACTIVE', "
		  "'loadbalancers': [{'id': 'x'}], 'pools': [], 'tenant_id': {}}");
	reader_finish(&reader, refused);
	assert_int_equal(faults.errors.count, 0);
	read_from("{'loadbalancers': [{'id': 'x', 'y': 1}], 'pools': {}}");
	reader_finish(&reader, refused);
	assert_int_equal(faults.errors.count, 2);
}

static void refused_keys_may_say_that_they_are_not_used(void **state)
{
	static const char *const nothing[] = {"null", "false", "''", "'NONE'", "[]", "{}"};
	static const char *const something[] = {"0", "true", "'x'", "[0]", "{'a': null}"};

	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		cleanup_free char *text = xformat("{'later': %s}", nothing[i]);

		read_from(text);
		reader_finish(&reader, refused);
		assert_int_equal(faults.errors.count, 0);
	}
	for (size_t i = 0; i < sizeof(something) / sizeof(something[0]); i++) {
		cleanup_free char *text = xformat("{'later': %s}", something[i]);

		read_from(text);
		reader_finish(&reader, refused);
		assert_last_fault(1, "/later", "comes later");
	}
}

static void a_list_of_texts_is_read_past_its_faults(void **state)
{
	struct reader_list list;
	const char *text;

	(void)state;
	read_from("{'a': ['x', 1, 'too long', 'y', 'z\\u0001']}");
	assert_true(reader_enter_list(&reader, "a", &list));
	assert_true(reader_list_next_text(&list, 3, &text));
	assert_string_equal(text, "x");
	assert_true(reader_list_next_text(&list, 3, &text));
	assert_string_equal(text, "y");
	assert_last_fault(2, "/a/2", "must be at most 3 characters long");
	assert_string_equal(faults.errors.items[0].path, "/a/1");
	reader_list_fault(&list, "is %s", "odd");
	assert_last_fault(3, "/a/3", "is odd");
	assert_false(reader_list_next_text(&list, 3, &text));
	assert_last_fault(4, "/a/4", "must not hold control characters");
}

static void a_certificate_is_named_by_its_file(void **state)
{
	static const char not_one[] =
		"certificate name is not valid: NAME.pem, at most 243 letters, digits, '_', '-' "
		"and '.', not starting with '.'";
	struct certificate_name name = {""};
	struct reader_list list;

	(void)state;
	read_from("{'a': 'web.pem', 'b': '', 'c': '../x.pem', 'd': ['x', '1.pem'], 'e': 1}");
	assert_false(reader_certificate(&reader, "none", &name));
	assert_false(reader_certificate(&reader, "b", &name));
	assert_int_equal(faults.errors.count, 0);
	assert_true(reader_certificate(&reader, "a", &name));
	assert_string_equal(name.text, "web.pem");
	assert_false(reader_certificate(&reader, "c", &name));
	assert_last_fault(1, "/c", not_one);
	assert_false(reader_certificate(&reader, "e", &name));
	assert_last_fault(2, "/e", "must be a text");
	assert_true(reader_enter_list(&reader, "d", &list));
	assert_true(reader_list_next_certificate(&list, &name));
	assert_string_equal(name.text, "1.pem");
	assert_last_fault(3, "/d/0", not_one);
	assert_false(reader_list_next_certificate(&list, &name));
}

static void keys_that_have_no_place_are_refused_unless_they_say_nothing(void **state)
{
	static const struct refused_key out_of_place[] = {
		{"a", "no"}, {"b", "no"}, {"c", "no"}, {"d", "no"}, {"e", "never"}, {NULL, NULL}};

	(void)state;
	read_from("{'a': [], 'b': 'NONE', 'c': null, 'd': false, 'e': 0}");
	reader_refuse(&reader, out_of_place);
	assert_last_fault(1, "/e", "never");
	reader_finish(&reader, refused);
	assert_int_equal(faults.errors.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_no_object_is_a_fault, teardown),
		cmocka_unit_test_teardown(a_number_is_an_integer_in_its_range, teardown),
		cmocka_unit_test_teardown(a_flag_is_true_or_false, teardown),
		cmocka_unit_test_teardown(
			a_text_is_counted_in_characters_and_holds_no_controls, teardown),
		cmocka_unit_test_teardown(a_choice_is_a_word_of_its_table, teardown),
		cmocka_unit_test_teardown(a_duration_is_a_number_or_says_its_units, teardown),
		cmocka_unit_test_teardown(a_long_duration_cannot_overflow, teardown),
		cmocka_unit_test_teardown(an_address_is_that_of_one_host, teardown),
		cmocka_unit_test_teardown(faults_deep_inside_have_the_whole_pointer, teardown),
		cmocka_unit_test_teardown(
			required_keys_that_are_absent_or_null_are_faults, teardown),
		cmocka_unit_test_teardown(keys_that_nobody_asked_for_are_faults, teardown),
		cmocka_unit_test_teardown(a_huge_unknown_key_is_not_quoted, teardown),
		cmocka_unit_test_teardown(what_octavia_says_beside_is_ignored, teardown),
		cmocka_unit_test_teardown(refused_keys_may_say_that_they_are_not_used, teardown),
		cmocka_unit_test_teardown(a_list_of_texts_is_read_past_its_faults, teardown),
		cmocka_unit_test_teardown(a_certificate_is_named_by_its_file, teardown),
		cmocka_unit_test_teardown(
			keys_that_have_no_place_are_refused_unless_they_say_nothing, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
