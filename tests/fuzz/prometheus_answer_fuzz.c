/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the answer of HAProxy's exporter: taken apart and translated, in pieces whose size
 * is the first byte, and again all at once. Both ways must lead to the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "prometheus/answer.h"
#include "prometheus/translation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16 * MIB };

/* How it ended: a part of the answer, or an error. */
static int take(const char *data, size_t size, size_t piece_bytes, struct buf *ret_text)
{
	CLEANUP(answer_deinit) struct answer answer = ANSWER_INIT;
	CLEANUP(translation_deinit) struct translation translation = TRANSLATION_INIT;
	struct err err = ERR_NONE;

	while (size > 0 && answer.part != ANSWER_COMPLETE) {
		size_t left = size < piece_bytes ? size : piece_bytes;
		size_t taken = left;
		const char *body;
		size_t body_size;
		int r;

		while ((r = answer_take(&answer, &data, &left, &body, &body_size, &err)) > 0)
			translation_feed(&translation, body, body_size, ret_text);
		if (r < 0)
			return r;
		size -= taken - left;
	}
	translation_end(&translation, ret_text);
	return answer.part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf in_pieces = BUF_INIT(TEXT_MAX);
	cleanup_buf struct buf at_once = BUF_INIT(TEXT_MAX);
	const char *text = (const char *)data + 1;
	int r;

	if (size < 2 || data[0] == 0)
		return 0;
	r = take(text, size - 1, data[0], &in_pieces);
	if (r != take(text, size - 1, size, &at_once) || buf_error(&in_pieces) ||
		in_pieces.size_bytes != at_once.size_bytes ||
		memcmp(buf_text(&in_pieces), buf_text(&at_once), at_once.size_bytes) != 0)
		abort();
	return 0;
}
