/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keepalived.conf of one UDP or SCTP listener, rendered from its load balancer's model through
 * templates/keepalived-lvs.conf.mustache. It means to keepalived what Octavia's newest templates
 * mean (model.md, "What rendering must equal"), and names listener, pool and members as
 * lvs/config.h reads them. Used by the agent and amphoractl.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/load_balancer.h"

/* What the text depends on beside the model. Texts are the caller's. */
struct keepalived_lvs_options {
	const char *template_dir;
	const char *network_namespace; /* "": none is entered */
	const char *udp_check_script;  /* the UDP-CONNECT monitor's */
	const char *health_checker;    /* amphora-health-checker, the SCTP monitor's */
};

/*
 * Appends the text for one of the load balancer's listeners. Errors of render/template.h;
 * -EMSGSIZE when ret_text's maximum is reached.
 */
int render_keepalived_lvs(const struct load_balancer *load_balancer,
	const struct listener *listener, const struct keepalived_lvs_options *options,
	struct buf *ret_text, struct err *err);
