/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: everything that reads a haproxy.cfg (haproxy/config.h, server.h, upload.h,
 * runtime.h). The input is one config, or two with a line "---" between them.
 */
#include "haproxy/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "haproxy/config_line.h"
#include "haproxy/runtime.h"
#include "haproxy/server.h"
#include "haproxy/server_state.h"
#include "haproxy/upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* A config never differs from itself, and what was rewritten once stays as it is. */
static void config_check(const char *text, size_t size_bytes)
{
	cleanup_buf struct buf rewritten = BUF_INIT(64 * MIB);
	cleanup_buf struct buf again = BUF_INIT(64 * MIB);
	cleanup_buf struct buf notes = BUF_INIT(64 * MIB);
	struct haproxy_runtime_plan plan;
	struct haproxy_config config;

	haproxy_config_parse(text, size_bytes, &config);
	haproxy_config_deinit(&config);
	haproxy_config_mentions(text, size_bytes, "/certs", "a.pem");
	check(haproxy_runtime_plan_make(text, size_bytes, text, size_bytes, true, &plan, NULL) ==
			0 &&
		plan.count == 0);
	haproxy_upload_rewrite(text, size_bytes, &rewritten, &notes);
	check(notes.size_bytes > 0 ||
		(rewritten.size_bytes == size_bytes &&
			(size_bytes == 0 || memcmp(rewritten.data, text, size_bytes) == 0)));
	haproxy_upload_rewrite(buf_text(&rewritten), rewritten.size_bytes, &again, &notes);
	check(again.size_bytes <= rewritten.size_bytes + notes.size_bytes);
}

/* No command of a plan may hold what would make two of it. */
static void plan_check(const char *old, size_t old_size, const char *new, size_t new_size)
{
	struct haproxy_runtime_plan plan;

	if (haproxy_runtime_plan_make(old, old_size, new, new_size, true, &plan, NULL) < 0)
		return;
	for (size_t i = 0; i < plan.count; i++)
		check(!strpbrk(plan.commands[i], ";\n\r<\\\"'"));
	haproxy_runtime_plan_deinit(&plan);
}

static void state_check(const char *state, const char *text, size_t size_bytes)
{
	cleanup_buf struct buf carried = BUF_INIT(64 * MIB);
	struct haproxy_servers servers;

	haproxy_servers_parse(text, size_bytes, &servers);
	haproxy_server_state_carry(state, &servers, &carried);
	check(buf_text(&carried)[carried.size_bytes - 1] == '\n');
	haproxy_servers_deinit(&servers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static const char separator[] = "\n---\n";
	const char *text = (const char *)data;
	const char *cut = memmem(text, size_bytes, separator, strlen(separator));
	size_t old_size = cut ? (size_t)(cut - text) : size_bytes;
	const char *new = cut ? cut + strlen(separator) : text;
	size_t new_size = cut ? size_bytes - old_size - strlen(separator) : size_bytes;
	cleanup_buf struct buf state = BUF_INIT(64 * MIB);

	buf_append(&state, text, old_size);
	config_check(new, new_size);
	plan_check(text, old_size, new, new_size);
	state_check(buf_text(&state), new, new_size);
	return 0;
}
