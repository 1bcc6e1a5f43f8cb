/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lvs/traffic.h"

static struct ipvs_service service(const char *address, unsigned connections)
{
	struct ipvs_service service = {
		.port = 53,
		.protocol = IPPROTO_UDP,
		.counters = {connections, 10 * connections, 20 * connections},
	};

	assert_int_equal(address_parse(address, &service.address), 0);
	return service;
}

/* The kernel has these services now; in all there were so many connections. */
static void assert_total(struct lvs_traffic *traffic, struct ipvs_service *services, size_t count,
	unsigned connections)
{
	struct ipvs_counters total;

	lvs_traffic_update(
		traffic, &(struct lvs_status){
				 .is_read = true, .services = services, .service_count = count});
	total = lvs_traffic_total(traffic);
	assert_int_equal(total.connections, connections);
	assert_int_equal(total.bytes_in, 10 * connections);
	assert_int_equal(total.bytes_out, 20 * connections);
}

static void services_are_added_up(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	struct lvs_traffic traffic = {.last = NULL};

	(void)state;
	assert_total(&traffic, services, 2, 7);
	services[0] = service("10.0.0.10", 6);
	assert_total(&traffic, services, 2, 9);
	assert_int_equal(traffic.carried.connections, 0);
	lvs_traffic_deinit(&traffic);
}

static void what_a_service_counted_stays_when_it_goes(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	struct lvs_traffic traffic = {.last = NULL};

	(void)state;
	assert_total(&traffic, services, 2, 7);
	assert_total(&traffic, services, 1, 7);
	assert_int_equal(traffic.carried.connections, 3);
	assert_total(&traffic, services, 0, 7);
	assert_total(&traffic, services, 0, 7);
	services[0] = service("10.0.0.10", 2);
	assert_total(&traffic, services, 1, 9);
	lvs_traffic_deinit(&traffic);
}

/* Each of its counters alone tells that a service was made anew. */
static void a_service_that_is_made_anew_counts_from_nothing(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	struct lvs_traffic traffic = {.last = NULL};

	(void)state;
	assert_total(&traffic, services, 2, 7);
	services[0] = service("10.0.0.10", 1);
	assert_total(&traffic, services, 2, 8);
	services[0].counters.bytes_in--;
	lvs_traffic_update(&traffic,
		&(struct lvs_status){.is_read = true, .services = services, .service_count = 2});
	assert_int_equal(lvs_traffic_total(&traffic).connections, 9);
	services[0].counters.bytes_out--;
	lvs_traffic_update(&traffic,
		&(struct lvs_status){.is_read = true, .services = services, .service_count = 2});
	assert_int_equal(lvs_traffic_total(&traffic).connections, 10);
	lvs_traffic_deinit(&traffic);
}

static void another_protocol_or_port_is_another_service(void **state)
{
	struct ipvs_service one = service("10.0.0.10", 4);
	struct lvs_traffic traffic = {.last = NULL};

	(void)state;
	assert_total(&traffic, &one, 1, 4);
	one.protocol = IPPROTO_SCTP;
	assert_total(&traffic, &one, 1, 8);
	one.port = 54;
	assert_total(&traffic, &one, 1, 12);
	lvs_traffic_deinit(&traffic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_added_up),
		cmocka_unit_test(what_a_service_counted_stays_when_it_goes),
		cmocka_unit_test(a_service_that_is_made_anew_counts_from_nothing),
		cmocka_unit_test(another_protocol_or_port_is_another_service),
	};

	return cmocka_run_group_tests_name("lvs_traffic", tests, NULL, NULL);
}
