/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/model_apply.h"

#include <errno.h>

#include "base/cleanup.h"
#include "haproxy/stored_model.h"
#include "haproxy/upload.h"
#include "render/haproxy_cfg.h"
#include "sys/http_server.h"

enum { NOTES_MAX_BYTES = 64 * KIB };

struct haproxy_model haproxy_model_of(
	const char *text, size_t size_bytes, const struct load_balancer *load_balancer)
{
	struct haproxy_model model = {
		.text = text,
		.size_bytes = size_bytes,
		.load_balancer = load_balancer,
	};

	digest_md5_hex(text, size_bytes, model.etag);
	return model;
}

void haproxy_model_result_deinit(struct haproxy_model_result *result)
{
	haproxy_changes_deinit(&result->changes);
	buf_deinit(&result->config);
	buf_deinit(&result->output);
}

/*
 * The config as it will be installed: an operator's template may hold what no upload may, and the
 * stored model is found by the installed bytes.
 */
static int config_render(const struct haproxy_model *model,
	const struct haproxy_cfg_options *options, struct buf *ret_config, struct err *err)
{
	cleanup_buf struct buf rendered = BUF_INIT(HTTP_BODY_MAX_BYTES);
	cleanup_buf struct buf notes = BUF_INIT(NOTES_MAX_BYTES);
	int r = render_haproxy_cfg(model->load_balancer, options, &rendered, err);

	if (r < 0)
		return r;
	haproxy_upload_rewrite(buf_text(&rendered), rendered.size_bytes, ret_config, &notes);
	if (buf_error(ret_config))
		return err_set_errno(err, buf_error(ret_config), "rendering haproxy.cfg");
	return 0;
}

/* Starts the result: the config, and what it changes. */
static int result_render(struct haproxy_instance *instance, const struct haproxy_model *model,
	struct haproxy_model_result *ret_result, struct err *err)
{
	const struct haproxy_site *site = instance->site;
	cleanup_buf struct buf installed = BUF_INIT(HTTP_BODY_MAX_BYTES);
	const struct haproxy_cfg_options options = {
		.template_dir = site->template_dir,
		.base_path = site->base_path,
		.base_cert_dir = site->base_cert_dir,
		.model_etag = model->etag,
		.log_socket = RENDER_LOG_SOCKET,
		.user_log_facility = site->user_log_facility,
		.administrative_log_facility = site->administrative_log_facility,
		.stick_table_size = RENDER_STICK_TABLE_SIZE,
		.prometheus_port = site->prometheus_port,
		.prometheus_exporter_port = site->prometheus_exporter_port,
	};
	int r;

	*ret_result = (struct haproxy_model_result){
		.config = BUF_INIT(HTTP_BODY_MAX_BYTES),
		.output = BUF_INIT(HAPROXY_OUTPUT_MAX_BYTES),
	};
	r = config_render(model, &options, &ret_result->config, err);
	if (r < 0)
		return r;
	r = haproxy_instance_read(site, &instance->id, &installed, err);
	if (r < 0 && r != -ENOENT)
		return r;
	haproxy_changes_find(
		buf_text(&installed), buf_text(&ret_result->config), &ret_result->changes);
	return 0;
}

/* Nothing to serve: the config is installed all the same, for whoever reads it, and HAProxy ends.
 */
static int apply_stop(
	struct haproxy_instance *instance, struct haproxy_model_result *result, struct err *err)
{
	int r = haproxy_instance_upload(instance, buf_text(&result->config),
		result->config.size_bytes, &result->output, err);

	if (r < 0)
		return r;
	return haproxy_instance_stop(instance, &result->applied, err);
}

int haproxy_model_apply(struct haproxy_instance *instance, const struct haproxy_model *model,
	struct haproxy_model_result *ret_result, struct err *err)
{
	int r = result_render(instance, model, ret_result, err);

	if (r < 0)
		return r;
	r = haproxy_stored_model_store(
		instance, &ret_result->config, model->text, model->size_bytes, err);
	if (r == 0 && load_balancer_has_frontend(model->load_balancer))
		r = haproxy_instance_apply(instance, buf_text(&ret_result->config),
			ret_result->config.size_bytes, &ret_result->applied, &ret_result->output,
			err);
	else if (r == 0)
		r = apply_stop(instance, ret_result, err);
	/* Whichever config is installed now, its model stays. */
	haproxy_stored_model_prune(instance);
	return r;
}

int haproxy_model_preview(struct haproxy_instance *instance, const struct haproxy_model *model,
	struct haproxy_model_result *ret_result, struct err *err)
{
	int r = result_render(instance, model, ret_result, err);

	if (r < 0)
		return r;
	r = haproxy_instance_preview(instance, buf_text(&ret_result->config),
		ret_result->config.size_bytes, &ret_result->applied, &ret_result->output, err);
	if (r == 0 && !load_balancer_has_frontend(model->load_balancer))
		ret_result->applied = haproxy_instance_is_running(instance->site, &instance->id)
					      ? HAPROXY_APPLIED_STOP
					      : HAPROXY_APPLIED_NONE;
	return r;
}
