/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: PEM files as somebody uploads them (sys/pem.h, sys/tls_credentials.h). */
#include "sys/pem.h"

#include <stdint.h>
#include <stdlib.h>

#include "sys/tls_credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* A block lies within the input, behind the one before. */
static void blocks_check(const char *text, size_t size_bytes)
{
	struct pem_cursor cursor = {text, size_bytes};
	const char *before = text;
	struct pem_block block;

	while (pem_next(&cursor, &block, NULL) > 0) {
		if (block.text < before || block.label < block.text ||
			block.label_size_bytes == 0 ||
			block.text + block.size_bytes > text + size_bytes ||
			cursor.text != block.text + block.size_bytes)
			abort();
		before = cursor.text;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	struct tls_credentials *credentials = NULL;

	blocks_check(text, size_bytes);
	if (tls_credentials_new(
		    text, size_bytes, text, size_bytes, TLS_VERSION_1_2, &credentials, NULL) == 0 &&
		(!credentials || !tls_credentials_subject(credentials)))
		abort();
	tls_credentials_unref(credentials);
	return 0;
}
