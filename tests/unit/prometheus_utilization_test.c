/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "prometheus/utilization.h"

static void load_and_memory_are_told_in_percent(void **state)
{
	const struct procfs_memory memory = {.total_kb = 1000, .available_kb = 333};
	cleanup_buf struct buf text = BUF_INIT(KIB);

	(void)state;
	utilization_format("1.23", 4, &memory, &text);
	assert_string_equal(buf_text(&text),
		"# HELP octavia_loadbalancer_cpu Load balancer CPU utilization (percentage).\n"
		"# TYPE octavia_loadbalancer_cpu gauge\n"
		"octavia_loadbalancer_cpu 30.8\n"
		"# HELP octavia_loadbalancer_memory Load balancer memory utilization "
		"(percentage).\n"
		"# TYPE octavia_loadbalancer_memory gauge\n"
		"octavia_loadbalancer_memory 66.7\n");
}

static void this_machine_has_both_figures(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KIB);

	(void)state;
	utilization_append(&text);
	assert_non_null(strstr(buf_text(&text), "\noctavia_loadbalancer_cpu "));
	assert_non_null(strstr(buf_text(&text), "\noctavia_loadbalancer_memory "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_and_memory_are_told_in_percent),
		cmocka_unit_test(this_machine_has_both_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
