/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a datagram of the kernel's IPVS. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sys/ipvs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_ipvs_table struct ipvs_table table = IPVS_TABLE_INIT;
	/* Aligned, as a datagram is received. */
	cleanup_free char *datagram = xmemdup_text(data, size);
	struct err err = ERR_NONE;
	bool is_done = false;

	if (ipvs_table_parse(&table, datagram, size, &is_done, &err) < 0 && err.code == 0)
		abort();
	for (size_t i = 0; i < table.service_count; i++)
		if (table.services[i].address.family != AF_INET &&
			table.services[i].address.family != AF_INET6)
			abort();
	/* Each takes more than a header and its address. */
	if (table.service_count + table.destination_count > size / 32)
		abort();
	return 0;
}
