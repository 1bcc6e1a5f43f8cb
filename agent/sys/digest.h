/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests as lower-case hex or base64, through nettle (which libmicrohttpd's GnuTLS brings along,
 * so that no second crypto library is loaded). Used by the agent (ETag, peer name) and the sender
 * (HMAC of a heartbeat).
 */
#pragma once

#include <stddef.h>

enum { MD5_HEX_SIZE = 32, SHA256_HEX_SIZE = 64, SHA1_BASE64_SIZE = 28 };

/* A thing's ETag: bare MD5 hex (amphora-api.md, "Endpoints"). */
void digest_md5_hex(const void *data, size_t size_bytes, char ret_hex[static MD5_HEX_SIZE + 1]);

/* Standard base64 with '=' padding. */
void digest_sha1_base64(
	const void *data, size_t size_bytes, char ret_base64[static SHA1_BASE64_SIZE + 1]);

void digest_hmac_sha256_hex(const void *key, size_t key_size_bytes, const void *data,
	size_t size_bytes, char ret_hex[static SHA256_HEX_SIZE + 1]);
