/* SPDX-License-Identifier: Apache-2.0 */
#include "console/output.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "render/haproxy_cfg.h"
#include "render/keepalived_lvs.h"
#include "render/keepalived_vrrp.h"
#include "sys/installation.h"

enum { RENDERED_MAX = 64 * MIB };

static int render_haproxy(const struct output *output, struct buf *ret_text, struct err *err)
{
	cleanup_free char *base_cert_dir = xformat("%s/certs", output->arguments->base_path);
	const struct haproxy_cfg_options options = {.template_dir = output->template_dir,
		.base_path = output->arguments->base_path,
		.base_cert_dir = base_cert_dir,
		.model_etag = output->etag,
		.log_socket = RENDER_LOG_SOCKET,
		.administrative_log_facility = 1,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = RENDER_PROMETHEUS_PORT,
		.prometheus_exporter_port = RENDER_PROMETHEUS_EXPORTER_PORT};

	return render_haproxy_cfg(output->load_balancer, &options, ret_text, err);
}

static int render_listener(const struct output *output, const struct listener *listener,
	struct buf *ret_text, struct err *err)
{
	cleanup_free char *script =
		xformat("%s/lvs/check/udp_check.sh", output->arguments->base_path);
	cleanup_free char *checker = installation_find_program("amphora-health-checker");
	const struct keepalived_lvs_options options = {.template_dir = output->template_dir,
		.network_namespace = output->arguments->network_namespace,
		.udp_check_script = script,
		.health_checker = checker};

	return render_keepalived_lvs(output->load_balancer, listener, &options, ret_text, err);
}

static int render_amphora(const struct output *output, const struct amphora *amphora,
	struct buf *ret_text, struct err *err)
{
	cleanup_free char *script =
		xformat("%s/vrrp/check_script.sh", output->arguments->base_path);
	const struct keepalived_vrrp_options options = {
		.template_dir = output->template_dir, .check_script = script};

	return render_keepalived_vrrp(output->load_balancer, amphora, &options, ret_text, err);
}

static int render_listener_of_id(const struct output *output, struct buf *ret_text, struct err *err)
{
	const struct load_balancer *load_balancer = output->load_balancer;
	const char *id = output->arguments->listener;

	for (size_t i = 0; i < load_balancer->listener_count; i++)
		if (text_equal(load_balancer->listeners[i].id.text, id) &&
			listener_is_lvs(&load_balancer->listeners[i]))
			return render_listener(output, &load_balancer->listeners[i], ret_text, err);
	return err_set(err, -ENOENT,
		"load balancer %s has no UDP or SCTP listener with the id '%s' for --lvs",
		load_balancer->id.text, id);
}

static int render_amphora_of_id(const struct output *output, struct buf *ret_text, struct err *err)
{
	const struct load_balancer *load_balancer = output->load_balancer;
	const char *id = output->arguments->amphora;

	for (size_t i = 0; i < load_balancer->amphora_count; i++)
		if (text_equal(load_balancer->amphorae[i].id.text, id))
			return render_amphora(output, &load_balancer->amphorae[i], ret_text, err);
	return err_set(err, -ENOENT, "load balancer %s has no amphora with the id '%s' for --vrrp",
		load_balancer->id.text, id);
}

int output_print(const struct output *output, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(RENDERED_MAX);
	int r;

	if (output->arguments->listener)
		r = render_listener_of_id(output, &text, err);
	else if (output->arguments->amphora)
		r = render_amphora_of_id(output, &text, err);
	else
		r = render_haproxy(output, &text, err);
	if (r == 0)
		fwrite(buf_text(&text), 1, text.size_bytes, stdout);
	return r;
}

static int write_text(const struct output *output, const char *name, mode_t mode,
	const struct buf *text, struct err *err)
{
	cleanup_free char *path = xformat(
		"%s/%s/%s", output->arguments->output, output->load_balancer->id.text, name);
	int r = file_replace_nosync(path, buf_text(text), text->size_bytes, mode, err);

	if (r == 0)
		puts(path);
	return r;
}

static int write_haproxy(const struct output *output, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(RENDERED_MAX);
	int r = render_haproxy(output, &text, err);

	return r < 0 ? r : write_text(output, "haproxy.cfg", 0644, &text, err);
}

static int write_listener(
	const struct output *output, const struct listener *listener, struct err *err)
{
	cleanup_free char *name = xformat("keepalived-lvs-%s.conf", listener->id.text);
	cleanup_buf struct buf text = BUF_INIT(RENDERED_MAX);
	int r = render_listener(output, listener, &text, err);

	return r < 0 ? r : write_text(output, name, 0644, &text, err);
}

/* It holds the secret of the pair. */
static int write_amphora(
	const struct output *output, const struct amphora *amphora, struct err *err)
{
	cleanup_free char *name = xformat("keepalived-vrrp-%s.conf", amphora->id.text);
	cleanup_buf struct buf text = BUF_INIT(RENDERED_MAX);
	int r = render_amphora(output, amphora, &text, err);

	return r < 0 ? r : write_text(output, name, 0600, &text, err);
}

int output_write(const struct output *output, struct err *err)
{
	const struct load_balancer *load_balancer = output->load_balancer;
	cleanup_free char *folder =
		xformat("%s/%s", output->arguments->output, load_balancer->id.text);
	int r = directory_make(folder, 0755, err);

	if (r == 0 && load_balancer_has_frontend(load_balancer))
		r = write_haproxy(output, err);
	for (size_t i = 0; r == 0 && i < load_balancer->listener_count; i++)
		if (listener_is_lvs(&load_balancer->listeners[i]))
			r = write_listener(output, &load_balancer->listeners[i], err);
	for (size_t i = 0; r == 0 && i < load_balancer->amphora_count; i++)
		r = write_amphora(output, &load_balancer->amphorae[i], err);
	return r;
}
