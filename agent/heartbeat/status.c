/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat/status.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "heartbeat/json_text.h"

char *status_path(const char *base_path)
{
	return xformat("%s/heartbeat/status.json", base_path);
}

static void sent_format(const struct status *status, struct buf *ret_text)
{
	if (status->sent_at == 0) {
		buf_append_text(ret_text,
			"\"sent_at\":null,\"target\":null,\"bytes\":null,\"seq\":null,"
			"\"listeners\":null,\"members\":null");
		return;
	}
	buf_append_format(ret_text, "\"sent_at\":%lld,\"target\":", (long long)status->sent_at);
	json_text_append(ret_text, status->target);
	buf_append_format(ret_text,
		",\"bytes\":%zu,\"seq\":%" PRIu64 ",\"listeners\":%zu,\"members\":%zu",
		status->bytes, status->seq, status->listeners, status->members);
}

void status_format(const struct status *status, const char *problem, struct buf *ret_text)
{
	buf_append_format(ret_text, "{\"updated_at\":%lld,", (long long)status->updated_at);
	sent_format(status, ret_text);
	buf_append_text(ret_text, ",\"problem\":");
	json_text_append(ret_text, problem);
	buf_append_char(ret_text, '}');
}

int status_store(
	const struct status *status, const char *problem, const char *path, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(STATUS_MAX_BYTES);

	status_format(status, problem, &text);
	buf_append_char(&text, '\n');
	if (buf_error(&text))
		return err_set(err, buf_error(&text), "writing %s: more than %d bytes", path,
			STATUS_MAX_BYTES);
	return file_replace_nosync(path, buf_text(&text), text.size_bytes, 0644, err);
}

void status_deinit(struct status *status)
{
	free(status->target);
	*status = (struct status){.target = NULL};
}
