/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer of HAProxy's exporter, taken apart as it arrives: a head that says 200 and chunked, as
 * it always does to HTTP/1.1, then the chunks of the body. Only so can an answer that breaks off be
 * told from one that is complete; any other is refused. Pure. Owned by a scrape. Used by the
 * Prometheus proxy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Of each line outside the body. */
enum { ANSWER_LINE_MAX = 4 * KIB };

enum answer_part {
	ANSWER_STATUS,
	ANSWER_HEADER,
	ANSWER_CHUNK_SIZE,
	ANSWER_CHUNK,
	ANSWER_CHUNK_END,
	ANSWER_TRAILER,
	ANSWER_COMPLETE,
};

struct answer {
	enum answer_part part; /* what the next byte belongs to */
	struct buf line;       /* what has arrived of a line */
	bool is_chunked;
	size_t chunk_left_bytes;
};

#define ANSWER_INIT ((struct answer){.line = BUF_INIT(ANSWER_LINE_MAX)})

void answer_deinit(struct answer *answer);

/*
 * Takes bytes off *data and *size_bytes. 1: a piece of the body was met, which points into *data;
 * call again. 0: all is taken, or the answer is complete, and what is left is not its own.
 * -EBADMSG: it is none that can be used; -EMSGSIZE: one of its lines is too long.
 */
int answer_take(struct answer *answer, const char **data, size_t *size_bytes,
	const char **ret_piece, size_t *ret_piece_size_bytes, struct err *err);
/* Puts the last size_bytes of the piece that was just taken back in front of *data. */
void answer_give_back(
	struct answer *answer, const char **data, size_t *data_size_bytes, size_t size_bytes);
