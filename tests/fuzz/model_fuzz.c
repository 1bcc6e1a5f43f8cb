/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: models (model/load_balancer.h). Whatever the bytes, they are refused with faults that
 * say something somewhere, or taken. What is rendered of them is render_fuzz.c's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "model/load_balancer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check_faults(const struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text[0] == '\0' ||
			(list->items[i].path[0] != '\0' && list->items[i].path[0] != '/'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_faults struct faults faults = {0};
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	int r = load_balancer_parse(
		(const char *)data, size_bytes, NULL, &faults, &load_balancer, NULL);

	check_faults(&faults.errors);
	check_faults(&faults.warnings);
	if ((r < 0) != (faults.errors.count > 0) || (r < 0) != (load_balancer == NULL))
		abort();
	return 0;
}
