/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amphora-config-drive: makes a machine the amphora that its config drive describes, before its
 * network and its agent start: files, host name, management network. Once per instance: a reboot
 * does not bring back what was changed since, such as a certificate.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "drive/instance.h"
#include "drive/volume.h"

enum { STATUS_APPLIED, STATUS_FAULT, STATUS_WRONG_USE, STATUS_NOTHING_TO_DO, STATUS_NO_DRIVE };

/* For how long buses are scanned when a machine boots. */
enum { WAIT_S_DEFAULT = 10, WAIT_S_MAX = 600 };

struct request {
	char *root;        /* without "/" at its end: "" is the machine's own */
	const char *drive; /* NULL: to be found */
	unsigned wait_s;
};

static void request_deinit(struct request *request)
{
	free(request->root);
}

static const struct option options[] = {
	{"root", required_argument, NULL, 'r'},
	{"drive", required_argument, NULL, 'd'},
	{"wait", required_argument, NULL, 'w'},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help_print(void)
{
	printf("usage: %s [--root DIR] [--drive PATH] [--wait SECONDS]\n"
	       "Makes a machine the amphora that its config drive describes, once per instance.\n\n"
	       "  --root DIR      of the machine, and of its devices (default: /)\n"
	       "  --drive PATH    a device, an image or a folder (default: the block device\n"
	       "                  labelled " VOLUME_LABEL_CONFIG_DRIVE ")\n"
	       "  --wait SECONDS  for that device at most (default: %d)\n"
	       "  --version       print the version\n"
	       "  --help          print this\n\n"
	       "Exit status: 0 applied, 1 failed, 2 wrong use, 3 nothing to do (this instance\n"
	       "was applied before), 4 there is no config drive.\n",
		program_invocation_short_name, WAIT_S_DEFAULT);
}

static void root_take(struct request *request, const char *path)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	free(request->root);
	request->root = xmemdup_text(path, length);
}

static bool wait_parse(const char *text, unsigned *ret_wait_s)
{
	uint64_t wait_s;

	if (text_parse_u64(text, 0, WAIT_S_MAX, &wait_s) < 0) {
		fprintf(stderr, "%s: --wait %s: must be a number of seconds, at most %d\n",
			program_invocation_short_name, text, WAIT_S_MAX);
		return false;
	}
	*ret_wait_s = (unsigned)wait_s;
	return true;
}

/* One option; false when the program is to end with *ret_status. */
static bool option_take(struct request *request, int option, int *ret_status)
{
	*ret_status = STATUS_WRONG_USE;
	switch (option) {
	case 'r':
		root_take(request, optarg);
		return true;
	case 'd':
		request->drive = optarg;
		return true;
	case 'w':
		return wait_parse(optarg, &request->wait_s);
	case 'v':
		printf("%s %s\n", program_invocation_short_name, AMPHORA_AGENT_VERSION);
		*ret_status = STATUS_APPLIED;
		return false;
	case 'h':
		help_print();
		*ret_status = STATUS_APPLIED;
		return false;
	default: /* getopt has complained */
		return false;
	}
}

static bool request_parse(int argc, char **argv, struct request *request, int *ret_status)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (!option_take(request, option, ret_status))
			return false;
	if (optind == argc)
		return true;
	fprintf(stderr, "%s: '%s' is no option; see '%s --help'\n", program_invocation_short_name,
		argv[optind], program_invocation_short_name);
	*ret_status = STATUS_WRONG_USE;
	return false;
}

/* *ret_status is set when there is none: another failure is a fault. */
static int drive_open(
	const struct request *request, struct tree *ret_drive, int *ret_status, struct err *err)
{
	char path[VOLUME_PATH_MAX + 1];
	int r;

	if (request->drive)
		return volume_open(request->drive, ret_drive, err);
	r = volume_find(request->root, VOLUME_LABEL_CONFIG_DRIVE, request->wait_s, path, err);
	if (r == -ENODEV)
		*ret_status = STATUS_NO_DRIVE;
	return r < 0 ? r : volume_open(path, ret_drive, err);
}

static int apply(const struct request *request, const struct tree *root, const struct tree *drive,
	int *ret_status, struct err *err)
{
	CLEANUP(instance_deinit) struct instance instance = {0};
	const char *uuid = instance.metadata.uuid.text;
	bool is_applied;
	int r = instance_identify(drive, &instance, err);

	if (r == 0)
		r = instance_is_applied(root, &instance, &is_applied, err);
	if (r < 0)
		return r;
	if (is_applied) {
		log_info("instance %s was applied before: nothing is written", uuid);
		*ret_status = STATUS_NOTHING_TO_DO;
		return 0;
	}
	r = instance_load(drive, &instance, err);
	if (r == 0)
		r = instance_apply(root, &instance, request->root[0] == '\0', err);
	if (r < 0)
		return err_wrap(err, r, "instance %s is not applied", uuid);
	log_info("instance %s is applied", uuid);
	*ret_status = STATUS_APPLIED;
	return 0;
}

static int run(const struct request *request)
{
	CLEANUP(tree_deinit) struct tree root = TREE_NONE;
	CLEANUP(tree_deinit) struct tree drive = TREE_NONE;
	struct err err = ERR_NONE;
	int status = STATUS_FAULT;
	int r = tree_open(request->root[0] ? request->root : "/", request->root, &root, &err);

	if (r == 0)
		r = drive_open(request, &drive, &status, &err);
	if (r == 0)
		r = apply(request, &root, &drive, &status, &err);
	if (r < 0 && status == STATUS_NO_DRIVE)
		log_warning("%s", err.text);
	else if (r < 0)
		log_error("%s", err.text);
	return status;
}

int main(int argc, char **argv)
{
	CLEANUP(request_deinit)
	struct request request = {
		.root = xstrdup(""),
		.wait_s = WAIT_S_DEFAULT,
	};
	int status;

	umask(022);
	if (!request_parse(argc, argv, &request, &status))
		return status;
	return run(&request);
}
