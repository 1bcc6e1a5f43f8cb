/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalived/check_script.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "sys/installation.h"

/* Some 10,000 paths. */
enum { SCRIPT_MAX_BYTES = MIB };

/* A word of the shell, whatever it holds. */
static void append_quoted(struct buf *script, const char *text)
{
	buf_append_char(script, '\'');
	for (const char *c = text; *c; c++)
		if (*c == '\'')
			buf_append_text(script, "'\\''");
		else
			buf_append_char(script, *c);
	buf_append_char(script, '\'');
}

int check_script_store(const struct keepalived_site *site, const char *const *arguments,
	size_t argument_count, struct err *err)
{
	cleanup_free char *path = xformat("%s/vrrp/check_script.sh", site->base_path);
	cleanup_free char *program = installation_find_program("haproxy-vrrp-check");
	cleanup_buf struct buf script = BUF_INIT(SCRIPT_MAX_BYTES);

	buf_append_text(&script, "#!/bin/sh\n"
				 "# Written by amphora-agent: whether this amphora should hold the "
				 "VIP.\n"
				 "exec ");
	append_quoted(&script, program);
	for (size_t i = 0; i < argument_count; i++) {
		buf_append_char(&script, ' ');
		append_quoted(&script, arguments[i]);
	}
	buf_append_char(&script, '\n');
	if (buf_error(&script))
		return err_set(err, buf_error(&script), "%s: too many load balancers", path);
	return file_ensure(path, buf_text(&script), script.size_bytes, 0755, err);
}
