/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum { STATUS_FINE = 0, STATUS_WRONG_USE = 2 };

static const struct option options[] = {
	{"config-file", required_argument, NULL, 'f'},
	{"config-dir", required_argument, NULL, 'd'},
	{"check", no_argument, NULL, 'c'},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help_print(const char *program, const char *purpose)
{
	printf("usage: %s --config-file FILE [--config-file FILE ...] [--config-dir DIR ...]\n"
	       "%s\n\n"
	       "  --config-file FILE  settings, oslo.config's INI; repeatable, later wins\n"
	       "  --config-dir DIR    and DIR/*.conf, in order of their names\n"
	       "  --check             check the settings, say what they lead to, and end\n"
	       "  --version           print the version\n"
	       "  --help              print this\n\n"
	       "Exit status: 0 fine, 1 failed while running, 2 wrong use or configuration.\n",
		program, purpose);
}

/* One option; false when the program is to end with *ret_status. */
static bool option_take(int option, const char *program, const char *purpose,
	struct command_line *line, int *ret_status)
{
	switch (option) {
	case 'f':
		settings_sources_add_file(&line->sources, optarg);
		return true;
	case 'd':
		settings_sources_add_dir(&line->sources, optarg);
		return true;
	case 'c':
		line->check = true;
		return true;
	case 'v':
		printf("%s %s\n", program, AMPHORA_AGENT_VERSION);
		*ret_status = STATUS_FINE;
		return false;
	case 'h':
		help_print(program, purpose);
		*ret_status = STATUS_FINE;
		return false;
	default: /* getopt has complained */
		fprintf(stderr, "%s: see '%s --help'\n", program, program);
		*ret_status = STATUS_WRONG_USE;
		return false;
	}
}

static bool line_is_complete(int argc, char **argv, const struct command_line *line)
{
	const char *program = program_invocation_short_name;

	if (optind < argc) {
		fprintf(stderr, "%s: '%s' is no option; see '%s --help'\n", program, argv[optind],
			program);
		return false;
	}
	if (line->sources.file_count == 0 && line->sources.dir_count == 0) {
		fprintf(stderr, "%s: no --config-file given; see '%s --help'\n", program, program);
		return false;
	}
	return true;
}

bool command_line_parse(
	int argc, char **argv, const char *purpose, struct command_line *ret_line, int *ret_status)
{
	struct command_line line = {.check = false};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (!option_take(
			    option, program_invocation_short_name, purpose, &line, ret_status)) {
			command_line_deinit(&line);
			return false;
		}
	}
	if (!line_is_complete(argc, argv, &line)) {
		command_line_deinit(&line);
		*ret_status = STATUS_WRONG_USE;
		return false;
	}
	*ret_line = line;
	return true;
}

void command_line_deinit(struct command_line *line)
{
	settings_sources_deinit(&line->sources);
}
