/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a real keepalived says of a rendered config: nothing, but for the scripts that it would run
 * as root, and for virtual servers that nobody serves. Include it behind real_keepalived.h.
 */
#pragma once

#include <string.h>

static inline bool is_complaint(const char *line)
{
	return !strstr(line, "SECURITY VIOLATION") && !strstr(line, "keepalived_script") &&
	       !strstr(line, "has no real servers - ignoring");
}

static inline void assert_keepalived_takes(const char *config)
{
	cleanup_free char *path = in_temporary_folder("rendered.conf");
	const char *const argv[] = {settings.keepalived_cmd, "--config-test", "-f", path, NULL};
	const struct process_spec spec = {.argv = argv, .network_namespace = namespace_name};
	cleanup_buf struct buf output = BUF_INIT(64 * KIB);
	cleanup_free char *lines = NULL;
	char *rest = NULL;
	int status;

	temporary_file("rendered.conf", config);
	assert_int_equal(process_run(&spec, 60000, &output, &status, NULL), 0);
	/* 5: it left something out, 6: a script that runs as root. */
	if (status != 0 && status != 5 && status != 6)
		fail_msg("keepalived ends with status %d of:\n%s", status, config);
	lines = xstrdup(buf_text(&output));
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (is_complaint(line))
			fail_msg("keepalived says '%s' of:\n%s", line, config);
}

/* The text holds these whole lines, one behind the other. */
static inline void assert_holds(const char *text, const char *lines)
{
	cleanup_free char *behind_newline = xformat("\n%s", lines);

	if (!strstr(text, behind_newline))
		fail_msg("no lines '%s' in:\n%s", lines, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}
