/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: descriptions of interfaces (net/description.h). Whatever the bytes, they are refused
 * with a reason, or what was read is written, and read again as the same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check(const struct interface_description *description)
{
	CLEANUP(description_deinit) struct interface_description again = {0};
	cleanup_free char *text = description_format(description);

	for (size_t i = 0; i < description->address_count; i++)
		if (description->addresses[i].prefix_length >
			address_prefix_max(description->addresses[i].address.family))
			abort();
	if (description_parse(text, strlen(text), description->name, &again, NULL) < 0 ||
		!description_equal(description, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	CLEANUP(description_deinit) struct interface_description description = {0};
	struct err err = ERR_NONE;
	int r = description_parse((const char *)data, size_bytes, "eth1", &description, &err);

	if (r == 0)
		check(&description);
	else if (r != -EINVAL || err.text[0] == '\0')
		abort();
	return 0;
}
