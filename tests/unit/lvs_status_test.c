/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "lvs/status.h"

enum { ITEMS_MAX = 8 };

static const struct id listener = {.text = "L"};

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

/* A kernel's tables, written down row by row. */
struct kernel {
	struct ipvs_table table;
	struct ipvs_service services[ITEMS_MAX];
	struct ipvs_destination destinations[ITEMS_MAX];
};

static void kernel_init(struct kernel *kernel)
{
	memset(kernel, 0, sizeof(*kernel));
	kernel->table.services = kernel->services;
	kernel->table.destinations = kernel->destinations;
}

/* Its counters are base + 1, base + 2 and base + 3; so are a destination's, base 100 * active. */
static void service_add(
	struct kernel *kernel, const char *address, uint16_t port, uint8_t protocol, unsigned base)
{
	kernel->services[kernel->table.service_count++] = (struct ipvs_service){
		.address = address_of(address),
		.port = port,
		.protocol = protocol,
		.counters = {base + 1, base + 2, base + 3},
		.first_destination = kernel->table.destination_count,
	};
}

static void destination_add(
	struct kernel *kernel, const char *address, uint16_t port, unsigned weight, unsigned active)
{
	kernel->destinations[kernel->table.destination_count++] = (struct ipvs_destination){
		.address = address_of(address),
		.port = port,
		.weight = weight,
		.active_connections = active,
		.inactive_connections = 1000,
		.counters = {100 * active + 1, 100 * active + 2, 100 * active + 3},
	};
	kernel->services[kernel->table.service_count - 1].destination_count++;
}

#define LISTENER "# Configuration for Loadbalancer LB\n# Configuration for Listener L\n"
#define GROUP(name, addresses)                                                                     \
	"virtual_server_group " name " {\n" addresses "}\nvirtual_server group " name              \
	" {\n    lb_kind NAT\n    protocol "
#define POOL "    # Configuration for Pool P\n"
#define MEMBER(id, endpoint)                                                                       \
	"    # Configuration for Member " id "\n    real_server " endpoint                         \
	" {\n        weight 1\n"                                                                   \
	"    }\n"
#define CHECKED_MEMBER(id, endpoint)                                                               \
	"    # Configuration for Member " id "\n    real_server " endpoint                         \
	" {\n        weight 1\n"                                                                   \
	"        MISC_CHECK {\n            misc_path \"/x/udp_check.sh " endpoint "\"\n"           \
	"        }\n    }\n"
#define DISABLED_MEMBER(id) "    # Member " id " is disabled\n"
#define UDP4                GROUP("ipv4-group", "    10.0.0.10 53\n") "UDP\n"
#define UDP6                GROUP("ipv6-group", "    fd00::10 53\n") "UDP\n"

/* "M1=UP M2=DOWN", behind the pool's "P=UP: "; "" without a pool. */
static const char *statuses(const char *text, const struct ipvs_table *kernel, bool is_pending)
{
	static char line[512];
	cleanup_lvs_config struct lvs_config config;
	cleanup_lvs_status struct lvs_status *status = NULL;

	lvs_config_parse(text, strlen(text), &config);
	status = lvs_status_conclude(&listener, &config, kernel, is_pending);
	assert_string_equal(status->listener.text, "L");
	line[0] = '\0';
	if (status->has_pool)
		snprintf(line, sizeof(line), "%s=%s:", status->pool.text, status->pool_status);
	for (size_t i = 0; i < status->member_count; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s=%s",
			status->members[i].id.text, status->members[i].status);
	return line;
}

static void members_are_what_the_kernel_has_of_them(void **state)
{
	static const char text[] = LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53")
		CHECKED_MEMBER("M2", "10.0.1.2 53") CHECKED_MEMBER("M3", "10.0.1.3 53")
			DISABLED_MEMBER("M4") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.3", 53, 0, 0);
	destination_add(&kernel, "10.0.1.1", 53, 1, 0);
	assert_string_equal(
		statuses(text, &kernel.table, false), "P=UP: M1=UP M2=DOWN M3=DRAIN M4=MAINT");
}

static void unchecked_members_are_no_check(void **state)
{
	static const char text[] = LISTENER UDP4 POOL MEMBER("M1", "10.0.1.1 53")
		MEMBER("M2", "10.0.1.2 53") MEMBER("M3", "10.0.1.3 53") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.1", 53, 1, 0);
	destination_add(&kernel, "10.0.1.2", 53, 0, 0);
	assert_string_equal(
		statuses(text, &kernel.table, false), "P=UP: M1=no check M2=DRAIN M3=DOWN");
}

