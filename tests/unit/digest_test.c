/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "sys/digest.h"

/* RFC 1321, A.5 */
static void md5_gives_the_published_digests(void **state)
{
	char hex[MD5_HEX_SIZE + 1];

	(void)state;
	digest_md5_hex("", 0, hex);
	assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
	digest_md5_hex("message digest", 14, hex);
	assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}

/* FIPS 180, in base64 */
static void sha1_gives_the_published_digest(void **state)
{
	char base64[SHA1_BASE64_SIZE + 1];

	(void)state;
	digest_sha1_base64("abc", 3, base64);
	assert_string_equal(base64, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
}

/* RFC 4231: a short key, and one longer than the hash's block */
static void hmac_gives_the_published_digests(void **state)
{
	char hex[SHA256_HEX_SIZE + 1];
	char key[131];
	const char *data = "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	digest_hmac_sha256_hex("Jefe", 4, "what do ya want for nothing?", 28, hex);
	assert_string_equal(
		hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256_hex(key, sizeof(key), data, strlen(data), hex);
	assert_string_equal(
		hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_gives_the_published_digests),
		cmocka_unit_test(sha1_gives_the_published_digest),
		cmocka_unit_test(hmac_gives_the_published_digests),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
