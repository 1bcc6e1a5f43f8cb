/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of amphoractl: what is asked of which files. Used by amphoractl.
 */
#pragma once

enum command { COMMAND_HELP, COMMAND_VERSION, COMMAND_CHECK, COMMAND_RENDER };

/* Texts are the command line's. */
struct arguments {
	enum command command;
	const char *template_dir; /* "": ours */
	const char *base_path;
	const char *network_namespace; /* "": none */
	const char *id;                /* NULL: none */
	const char *listener;          /* NULL: none */
	const char *amphora;           /* NULL: none */
	const char *output;            /* NULL: standard output */
	char **files;                  /* of COMMAND_CHECK and COMMAND_RENDER, at least one */
	int file_count;
};

/* What --help prints, and wrong use too. */
extern const char arguments_usage[];

/* -EINVAL when they ask for nothing that there is; getopt() has then said what it did not take. */
int arguments_parse(int argc, char *argv[], struct arguments *ret_arguments);
