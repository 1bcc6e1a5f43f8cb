/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the routes of a DHCP lease (net/classless_routes.h). */
#include "net/classless_routes.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	cleanup_free char *text = xmemdup_text(data, size_bytes);
	struct classless_route routes[CLASSLESS_ROUTES_MAX];
	size_t count;

	if (classless_routes_parse(text, routes, &count) < 0)
		return 0;
	if (count > CLASSLESS_ROUTES_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct cidr *destination = &routes[i].destination;
		struct cidr network =
			cidr_network(&destination->address, destination->prefix_length);

		if (destination->prefix_length > 32 || !cidr_equal(&network, destination))
			abort();
	}
	return 0;
}
