/* SPDX-License-Identifier: Apache-2.0 */
#include "render/keepalived_vrrp.h"

#include "render/escape_keepalived.h"
#include "render/keepalived_vrrp_view.h"
#include "render/template.h"

int render_keepalived_vrrp(const struct load_balancer *load_balancer, const struct amphora *amphora,
	const struct keepalived_vrrp_options *options, struct buf *ret_text, struct err *err)
{
	json_auto_t *view = keepalived_vrrp_view(load_balancer, amphora, options);

	return template_render(options->template_dir, "keepalived-vrrp.conf", view,
		escape_keepalived, ret_text, err);
}
