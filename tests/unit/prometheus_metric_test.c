/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "prometheus/metric.h"

static void assert_found(
	const char *haproxy_name, const char *name, const char *proxy_label, const char *help)
{
	struct metric metric = {.help = "untouched"};

	if (metric_find(haproxy_name, strlen(haproxy_name), &metric) < 0)
		fail_msg("%s is not found", haproxy_name);
	assert_string_equal(metric.name, name);
	assert_int_equal(metric.name_size_bytes, strlen(name));
	if (proxy_label)
		assert_string_equal(metric.proxy_label, proxy_label);
	else
		assert_null(metric.proxy_label);
	if (help)
		assert_string_equal(metric.help, help);
	else
		assert_null(metric.help);
}

static void assert_not_found(const char *haproxy_name)
{
	struct metric metric = {.help = "untouched"};

	assert_int_equal(metric_find(haproxy_name, strlen(haproxy_name), &metric), -ENOENT);
	assert_string_equal(metric.help, "untouched");
}

static void each_object_of_haproxy_becomes_one_of_octavia(void **state)
{
	(void)state;
	assert_found("haproxy_process_max_connections", "octavia_loadbalancer_max_connections",
		NULL, NULL);
	assert_found("haproxy_frontend_bytes_in_total", "octavia_listener_bytes_in_total",
		"listener", NULL);
	assert_found("haproxy_backend_max_queue", "octavia_pool_max_queue", "pool", NULL);
	assert_found("haproxy_server_weight", "octavia_member_weight", "pool", "Member weight.");
}

static void what_speaks_of_servers_in_its_name_is_renamed(void **state)
{
	(void)state;
	assert_found("haproxy_backend_active_servers", "octavia_pool_active_members", "pool",
		"Current number of active members.");
	assert_found("haproxy_backend_backup_servers", "octavia_pool_backup_members", "pool",
		"Current number of backup members.");
	assert_found("haproxy_backend_server_aborts_total", "octavia_pool_member_aborts_total",
		"pool", "Total number of data transfers aborted by the server.");
	assert_found("haproxy_server_server_aborts_total", "octavia_member_server_aborts_total",
		"pool", NULL);
}

static void memory_pools_are_nothing_of_a_load_balancers(void **state)
{
	(void)state;
	assert_found("haproxy_process_pool_used_bytes", "octavia_memory_pool_used_bytes", NULL,
		"Total amount of memory used in the memory pools (in bytes).");
	assert_found("haproxy_process_pool_failures_total", "octavia_memory_pool_failures_total",
		NULL, "Total number of failed memory pool allocations.");
}

/* The first and last of each table, and the neighbours that begin alike. */
static void every_place_of_the_tables_can_be_reached(void **state)
{
	static const char *const names[] = {"process_connections_total",
		"process_ssl_connections_total", "frontend_bytes_in_total", "frontend_status",
		"backend_active_servers", "backend_total_time_average_seconds", "backend_max_queue",
		"backend_max_queue_time_seconds", "server_bytes_in_total",
		"server_total_time_average_seconds", "server_max_sessions",
		"server_max_session_rate", "server_weight", "server_idle_connections_current",
		"process_frontend_ssl_reuse"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[METRIC_NAME_MAX + 1];
		struct metric metric;

		snprintf(name, sizeof(name), "haproxy_%s", names[i]);
		if (metric_find(name, strlen(name), &metric) < 0)
			fail_msg("%s is not found", name);
	}
}

static void what_is_not_published_is_not_found(void **state)
{
	(void)state;
	assert_not_found("haproxy_process_nbthread");
	assert_not_found("haproxy_server_check_status");
	assert_not_found("haproxy_server_weigh");
	assert_not_found("haproxy_server_weights");
	assert_not_found("haproxy_server_");
	assert_not_found("haproxy_listener_status");
	assert_not_found("octavia_member_weight");
	assert_not_found("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_object_of_haproxy_becomes_one_of_octavia),
		cmocka_unit_test(what_speaks_of_servers_in_its_name_is_renamed),
		cmocka_unit_test(memory_pools_are_nothing_of_a_load_balancers),
		cmocka_unit_test(every_place_of_the_tables_can_be_reached),
		cmocka_unit_test(what_is_not_published_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
