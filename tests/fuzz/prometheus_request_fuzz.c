/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a scraper's request. What is whole stays what it is, whatever follows. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "prometheus/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request whole;
	struct request request;

	if (request_parse((const char *)data, size, &whole) <= 0)
		return 0;
	for (size_t part = 0; part < size; part++) {
		int r = request_parse((const char *)data, part, &request);

		if (r < 0 || (r > 0 && (request.method != whole.method ||
					       request.takes_chunks != whole.takes_chunks)))
			abort();
	}
	return 0;
}