static void a_pool_is_down_when_it_is_checked_and_nobody_is_in_the_kernel(void **state)
{
	static const char checked[] =
		LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53") DISABLED_MEMBER("M2") "}\n";
	static const char unchecked[] =
		LISTENER UDP4 POOL MEMBER("M1", "10.0.1.1 53") DISABLED_MEMBER("M2") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	assert_string_equal(statuses(checked, &kernel.table, false), "P=DOWN: M1=DOWN M2=MAINT");
	assert_string_equal(
		statuses(unchecked, &kernel.table, false), "P=UP: M1=no check M2=MAINT");
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	assert_string_equal(statuses(checked, &kernel.table, false), "P=DOWN: M1=DOWN M2=MAINT");
}

static void what_keepalived_has_not_taken_up_is_restarting(void **state)
{
	static const char text[] = LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53")
		CHECKED_MEMBER("M2", "10.0.1.2 53") DISABLED_MEMBER("M3") "}\n";
	static const char unchecked[] = LISTENER UDP4 POOL MEMBER("M1", "10.0.1.1 53") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	assert_string_equal(statuses(unchecked, &kernel.table, true), "P=UP: M1=RESTARTING");
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.1", 53, 1, 0);
	assert_string_equal(
		statuses(text, &kernel.table, true), "P=UP: M1=UP M2=RESTARTING M3=MAINT");
}

static void a_pool_may_have_no_member_and_a_listener_no_pool(void **state)
{
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	assert_string_equal(statuses(LISTENER UDP4 POOL "}\n", &kernel.table, false), "P=UP:");
	assert_string_equal(
		statuses(LISTENER UDP4 POOL DISABLED_MEMBER("M") "}\n", &kernel.table, false),
		"P=UP: M=MAINT");
	assert_string_equal(statuses(LISTENER, &kernel.table, false), "");
	assert_string_equal(
		statuses(LISTENER UDP4 "    # Pool P is disabled\n}\n", &kernel.table, false), "");
}

static void other_services_of_the_kernel_are_not_the_listeners(void **state)
{
	static const char text[] = LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53") "}\n";
	cleanup_lvs_config struct lvs_config config;
	cleanup_lvs_status struct lvs_status *status = NULL;
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 54, IPPROTO_UDP, 10);
	destination_add(&kernel, "10.0.1.1", 53, 1, 5);
	service_add(&kernel, "10.0.0.11", 53, IPPROTO_UDP, 10);
	destination_add(&kernel, "10.0.1.1", 53, 1, 5);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_SCTP, 10);
	destination_add(&kernel, "10.0.1.1", 53, 1, 5);
	assert_string_equal(statuses(text, &kernel.table, false), "P=DOWN: M1=DOWN");
	lvs_config_parse(text, strlen(text), &config);
	status = lvs_status_conclude(&listener, &config, &kernel.table, false);
	assert_true(status->is_read);
	assert_int_equal(status->connections_active, 0);
	assert_int_equal(status->service_count, 0);
}

static void a_destination_of_another_port_is_not_the_member(void **state)
{
	static const char text[] = LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53")
		CHECKED_MEMBER("M2", "10.0.1.1 54") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.1", 54, 1, 0);
	assert_string_equal(statuses(text, &kernel.table, false), "P=UP: M1=DOWN M2=UP");
}

static void a_listener_has_the_services_of_all_its_addresses(void **state)
{
	static const char text[] = LISTENER GROUP("ipv4-group",
		"    10.0.0.10 53\n    10.0.0.11 53\n") "UDP\n" POOL CHECKED_MEMBER("M1",
		"10.0.1.1 53") "}\n" UDP6 POOL CHECKED_MEMBER("M2", "fd01::1 53") "}\n";
	cleanup_lvs_config struct lvs_config config;
	cleanup_lvs_status struct lvs_status *status = NULL;
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 1000);
	destination_add(&kernel, "10.0.1.1", 53, 1, 5);
	service_add(&kernel, "10.0.0.11", 53, IPPROTO_UDP, 2000);
	destination_add(&kernel, "10.0.1.1", 53, 1, 6);
	service_add(&kernel, "fd00::10", 53, IPPROTO_UDP, 4000);
	destination_add(&kernel, "fd01::1", 53, 1, 7);
	assert_string_equal(statuses(text, &kernel.table, false), "P=UP: M1=UP M2=UP");
	lvs_config_parse(text, strlen(text), &config);
	status = lvs_status_conclude(&listener, &config, &kernel.table, false);
	assert_int_equal(status->connections_active, 18);
	assert_int_equal(status->service_count, 3);
	assert_int_equal(status->services[0].counters.connections, 1001);
	assert_int_equal(status->services[1].counters.bytes_in, 2002);
	assert_int_equal(status->services[2].counters.bytes_out, 4003);
}

