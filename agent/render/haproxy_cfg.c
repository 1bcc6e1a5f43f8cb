/* SPDX-License-Identifier: Apache-2.0 */
#include "render/haproxy_cfg.h"

#include "render/escape.h"
#include "render/haproxy_view.h"
#include "render/template.h"

int render_haproxy_cfg(const struct load_balancer *load_balancer,
	const struct haproxy_cfg_options *options, struct buf *ret_text, struct err *err)
{
	json_auto_t *view = haproxy_view(load_balancer, options);

	buf_append_format(ret_text, RENDER_MODEL_LINE "%s\n", options->model_etag);
	return template_render(
		options->template_dir, "haproxy.cfg", view, escape_haproxy, ret_text, err);
}
