/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Ethernet address. A plain value. Used by the agent and amphora-interface.
 */
#pragma once

#include <stdbool.h>

enum { MAC_SIZE_BYTES = 6, MAC_TEXT_MAX = 18 };

struct mac {
	unsigned char bytes[MAC_SIZE_BYTES];
};

/* "fa:16:3e:00:00:01", in any case; nothing else. 0 or -EINVAL. */
int mac_parse(const char *text, struct mac *ret_mac);
/* Lower case, as the kernel and Neutron write it. */
void mac_format(const struct mac *mac, char text[static MAC_TEXT_MAX]);
bool mac_equal(const struct mac *a, const struct mac *b);
