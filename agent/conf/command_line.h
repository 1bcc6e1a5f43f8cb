/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that the programs with a configuration share: --config-file, --config-dir, --check,
 * --version, --help. Used by every program that has one.
 */
#pragma once

#include <stdbool.h>

#include "conf/settings.h"

struct command_line {
	struct settings_sources sources;
	bool check;      /* say what would be done, and end */
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
};

/*
 * True: go on with *ret_line. False: --help or --version was answered, or the use was wrong and was
 * complained about; end with *ret_status.
 */
bool command_line_parse_use(int argc, char **argv, const struct command_line_use *use,
	struct command_line *ret_line, int *ret_status);
/* The same for a program without operands, whose configuration must be named. */
bool command_line_parse(
	int argc, char **argv, const char *purpose, struct command_line *ret_line, int *ret_status);
void command_line_deinit(struct command_line *line);
