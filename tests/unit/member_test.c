/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_case.h"

#define MEMBER_POINTER   POOL_POINTER "/members"
#define ONE_MEMBER(keys) MEMBERS_MODEL("{'address': '10.0.0.4', 'protocol_port': 8080" keys "}")

static void a_member_has_octavias_defaults(void **state)
{
	cleanup_model struct model_case model = model_parse(ONE_MEMBER(""));
	const struct member *member;

	(void)state;
	assert_non_null(model.load_balancer);
	member = &model.load_balancer->pools.items[0]->members[0];
	assert_int_equal(member->weight, 1);
	assert_int_equal(member->protocol_port, 8080);
	assert_true(member->admin_state_up);
	assert_string_equal(member->name, "");
}

static void what_is_given_is_read(void **state)
{
	cleanup_model struct model_case model = model_parse(
		ONE_MEMBER(", 'id': 'web-1', 'name': 'Ä', 'weight': 0, 'admin_state_up': false"));
	const struct member *member = &model.load_balancer->pools.items[0]->members[0];

	(void)state;
	assert_string_equal(member->id.text, "web-1");
	assert_string_equal(member->name, "Ä");
	assert_int_equal(member->weight, 0);
	assert_false(member->admin_state_up);
}

static void address_and_port_are_required(void **state)
{
	(void)state;
	assert_faults(MEMBERS_MODEL("{}"), MEMBER_POINTER "/0/address: is required\n" MEMBER_POINTER
							  "/0/protocol_port: is required");
}

static void ranges_are_octavias(void **state)
{
	(void)state;
	assert_faults(ONE_MEMBER(", 'weight': 256"), "");
	assert_faults(
		ONE_MEMBER(", 'weight': 257"), MEMBER_POINTER "/0/weight: must be at most 256");
	assert_faults(ONE_MEMBER(", 'weight': -1"), MEMBER_POINTER "/0/weight: must be at least 0");
	assert_faults(MEMBERS_MODEL("{'address': '10.0.0.4', 'protocol_port': 0}"),
		MEMBER_POINTER "/0/protocol_port: must be at least 1");
	assert_faults(MEMBERS_MODEL("{'address': '10.0.0.4', 'protocol_port': 65536}"),
		MEMBER_POINTER "/0/protocol_port: must be at most 65535");
	assert_faults(MEMBERS_MODEL("{'address': '0.0.0.0', 'protocol_port': 1}"),
		MEMBER_POINTER "/0/address: must be the address of one host");
}

static void the_metadata_service_is_no_member(void **state)
{
	(void)state;
	assert_faults(MEMBERS_MODEL("{'address': '169.254.169.254', 'protocol_port': 80}"),
		MEMBER_POINTER "/0/address: is the cloud's metadata service: members would show "
			       "clients the amphora's secrets");
	assert_faults(MEMBERS_MODEL("{'address': '169.254.169.253', 'protocol_port': 80}"), "");
}

static void one_address_and_port_is_one_member(void **state)
{
	(void)state;
	assert_faults(MEMBERS_MODEL("{'address': '10.0.0.4', 'protocol_port': 80},"
				    "{'address': '10.0.0.4', 'protocol_port': 81},"
				    "{'address': '10.0.0.5', 'protocol_port': 80}"),
		"");
	assert_faults(
		MEMBERS_MODEL("{'address': '2001:db8::1', 'protocol_port': 80},"
			      "{'id': 'x', 'address': '2001:0DB8:0::1', 'protocol_port': 80}"),
		MEMBER_POINTER "/1: has the same address and port as another member of this pool");
}

static void a_typo_is_a_fault(void **state)
{
	(void)state;
	assert_faults(
		ONE_MEMBER(", 'wieght': 3"), MEMBER_POINTER "/0/wieght: is no key of this object");
}

static void words_of_haproxys_statistics_are_no_ids(void **state)
{
	(void)state;
	assert_faults(ONE_MEMBER(", 'id': 'BACKEND'"),
		MEMBER_POINTER "/0/id: must not be 'BACKEND': HAProxy's statistics use that word");
	assert_faults(ONE_MEMBER(", 'id': 'FRONTEND'"),
		MEMBER_POINTER "/0/id: must not be 'FRONTEND': HAProxy's statistics use that word");
}

static void a_member_may_be_a_backup_and_be_checked_elsewhere(void **state)
{
	cleanup_model struct model_case model = model_parse(ONE_MEMBER(
		", 'backup': true, 'monitor_address': '2001:db8::9', 'monitor_port': 81"));
	cleanup_model struct model_case plain = model_parse(
		ONE_MEMBER(", 'backup': null, 'monitor_address': null, 'monitor_port': null"));
	const struct member *member = &model.load_balancer->pools.items[0]->members[0];
	char address[ADDRESS_TEXT_MAX];

	(void)state;
	address_format(&member->monitor_address, address);
	assert_true(member->backup);
	assert_string_equal(address, "2001:db8::9");
	assert_int_equal(member->monitor_port, 81);
	member = &plain.load_balancer->pools.items[0]->members[0];
	assert_false(member->backup);
	assert_int_equal(member->monitor_address.family, 0);
	assert_int_equal(member->monitor_port, 0);
}

static void where_a_member_is_checked_is_a_host_and_a_port(void **state)
{
	(void)state;
	assert_faults(ONE_MEMBER(", 'monitor_address': '224.0.0.1', 'monitor_port': 0"),
		MEMBER_POINTER
		"/0/monitor_address: must be the address of one host\n" MEMBER_POINTER
		"/0/monitor_port: must be at least 1");
	assert_faults(
		ONE_MEMBER(", 'backup': 1"), MEMBER_POINTER "/0/backup: must be true or false");
}

static void a_backup_where_there_is_none_is_a_warning(void **state)
{
	cleanup_model struct model_case model = model_parse(LISTED_POOL_MODEL("SCTP",
		", 'members': [{'address': '10.0.0.4', 'protocol_port': 1, 'backup': true}]"));
	cleanup_free char *warnings = fault_lines(&model.faults.warnings);

	(void)state;
	assert_non_null(model.load_balancer);
	assert_string_equal(warnings, LISTED_POOL_POINTER
		"/members/0/backup: has no effect in UDP and SCTP pools: the member gets traffic "
		"at all times");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_has_octavias_defaults),
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(address_and_port_are_required),
		cmocka_unit_test(ranges_are_octavias),
		cmocka_unit_test(the_metadata_service_is_no_member),
		cmocka_unit_test(one_address_and_port_is_one_member),
		cmocka_unit_test(a_typo_is_a_fault),
		cmocka_unit_test(words_of_haproxys_statistics_are_no_ids),
		cmocka_unit_test(a_member_may_be_a_backup_and_be_checked_elsewhere),
		cmocka_unit_test(where_a_member_is_checked_is_a_host_and_a_port),
		cmocka_unit_test(a_backup_where_there_is_none_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
