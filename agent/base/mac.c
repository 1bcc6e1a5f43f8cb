/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mac.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac mac;

	for (size_t i = 0; i < MAC_SIZE_BYTES; i++, text += 3) {
		int high = digit_value(text[0]);
		int low = high < 0 ? -1 : digit_value(text[1]);

		if (low < 0 || text[2] != (i + 1 < MAC_SIZE_BYTES ? ':' : '\0'))
			return -EINVAL;
		mac.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*ret_mac = mac;
	return 0;
}

void mac_format(const struct mac *mac, char text[static MAC_TEXT_MAX])
{
	const unsigned char *b = mac->bytes;

	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		b[5]);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->bytes, b->bytes, MAC_SIZE_BYTES) == 0;
}
