/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/preview.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "sys/stats_socket.h"

/* More than a beat may take, whose sources may be silent, and one that is under way. */
enum { QUERY_TIMEOUT_MS = 8000 };

char *preview_socket_path(const char *runtime_dir)
{
	return xformat("%s/amphora-heartbeat.sock", runtime_dir);
}

int preview_query(const char *runtime_dir, struct buf *ret_text, struct err *err)
{
	cleanup_free char *path = preview_socket_path(runtime_dir);

	return stats_socket_query(path, "preview", QUERY_TIMEOUT_MS, ret_text, err);
}
