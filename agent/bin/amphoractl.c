/* SPDX-License-Identifier: Apache-2.0 */
/* amphoractl: for the person at the console. `amphoractl render FILE` needs no agent. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "model/document.h"
#include "model/load_balancer.h"
#include "render/haproxy_cfg.h"
#include "sys/digest.h"
#include "sys/installation.h"

enum { STATUS_FINE = 0, STATUS_FAILED = 1, STATUS_WRONG_USE = 2 };
enum { RENDERED_MAX = 64 * MIB };

static const char usage[] =
	"usage: amphoractl render [--template-dir DIR] [--base-path DIR] [--id ID] FILE\n"
	"       amphoractl --help | --version\n"
	"\n"
	"render prints the haproxy.cfg of the load balancer that FILE describes as JSON. What is\n"
	"wrong with it is said as \"FILE: /pointer: sentence\", one line each, with status 1.\n"
	"\n"
	"  --template-dir DIR  templates other than the installed ones\n"
	"  --base-path DIR     where the amphora keeps its state (/var/lib/octavia)\n"
	"  --id ID             the load balancer's id; else the one in FILE, or one made of its "
	"VIP\n";

struct arguments {
	const char *template_dir; /* "": ours */
	const char *base_path;
	const char *id; /* NULL: none */
	const char *file;
};

static int arguments_parse(int argc, char *argv[], struct arguments *ret_arguments)
{
	static const struct option options[] = {{"template-dir", required_argument, NULL, 't'},
		{"base-path", required_argument, NULL, 'b'}, {"id", required_argument, NULL, 'i'},
		{NULL, 0, NULL, 0}};
	int option;

	*ret_arguments = (struct arguments){.template_dir = "", .base_path = "/var/lib/octavia"};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			ret_arguments->template_dir = optarg;
		else if (option == 'b')
			ret_arguments->base_path = optarg;
		else if (option == 'i')
			ret_arguments->id = optarg;
		else
			return -EINVAL;
	}
	if (optind + 1 != argc)
		return -EINVAL;
	ret_arguments->file = argv[optind];
	return 0;
}

/* What comes from the document must not reach a terminal as commands. */
static void print_clean(const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stderr);
}

static void print_faults(const char *file, const char *kind, const struct fault_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *path = list->items[i].path;

		fprintf(stderr, "%s: ", file);
		print_clean(path[0] ? path : "the model");
		fprintf(stderr, ": %s", kind);
		print_clean(list->items[i].text);
		fputc('\n', stderr);
	}
	if (list->left_out)
		fprintf(stderr, "%s: %zu more are not shown\n", file, list->left_out);
}

static int parse(const struct arguments *arguments, const struct buf *text,
	struct load_balancer **ret_load_balancer, struct err *err)
{
	cleanup_faults struct faults faults = {0};
	struct id id;
	int r;

	if (arguments->id) {
		r = id_parse(arguments->id, strlen(arguments->id), "--id", &id, err);
		if (r < 0)
			return r;
	}
	r = load_balancer_parse(buf_text(text), text->size_bytes, arguments->id ? &id : NULL,
		&faults, ret_load_balancer, err);
	print_faults(arguments->file, "warning: ", &faults.warnings);
	print_faults(arguments->file, "", &faults.errors);
	return r;
}

static int render(const struct arguments *arguments, struct buf *ret_text, struct err *err)
{
	cleanup_load_balancer struct load_balancer *load_balancer = NULL;
	cleanup_free char *template_dir = NULL;
	cleanup_buf struct buf model = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_free char *base_cert_dir = xformat("%s/certs", arguments->base_path);
	char etag[MD5_HEX_SIZE + 1];
	struct haproxy_cfg_options options = {.base_path = arguments->base_path,
		.base_cert_dir = base_cert_dir,
		.model_etag = etag,
		.log_socket = RENDER_LOG_SOCKET,
		.administrative_log_facility = 1,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = RENDER_PROMETHEUS_PORT,
		.prometheus_exporter_port = RENDER_PROMETHEUS_EXPORTER_PORT};
	int r = file_read(arguments->file, &model, err);

	if (r < 0)
		return r;
	r = parse(arguments, &model, &load_balancer, err);
	if (r < 0)
		return r;
	r = installation_find_templates(arguments->template_dir, &template_dir, err);
	if (r < 0)
		return r;
	digest_md5_hex(model.data, model.size_bytes, etag);
	options.template_dir = template_dir;
	return render_haproxy_cfg(load_balancer, &options, ret_text, err);
}

static int command_render(int argc, char *argv[])
{
	cleanup_buf struct buf text = BUF_INIT(RENDERED_MAX);
	struct arguments arguments;
	struct err err = ERR_NONE;

	if (arguments_parse(argc, argv, &arguments) < 0) {
		fputs(usage, stderr);
		return STATUS_WRONG_USE;
	}
	if (render(&arguments, &text, &err) < 0) {
		fprintf(stderr, "amphoractl: %s\n", err.text);
		return STATUS_FAILED;
	}
	fwrite(buf_text(&text), 1, text.size_bytes, stdout);
	/* What is larger than stdio's buffer fails in fwrite() and leaves nothing to flush. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "amphoractl: writing the configuration failed: %m\n");
		return STATUS_FAILED;
	}
	return STATUS_FINE;
}

int main(int argc, char *argv[])
{
	if (argc == 2 && text_equal(argv[1], "--help")) {
		fputs(usage, stdout);
		return STATUS_FINE;
	}
	if (argc == 2 && text_equal(argv[1], "--version")) {
		puts("amphoractl " AMPHORA_AGENT_VERSION);
		return STATUS_FINE;
	}
	if (argc >= 2 && text_equal(argv[1], "render"))
		return command_render(argc - 1, argv + 1);
	fputs(usage, stderr);
	return STATUS_WRONG_USE;
}
