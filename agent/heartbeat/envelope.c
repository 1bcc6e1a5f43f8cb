/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/envelope.h"

#include <string.h>

#include "sys/deflate.h"
#include "sys/digest.h"

int envelope_seal(const void *message, size_t message_size_bytes, const char *key,
	struct buf *ret_datagram, struct err *err)
{
	char hmac[SHA256_HEX_SIZE + 1];
	int r;

	ret_datagram->max_bytes = ENVELOPE_MAX_BYTES;
	buf_clear(ret_datagram);
	r = deflate_whole(message, message_size_bytes, ret_datagram);
	if (r == 0) {
		digest_hmac_sha256_hex(
			key, strlen(key), buf_text(ret_datagram), ret_datagram->size_bytes, hmac);
		buf_append(ret_datagram, hmac, SHA256_HEX_SIZE);
		r = buf_error(ret_datagram);
	}
	if (r < 0)
		return err_set_errno(err, r, "packing a message of %zu bytes into a datagram of %d",
			message_size_bytes, ENVELOPE_MAX_BYTES);
	return 0;
}
