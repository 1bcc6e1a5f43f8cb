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
static void assert_total(
	struct account *account, struct ipvs_service *services, size_t count, unsigned connections)
{
	struct traffic total;

	lvs_traffic_update(
		account, &(struct lvs_status){
				 .is_read = true, .services = services, .service_count = count});
	total = account_total(account);
	assert_int_equal(total.sessions_total, connections);
	assert_int_equal(total.bytes_in, 10 * connections);
	assert_int_equal(total.bytes_out, 20 * connections);
	assert_int_equal(total.errors_request, 0);
}

static void services_are_added_up(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	struct account account = {.sources = NULL};

	(void)state;
	assert_total(&account, services, 2, 7);
	services[0] = service("10.0.0.10", 6);
	assert_total(&account, services, 2, 9);
	assert_int_equal(account.settled.sessions_total, 0);
	account_deinit(&account);
}

static void what_a_service_counted_stays_when_it_goes(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	struct account account = {.sources = NULL};

	(void)state;
	assert_total(&account, services, 2, 7);
	assert_total(&account, services, 1, 7);
	assert_int_equal(account.settled.sessions_total, 3);
	assert_total(&account, services, 0, 7);
	assert_total(&account, services, 0, 7);
	services[0] = service("10.0.0.10", 2);
	assert_total(&account, services, 1, 9);
	account_deinit(&account);
}

static void another_protocol_or_port_is_another_service(void **state)
{
	struct ipvs_service one = service("10.0.0.10", 4);
	struct account account = {.sources = NULL};

	(void)state;
	assert_total(&account, &one, 1, 4);
	one.protocol = IPPROTO_SCTP;
	assert_total(&account, &one, 1, 8);
	one.port = 54;
	assert_total(&account, &one, 1, 12);
	account_deinit(&account);
}

static void the_kernels_table_tells_which_services_are_gone(void **state)
{
	struct ipvs_service services[] = {service("10.0.0.10", 4), service("fd00::10", 3)};
	const struct ipvs_table kernel = {.services = services, .service_count = 2};

	(void)state;
	assert_false(lvs_traffic_is_gone(&kernel, "udp 10.0.0.10 53"));
	assert_false(lvs_traffic_is_gone(&kernel, "udp fd00::10 53"));
	assert_true(lvs_traffic_is_gone(&kernel, "udp 10.0.0.10 54"));
	assert_true(lvs_traffic_is_gone(&kernel, "sctp 10.0.0.10 53"));
	assert_true(lvs_traffic_is_gone(&kernel, "udp 10.0.0.11 53"));
	/* HAProxy's, of which the kernel knows nothing. */
	assert_false(lvs_traffic_is_gone(&kernel, "worker 7 70"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_added_up),
		cmocka_unit_test(what_a_service_counted_stays_when_it_goes),
		cmocka_unit_test(another_protocol_or_port_is_another_service),
		cmocka_unit_test(the_kernels_table_tells_which_services_are_gone),
	};

	return cmocka_run_group_tests_name("lvs_traffic", tests, NULL, NULL);
}
