/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/traffic.h"

#include <netinet/in.h>
#include <stdio.h>

#include "base/address.h"
#include "base/text.h"

static void source_name(const struct ipvs_service *service, char source[static LVS_SOURCE_MAX])
{
	char address[ADDRESS_TEXT_MAX];

	address_format(&service->address, address);
	snprintf(source, LVS_SOURCE_MAX, "%s %s %u",
		service->protocol == IPPROTO_SCTP ? "sctp" : "udp", address, service->port);
}

void lvs_traffic_of(const struct ipvs_service *service, char source[static LVS_SOURCE_MAX],
	struct traffic *ret_traffic)
{
	source_name(service, source);
	*ret_traffic = (struct traffic){
		.bytes_in = service->counters.bytes_in,
		.bytes_out = service->counters.bytes_out,
		.sessions_total = service->counters.connections,
	};
}

bool lvs_traffic_is_gone(const void *context, const char *source)
{
	const struct ipvs_table *kernel = context;

	for (size_t i = 0; i < kernel->service_count; i++) {
		char name[LVS_SOURCE_MAX];

		source_name(&kernel->services[i], name);
		if (text_equal(name, source))
			return false;
	}
	return text_starts_with(source, "udp ") || text_starts_with(source, "sctp ");
}

static bool is_unlisted(const void *context, const char *source)
{
	(void)context;
	(void)source;
	return true;
}

void lvs_traffic_update(struct account *account, const struct lvs_status *status)
{
	for (size_t i = 0; i < status->service_count; i++) {
		char source[LVS_SOURCE_MAX];
		struct traffic traffic;

		lvs_traffic_of(&status->services[i], source, &traffic);
		account_read(account, source, &traffic);
	}
	account_settle(account, is_unlisted, NULL);
}
