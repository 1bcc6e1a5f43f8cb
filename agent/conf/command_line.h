/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that the programs with a configuration share: --config-file, --config-dir, --check,
 * --version, --help. Used by the agent, the sender and the Prometheus proxy.
 */
#pragma once

#include <stdbool.h>

#include "conf/settings.h"

struct command_line {
	struct settings_sources sources;
	bool check; /* say what would be done, and end */
};

/*
 * True: go on with *ret_line. False: --help or --version was answered, or the use was wrong and was
 * complained about; end with *ret_status. purpose: a line for --help.
 */
bool command_line_parse(
	int argc, char **argv, const char *purpose, struct command_line *ret_line, int *ret_status);
void command_line_deinit(struct command_line *line);
