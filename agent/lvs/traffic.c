/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/traffic.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/alloc.h"

static void service_count_in(struct ipvs_counters *sum, const struct ipvs_service *service)
{
	sum->connections += service->counters.connections;
	sum->bytes_in += service->counters.bytes_in;
	sum->bytes_out += service->counters.bytes_out;
}

/* Whether the service that was seen earlier is among those of now, and not made anew. */
static bool lives_on(const struct ipvs_service *earlier, const struct lvs_status *status)
{
	for (size_t i = 0; i < status->service_count; i++) {
		const struct ipvs_service *now = &status->services[i];

		if (now->protocol == earlier->protocol && now->port == earlier->port &&
			address_equal(&now->address, &earlier->address))
			return now->counters.connections >= earlier->counters.connections &&
			       now->counters.bytes_in >= earlier->counters.bytes_in &&
			       now->counters.bytes_out >= earlier->counters.bytes_out;
	}
	return false;
}

void lvs_traffic_update(struct lvs_traffic *traffic, const struct lvs_status *status)
{
	for (size_t i = 0; i < traffic->last_count; i++)
		if (!lives_on(&traffic->last[i], status))
			service_count_in(&traffic->carried, &traffic->last[i]);
	free(traffic->last);
	traffic->last = xcalloc(status->service_count, sizeof(*traffic->last));
	traffic->last_count = status->service_count;
	if (status->service_count > 0)
		memcpy(traffic->last, status->services,
			status->service_count * sizeof(*traffic->last));
}

struct ipvs_counters lvs_traffic_total(const struct lvs_traffic *traffic)
{
	struct ipvs_counters total = traffic->carried;

	for (size_t i = 0; i < traffic->last_count; i++)
		service_count_in(&total, &traffic->last[i]);
	return total;
}

void lvs_traffic_deinit(struct lvs_traffic *traffic)
{
	free(traffic->last);
	*traffic = (struct lvs_traffic){.last = NULL};
}
