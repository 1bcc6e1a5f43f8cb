/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/digest.h"

#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdint.h>

_Static_assert(MD5_HEX_SIZE == BASE16_ENCODE_LENGTH(MD5_DIGEST_SIZE), "MD5 in hex");
_Static_assert(SHA256_HEX_SIZE == BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE), "SHA-256 in hex");
_Static_assert(SHA1_BASE64_SIZE == BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE), "SHA-1 in base64");

void digest_md5_hex(const void *data, size_t size_bytes, char ret_hex[static MD5_HEX_SIZE + 1])
{
	struct md5_ctx context;
	uint8_t digest[MD5_DIGEST_SIZE];

	md5_init(&context);
	md5_update(&context, size_bytes, data);
	md5_digest(&context, sizeof(digest), digest);
	base16_encode_update(ret_hex, sizeof(digest), digest);
	ret_hex[MD5_HEX_SIZE] = '\0';
}

void digest_sha1_base64(
	const void *data, size_t size_bytes, char ret_base64[static SHA1_BASE64_SIZE + 1])
{
	struct sha1_ctx context;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&context);
	sha1_update(&context, size_bytes, data);
	sha1_digest(&context, sizeof(digest), digest);
	base64_encode_raw(ret_base64, sizeof(digest), digest);
	ret_base64[SHA1_BASE64_SIZE] = '\0';
}

void digest_hmac_sha256_hex(const void *key, size_t key_size_bytes, const void *data,
	size_t size_bytes, char ret_hex[static SHA256_HEX_SIZE + 1])
{
	struct hmac_sha256_ctx context;
	uint8_t digest[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&context, key_size_bytes, key);
	hmac_sha256_update(&context, size_bytes, data);
	hmac_sha256_digest(&context, sizeof(digest), digest);
	base16_encode_update(ret_hex, sizeof(digest), digest);
	ret_hex[SHA256_HEX_SIZE] = '\0';
}
