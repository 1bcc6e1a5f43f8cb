/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression of whole buffers (the only place with zlib). Used by the sender.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the zlib stream (RFC 1950; marked as level 9, see deflate.c for the effort that it gets)
 * of size_bytes bytes at data to ret_stream. -EMSGSIZE as soon as it passes ret_stream's maximum:
 * the work done is bounded by what fits.
 */
int deflate_whole(const void *data, size_t size_bytes, struct buf *ret_stream);
