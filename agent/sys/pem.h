/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of a PEM text (RFC 7468), in the order in which they stand. Knows nothing of what they
 * hold, and copies nothing: a block is a part of the caller's bytes, so that no second copy of a
 * private key comes about. Used by the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pem_block {
	const char *label; /* "CERTIFICATE"; label_size_bytes long, no NUL */
	size_t label_size_bytes;
	const char *text; /* from "-----BEGIN " to the "-----" of its END line */
	size_t size_bytes;
};

/* Start with {pem, size}; pem_next() moves it on. */
struct pem_cursor {
	const char *text;
	size_t size_bytes;
};

/*
 * The next block: 1, or 0 when there is none left. -EINVAL: a BEGIN line without its END. What
 * stands between blocks is skipped.
 */
int pem_next(struct pem_cursor *cursor, struct pem_block *ret_block, struct err *err);
bool pem_block_is(const struct pem_block *block, const char *label);
