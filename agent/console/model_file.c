/* SPDX-License-Identifier: Apache-2.0 */
#include "console/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/document.h"
#include "model/fault_lines.h"

static const char *name_of(const char *file)
{
	return text_equal(file, "-") ? "<stdin>" : file;
}

static int read_descriptor(int fd, struct buf *text)
{
	enum { CHUNK = 64 * KIB };

	for (;;) {
		char chunk[CHUNK];
		ssize_t size = read(fd, chunk, sizeof(chunk));

		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size < 0 ? -errno : 0;
		buf_append(text, chunk, (size_t)size);
		if (buf_error(text))
			return buf_error(text);
	}
}

/* A file, a pipe or a terminal. */
static int read_text(const char *file, struct buf *text, struct err *err)
{
	cleanup_close int opened = -1;
	int fd = STDIN_FILENO;
	int r;

	if (!text_equal(file, "-")) {
		opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return err_set_errno(err, -errno, "opening %s", file);
		fd = opened;
	}
	r = read_descriptor(fd, text);
	if (r == -EMSGSIZE)
		return err_set(
			err, r, "%s is larger than %d bytes", name_of(file), DOCUMENT_SIZE_MAX);
	return r < 0 ? err_set_errno(err, r, "reading %s", name_of(file)) : 0;
}

int model_file_load(const char *file, const struct id *id, struct load_balancer **ret_load_balancer,
	char ret_etag[static MD5_HEX_SIZE + 1], struct err *err)
{
	cleanup_faults struct faults faults = {0};
	cleanup_buf struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_buf struct buf lines = BUF_INIT(FAULT_LINES_MAX);
	int r = read_text(file, &text, err);

	if (r < 0)
		return r;
	r = load_balancer_parse(
		buf_text(&text), text.size_bytes, id, &faults, ret_load_balancer, NULL);
	fault_lines_append(&faults, name_of(file), buf_text(&text), text.size_bytes, &lines);
	fputs(buf_text(&lines), stderr);
	digest_md5_hex(buf_text(&text), text.size_bytes, ret_etag);
	return r;
}
