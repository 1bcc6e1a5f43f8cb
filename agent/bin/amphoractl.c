/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphoractl: for the person at the console, and in somebody's CI. `amphoractl check FILE` and
 * `amphoractl render FILE` need no agent, no HAProxy and no keepalived.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "console/arguments.h"
#include "console/model_file.h"
#include "console/output.h"
#include "sys/installation.h"

enum { STATUS_FINE = 0, STATUS_FAILED = 1, STATUS_WRONG_USE = 2 };

static int render(const struct arguments *arguments, const struct load_balancer *load_balancer,
	const char *etag, struct err *err)
{
	cleanup_free char *template_dir = NULL;
	int r = installation_find_templates(arguments->template_dir, &template_dir, err);
	const struct output output = {.arguments = arguments,
		.load_balancer = load_balancer,
		.template_dir = template_dir,
		.etag = etag};

	if (r < 0)
		return r;
	return arguments->output ? output_write(&output, err) : output_print(&output, err);
}

/* -EINVAL without an error text: the model is at fault, which is said already. */
static int take_file(const struct arguments *arguments, const char *file, struct err *err)
{
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	char etag[MD5_HEX_SIZE + 1];
	struct id id;
	int r = 0;

	if (arguments->id)
		r = id_parse(arguments->id, strlen(arguments->id), "--id", &id, err);
	if (r == 0)
		r = model_file_load(file, arguments->id ? &id : NULL, &load_balancer, etag, err);
	if (r < 0 || arguments->command == COMMAND_CHECK)
		return r;
	return render(arguments, load_balancer, etag, err);
}

/* Every FILE, also after one that fails. */
static int take_files(const struct arguments *arguments)
{
	int status = STATUS_FINE;

	for (int i = 0; i < arguments->file_count; i++) {
		struct err err = ERR_NONE;

		if (take_file(arguments, arguments->files[i], &err) == 0)
			continue;
		if (err.text[0])
			fprintf(stderr, "amphoractl: %s\n", err.text);
		status = STATUS_FAILED;
	}
	/* What is larger than stdio's buffer fails in fwrite() and leaves nothing to flush. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "amphoractl: writing to the standard output failed: %m\n");
		return STATUS_FAILED;
	}
	return status;
}

int main(int argc, char *argv[])
{
	struct arguments arguments;

	/* A large model's JSON trees are freed piece by piece: a sixth faster without fast bins. */
	mallopt(M_MXFAST, 0);
	if (arguments_parse(argc, argv, &arguments) < 0) {
		fputs(arguments_usage, stderr);
		return STATUS_WRONG_USE;
	}
	switch (arguments.command) {
	case COMMAND_HELP:
		fputs(arguments_usage, stdout);
		return STATUS_FINE;
	case COMMAND_VERSION:
		puts("amphoractl " AMPHORA_AGENT_VERSION);
		return STATUS_FINE;
	default:
		return take_files(&arguments);
	}
}
