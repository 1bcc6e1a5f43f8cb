/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { STATUS_FINE = 0, STATUS_WRONG_USE = 2 };

static const struct option options[] = {
	{"config-file", required_argument, NULL, 'f'},
	{"config-dir", required_argument, NULL, 'd'},
	{"check", no_argument, NULL, 'c'},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

#define DEFAULT_FILE "/etc/octavia/amphora-agent.conf"
#define DEFAULT_DIR  "/etc/octavia/amphora-agent.conf.d"

static void help_print(const char *program, const struct command_line_use *use)
{
	if (use->has_default_configuration)
		printf("usage: %s [--config-file FILE ...] [--config-dir DIR ...]", program);
	else
		printf("usage: %s --config-file FILE [--config-file FILE ...] [--config-dir DIR "
		       "...]",
			program);
	printf("%s%s\n%s\n\n"
	       "  --config-file FILE  settings, oslo.config's INI; repeatable, later wins\n"
	       "  --config-dir DIR    and DIR/*.conf, in order of their names\n"
	       "  --check             check the settings, say what they lead to, and end\n"
	       "  --version           print the version\n"
	       "  --help              print this\n\n",
		use->operands ? " " : "", use->operands ? use->operands : "", use->purpose);
	if (use->has_default_configuration)
		printf("Without either of the first two: " DEFAULT_FILE " and " DEFAULT_DIR "\n\n");
	printf("Exit status: 0 fine, 1 failed while running, 2 wrong use or configuration.\n");
}

/* One option; false when the program is to end with *ret_status. */
static bool option_take(int option, const char *program, const struct command_line_use *use,
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
		help_print(program, use);
		*ret_status = STATUS_FINE;
		return false;
	default: /* getopt has complained */
		fprintf(stderr, "%s: see '%s --help'\n", program, program);
		*ret_status = STATUS_WRONG_USE;
		return false;
	}
}

static void sources_default(struct settings_sources *sources)
{
	struct stat status;

	settings_sources_add_file(sources, DEFAULT_FILE);
	if (stat(DEFAULT_DIR, &status) == 0 && S_ISDIR(status.st_mode))
		settings_sources_add_dir(sources, DEFAULT_DIR);
}

static bool operands_are_right(const struct command_line_use *use, const struct command_line *line)
{
	const char *program = program_invocation_short_name;

	/* With --check nothing is done, and there is nothing to do it to. */
	if (line->operand_count == use->operand_count || (line->check && line->operand_count == 0))
		return true;
	if (line->operand_count > use->operand_count)
		fprintf(stderr, "%s: '%s' is no option; see '%s --help'\n", program,
			line->operands[use->operand_count], program);
	else
		fprintf(stderr, "%s: '%s' must be given; see '%s --help'\n", program, use->operands,
			program);
	return false;
}

static bool line_is_complete(const struct command_line_use *use, struct command_line *line)
{
	const char *program = program_invocation_short_name;

	if (!operands_are_right(use, line))
		return false;
	if (line->sources.file_count > 0 || line->sources.dir_count > 0)
		return true;
	if (use->has_default_configuration) {
		sources_default(&line->sources);
		return true;
	}
	fprintf(stderr, "%s: no --config-file given; see '%s --help'\n", program, program);
	return false;
}

bool command_line_parse_use(int argc, char **argv, const struct command_line_use *use,
	struct command_line *ret_line, int *ret_status)
{
	CLEANUP(command_line_deinit) struct command_line line = {.check = false};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (!option_take(option, program_invocation_short_name, use, &line, ret_status))
			return false;
	line.operands = argv + optind;
	line.operand_count = argc - optind;
	if (!line_is_complete(use, &line)) {
		*ret_status = STATUS_WRONG_USE;
		return false;
	}
	*ret_line = line;
	line = (struct command_line){0};
	return true;
}

bool command_line_parse(
	int argc, char **argv, const char *purpose, struct command_line *ret_line, int *ret_status)
{
	const struct command_line_use use = {.purpose = purpose};

	return command_line_parse_use(argc, argv, &use, ret_line, ret_status);
}

void command_line_deinit(struct command_line *line)
{
	settings_sources_deinit(&line->sources);
}
