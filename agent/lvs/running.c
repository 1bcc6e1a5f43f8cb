/* SPDX-License-Identifier: Apache-2.0 */
#include "lvs/running.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "lvs/site.h"
#include "sys/digest.h"

bool lvs_running_has(
	const char *base_path, const struct id *listener, const char *text, size_t size_bytes)
{
	cleanup_free char *path = lvs_path(base_path, listener, LVS_FILE_RUNNING);
	cleanup_buf struct buf record = BUF_INIT(MD5_HEX_SIZE);
	char md5[MD5_HEX_SIZE + 1];

	if (file_read(path, &record, NULL) < 0)
		return false;
	digest_md5_hex(text, size_bytes, md5);
	return text_equal(buf_text(&record), md5);
}

int lvs_running_store(const char *base_path, const struct id *listener, const char *text,
	size_t size_bytes, struct err *err)
{
	cleanup_free char *path = lvs_path(base_path, listener, LVS_FILE_RUNNING);
	char md5[MD5_HEX_SIZE + 1];

	digest_md5_hex(text, size_bytes, md5);
	return file_replace_nosync(path, md5, MD5_HEX_SIZE, 0644, err);
}

int lvs_running_forget(const char *base_path, const struct id *listener, struct err *err)
{
	cleanup_free char *path = lvs_path(base_path, listener, LVS_FILE_RUNNING);

	return file_remove(path, err);
}
