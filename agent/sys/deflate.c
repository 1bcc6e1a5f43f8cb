/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/deflate.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <zlib.h>

enum { WINDOW_BITS = 15, MEMORY_LEVEL = 8 };
/*
 * Level 9 is what the receiver is told, level 4's patience is what it gets: in a heartbeat, which
 * is mostly random ids, looking longer for repetitions saves one percent of the size and doubles
 * the time.
 */
enum { GOOD_LENGTH = 4, MAX_LAZY = 4, NICE_LENGTH = 16, MAX_CHAIN = 16 };

int deflate_whole(const void *data, size_t size_bytes, struct buf *ret_stream)
{
	z_stream stream = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)size_bytes};
	size_t room = ret_stream->max_bytes - ret_stream->size_bytes;
	size_t bound;
	int r;

	if (size_bytes > UINT_MAX)
		return -EMSGSIZE;
	/*
	 * Z_FILTERED passes over matches of up to five bytes. Half of a heartbeat is UUIDs, whose
	 * digits hold many of those by chance: coding them as literals makes it a tenth smaller.
	 */
	r = deflateInit2(
		&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_FILTERED);
	if (r != Z_OK)
		return -ENOMEM;
	deflateTune(&stream, GOOD_LENGTH, MAX_LAZY, NICE_LENGTH, MAX_CHAIN);
	bound = deflateBound(&stream, size_bytes);
	if (room > bound)
		room = bound;
	if (room > UINT_MAX)
		room = UINT_MAX;
	stream.next_out = buf_reserve(ret_stream, room);
	stream.avail_out = (uInt)room;
	r = stream.next_out ? deflate(&stream, Z_FINISH) : Z_BUF_ERROR;
	if (r == Z_STREAM_END)
		buf_commit(ret_stream, stream.total_out);
	deflateEnd(&stream);
	return r == Z_STREAM_END ? 0 : -EMSGSIZE;
}
