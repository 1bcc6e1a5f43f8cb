/* SPDX-License-Identifier: Apache-2.0 */
#include "console/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

const char arguments_usage[] =
	"usage: amphoractl check [--id ID] FILE...\n"
	"       amphoractl render [--lvs LISTENER | --vrrp AMPHORA] [OPTION...] FILE\n"
	"       amphoractl render --output DIR [OPTION...] FILE...\n"
	"       amphoractl --help | --version\n"
	"\n"
	"Each FILE describes a load balancer as JSON; - is the standard input. What is wrong with\n"
	"it is said as \"FILE:LINE:COLUMN: error: /pointer: sentence\", with status 1; warnings\n"
	"change no status. check says no more than that. render prints the haproxy.cfg of the\n"
	"load balancer, or\n"
	"\n"
	"  --lvs LISTENER      the keepalived.conf of its UDP or SCTP listener with that id\n"
	"  --vrrp AMPHORA      the keepalived.conf of VRRP of its amphora with that id\n"
	"  --output DIR        writes DIR/LOAD-BALANCER/haproxy.cfg, keepalived-lvs-LISTENER.conf\n"
	"                      and keepalived-vrrp-AMPHORA.conf, as many as there are, and prints\n"
	"                      their names\n"
	"\n"
	"as an agent would with these settings:\n"
	"\n"
	"  --template-dir DIR  templates other than the installed ones\n"
	"  --base-path DIR     where the amphora keeps its state (/var/lib/octavia)\n"
	"  --network-namespace NAME  where it serves (amphora-haproxy); \"\" is none\n"
	"  --id ID             the load balancer's id; else the one in FILE, or one made of its "
	"VIP\n";

static int options_parse(int argc, char *argv[], struct arguments *arguments)
{
	static const struct option options[] = {{"template-dir", required_argument, NULL, 't'},
		{"base-path", required_argument, NULL, 'b'},
		{"network-namespace", required_argument, NULL, 'n'},
		{"id", required_argument, NULL, 'i'}, {"lvs", required_argument, NULL, 'l'},
		{"vrrp", required_argument, NULL, 'v'}, {"output", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0}};
	const char **const targets[] = {['t'] = &arguments->template_dir,
		['b'] = &arguments->base_path,
		['n'] = &arguments->network_namespace,
		['i'] = &arguments->id,
		['l'] = &arguments->listener,
		['v'] = &arguments->amphora,
		['o'] = &arguments->output};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return -EINVAL;
		*targets[option] = optarg;
	}
	return 0;
}

/* One text at most is printed, and then of one FILE; one id names one load balancer. */
static bool is_use(const struct arguments *arguments)
{
	int texts = (arguments->listener != NULL) + (arguments->amphora != NULL) +
		    (arguments->output != NULL);

	if (arguments->file_count < 1 || (arguments->id && arguments->file_count > 1))
		return false;
	if (arguments->command == COMMAND_CHECK)
		return texts == 0;
	return texts <= 1 && (arguments->output || arguments->file_count == 1);
}

static int command_parse(int argc, char *argv[], enum command *ret_command)
{
	static const struct {
		const char *name;
		enum command command;
		bool stands_alone;
	} commands[] = {{"--help", COMMAND_HELP, true}, {"--version", COMMAND_VERSION, true},
		{"check", COMMAND_CHECK, false}, {"render", COMMAND_RENDER, false}};

	for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!text_equal(argv[1], commands[i].name) ||
			(commands[i].stands_alone && argc > 2))
			continue;
		*ret_command = commands[i].command;
		return 0;
	}
	return -EINVAL;
}

int arguments_parse(int argc, char *argv[], struct arguments *ret_arguments)
{
	struct arguments arguments = {.template_dir = "",
		.base_path = "/var/lib/octavia",
		.network_namespace = "amphora-haproxy"};

	if (command_parse(argc, argv, &arguments.command) < 0)
		return -EINVAL;
	if (arguments.command == COMMAND_CHECK || arguments.command == COMMAND_RENDER) {
		if (options_parse(argc - 1, argv + 1, &arguments) < 0)
			return -EINVAL;
		arguments.files = argv + 1 + optind;
		arguments.file_count = argc - 1 - optind;
		if (!is_use(&arguments))
			return -EINVAL;
	}
	*ret_arguments = arguments;
	return 0;
}
