/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_lvs.h"

#include "render/escape_keepalived.h"
#include "render/keepalived_lvs_view.h"
#include "render/template.h"

int render_keepalived_lvs(const struct load_balancer *load_balancer,
	const struct listener *listener, const struct keepalived_lvs_options *options,
	struct buf *ret_text, struct err *err)
{
	json_auto_t *view = keepalived_lvs_view(load_balancer, listener, options);

	return template_render(options->template_dir, "keepalived-lvs.conf", view,
		escape_keepalived, ret_text, err);
}
