/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keepalived.conf of the VRRP instance of one amphora of a pair, rendered from its load
 * balancer's model through templates/keepalived-vrrp.conf.mustache. It means to keepalived what
 * Octavia's newest template means (model.md, "What rendering must equal"). Used by the agent and
 * amphoractl.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/load_balancer.h"

/* What the text depends on beside the model. Texts are the caller's. */
struct keepalived_vrrp_options {
	const char *template_dir;
	const char *check_script; /* BASE/vrrp/check_script.sh */
};

/*
 * Appends the text for one of the load balancer's amphorae; its topology is ACTIVE_STANDBY. Errors
 * of render/template.h; -EMSGSIZE when ret_text's maximum is reached.
 */
int render_keepalived_vrrp(const struct load_balancer *load_balancer, const struct amphora *amphora,
	const struct keepalived_vrrp_options *options, struct buf *ret_text, struct err *err);
