/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"

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

struct parsing {
	const struct command_line_use *use;
	struct command_line line;
	bool is_check;
};

static void parsing_deinit(struct parsing *parsing)
{
	command_line_deinit(&parsing->line);
}

/* One option; false when the program is to end with *ret_status. */
static bool option_take(struct parsing *parsing, int option, int *ret_status)
{
	const char *program = program_invocation_short_name;

	switch (option) {
	case 'f':
		settings_sources_add_file(&parsing->line.sources, optarg);
		return true;
	case 'd':
		settings_sources_add_dir(&parsing->line.sources, optarg);
		return true;
	case 'c':
		parsing->is_check = true;
		return true;
	case 'v':
		printf("%s %s\n", program, AMPHORA_AGENT_VERSION);
		*ret_status = STATUS_FINE;
		return false;
	case 'h':
		help_print(program, parsing->use);
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

static bool operands_are_right(const struct parsing *parsing)
{
	const char *program = program_invocation_short_name;
	const struct command_line_use *use = parsing->use;
	const struct command_line *line = &parsing->line;

	/* With --check nothing is done, and there is nothing to do it to. */
	if (line->operand_count == use->operand_count ||
		(parsing->is_check && line->operand_count == 0))
		return true;
	if (line->operand_count > use->operand_count)
		fprintf(stderr, "%s: '%s' is no option; see '%s --help'\n", program,
			line->operands[use->operand_count], program);
	else
		fprintf(stderr, "%s: '%s' must be given; see '%s --help'\n", program, use->operands,
			program);
	return false;
}

static bool is_complete(struct parsing *parsing)
{
	const char *program = program_invocation_short_name;
	struct settings_sources *sources = &parsing->line.sources;

	if (!operands_are_right(parsing))
		return false;
	if (sources->file_count > 0 || sources->dir_count > 0)
		return true;
	if (parsing->use->has_default_configuration) {
		sources_default(sources);
		return true;
	}
	fprintf(stderr, "%s: no --config-file given; see '%s --help'\n", program, program);
	return false;
}

static int check(const struct command_line_use *use, const struct settings *settings)
{
	cleanup_buf struct buf text = BUF_INIT(64 * KIB);
	struct err err = ERR_NONE;

	settings_describe(settings, &text);
	fputs(buf_text(&text), stdout);
	if (use->check && use->check(settings, &err) < 0) {
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
		return STATUS_WRONG_USE;
	}
	return STATUS_FINE;
}

bool command_line_parse(int argc, char **argv, const struct command_line_use *use,
	struct command_line *ret_line, struct settings *ret_settings, int *ret_status)
{
	CLEANUP(parsing_deinit) struct parsing parsing = {.use = use};
	CLEANUP(settings_deinit) struct settings settings = {0};
	struct err err = ERR_NONE;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (!option_take(&parsing, option, ret_status))
			return false;
	parsing.line.operands = argv + optind;
	parsing.line.operand_count = argc - optind;
	*ret_status = STATUS_WRONG_USE;
	if (!is_complete(&parsing))
		return false;
	if (settings_load(&parsing.line.sources, &settings, &err) < 0) {
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
		return false;
	}
	if (parsing.is_check) {
		*ret_status = check(use, &settings);
		return false;
	}
	*ret_line = parsing.line;
	parsing.line = (struct command_line){0};
	*ret_settings = settings;
	settings = (struct settings){0};
	return true;
}

void command_line_deinit(struct command_line *line)
{
	settings_sources_deinit(&line->sources);
}
