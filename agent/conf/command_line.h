/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a program with a configuration begins: the options that all of them share (--config-file,
 * --config-dir, --check, --version, --help), then its settings. Used by every such program.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "conf/settings.h"

enum exit_status { STATUS_FINE = 0, STATUS_FAILED = 1, STATUS_WRONG_USE = 2 };

struct command_line {
	struct settings_sources sources;
	char **operands; /* what is no option; argv's */
	int operand_count;
};

/* What sets one program's command line apart. */
struct command_line_use {
	const char *purpose;  /* a line for --help */
	const char *operands; /* for --help: "up|down NAME"; NULL: there are none */
	int operand_count;    /* as many there must be */
	/*
	 * People call it by hand: without an option for the configuration it is the amphora's,
	 * /etc/octavia/amphora-agent.conf and amphora-agent.conf.d.
	 */
	bool has_default_configuration;
	/* What the program could not work with, beyond the settings themselves; NULL: nothing. */
	int (*check)(const struct settings *settings, struct err *err);
};

/*
 * True: go on with *ret_line and *ret_settings. False: --help, --version or --check was answered,
 * or the use or the configuration was wrong and was complained about; end with *ret_status.
 */
bool command_line_parse(int argc, char **argv, const struct command_line_use *use,
	struct command_line *ret_line, struct settings *ret_settings, int *ret_status);
void command_line_deinit(struct command_line *line);