static void a_member_is_added_up_over_the_addresses_of_its_listener(void **state)
{
	static const char text[] = LISTENER GROUP("ipv4-group",
		"    10.0.0.10 53\n    10.0.0.11 53\n") "UDP\n" POOL CHECKED_MEMBER("M1",
		"10.0.1.1 53") CHECKED_MEMBER("M2", "10.0.1.2 53") "}\n";
	cleanup_lvs_config struct lvs_config config;
	cleanup_lvs_status struct lvs_status *status = NULL;
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.1", 53, 7, 5);
	destination_add(&kernel, "10.0.1.3", 53, 9, 9);
	service_add(&kernel, "10.0.0.11", 53, IPPROTO_UDP, 0);
	destination_add(&kernel, "10.0.1.0", 53, 9, 9);
	destination_add(&kernel, "10.0.1.1", 53, 7, 6);
	lvs_config_parse(text, strlen(text), &config);
	status = lvs_status_conclude(&listener, &config, &kernel.table, false);
	assert_true(status->members[0].is_in_kernel);
	assert_int_equal(status->members[0].weight, 7);
	assert_int_equal(status->members[0].connections_active, 11);
	assert_int_equal(status->members[0].counters.connections, 1102);
	assert_int_equal(status->members[0].counters.bytes_in, 1104);
	assert_int_equal(status->members[0].counters.bytes_out, 1106);
	assert_false(status->members[1].is_in_kernel);
	assert_int_equal(status->members[1].connections_active, 0);
}

static void an_sctp_listener_has_sctp_services(void **state)
{
	static const char text[] = LISTENER GROUP("ipv4-group",
		"    10.0.0.10 53\n") "SCTP\n" POOL CHECKED_MEMBER("M1", "10.0.1.1 53") "}\n";
	struct kernel kernel;

	(void)state;
	kernel_init(&kernel);
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_UDP, 0);
	assert_string_equal(statuses(text, &kernel.table, false), "P=DOWN: M1=DOWN");
	service_add(&kernel, "10.0.0.10", 53, IPPROTO_SCTP, 0);
	destination_add(&kernel, "10.0.1.1", 53, 1, 0);
	assert_string_equal(statuses(text, &kernel.table, false), "P=UP: M1=UP");
}

static void a_kernel_that_nobody_could_read_concludes_nothing(void **state)
{
	static const char text[] = LISTENER UDP4 POOL CHECKED_MEMBER("M1", "10.0.1.1 53") "}\n";
	cleanup_lvs_config struct lvs_config config;
	cleanup_lvs_status struct lvs_status *status = NULL;

	(void)state;
	lvs_config_parse(text, strlen(text), &config);
	status = lvs_status_conclude(&listener, &config, NULL, false);
	assert_string_equal(status->listener.text, "L");
	assert_false(status->is_read);
	assert_false(status->has_pool);
	assert_int_equal(status->member_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_what_the_kernel_has_of_them),
		cmocka_unit_test(unchecked_members_are_no_check),
		cmocka_unit_test(a_pool_is_down_when_it_is_checked_and_nobody_is_in_the_kernel),
		cmocka_unit_test(what_keepalived_has_not_taken_up_is_restarting),
		cmocka_unit_test(a_pool_may_have_no_member_and_a_listener_no_pool),
		cmocka_unit_test(other_services_of_the_kernel_are_not_the_listeners),
		cmocka_unit_test(a_destination_of_another_port_is_not_the_member),
		cmocka_unit_test(a_listener_has_the_services_of_all_its_addresses),
		cmocka_unit_test(a_member_is_added_up_over_the_addresses_of_its_listener),
		cmocka_unit_test(an_sctp_listener_has_sctp_services),
		cmocka_unit_test(a_kernel_that_nobody_could_read_concludes_nothing),
	};

	return cmocka_run_group_tests_name("lvs_status", tests, NULL, NULL);
}
